"""The default network on photographs: those that are shipped, and published data where they are beside the project."""

import json
from pathlib import Path

import pytest

from tests.conftest import SAMPLES

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="reference data is not there")


def metrics(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


def test_the_default_network_on_two_photographs(camtool, tmp_path):
    """With no option but a folder: which metrics, which method, where it goes."""
    for name, label in (("coffee.png", "espresso"), ("chelsea.png", "n02123045-tabby")):
        (tmp_path / "photos" / label).mkdir(parents=True)
        (tmp_path / "photos" / label / name).write_bytes((SAMPLES / name).read_bytes())
    ran = camtool("evaluate", "photos")
    assert ran.code == 0, ran.err
    assert ran.out == b"camtool-out/report.json\n"
    assert metrics(tmp_path / "camtool-out") == {"top1_accuracy": 0.5, "top5_accuracy": 1}  # an Egyptian cat, says it
    assert "method cam: exact for this network" in ran.err
    assert camtool("evaluate", "photos", "--limit", 1).code == 0  # the usual folder is there to be replaced


@real
def test_ilsvrc_saved_and_scored_again(camtool, tmp_path):
    manifest = DATA / "ilsvrc/manifest.csv"
    names = "--metrics", "localisation,classification", "--sample", 12, "--resamples", 50
    assert camtool("evaluate", manifest, *names, "--save-maps", "-o", "one").code == 0
    again = camtool("evaluate", manifest, *names, "--maps", "one/maps", "--predictions", "one/maps/predictions.csv",
                    "--baseline", "one", "--max-drop", 0, "-o", "two")  # fmt: skip
    assert again.code == 0, again.err
    assert metrics(tmp_path / "one") == metrics(tmp_path / "two")


@real
def test_mapped_voc_of_pictures_of_all_sizes(camtool, tmp_path):
    """Crops of the middle too: what lies outside is not seen, by the model or when scored again."""
    given = "--sample", 6, "--resamples", 20, "--no-baselines"
    ran = camtool("evaluate", DATA / "voc", "--class-map", "voc-from-imagenet", "--fit", "model", *given, "--save-maps",
                  "-o", "one")  # fmt: skip
    assert ran.code == 0, ran.err
    ran = camtool("evaluate", DATA / "voc", *given, "--maps", "one/maps", "--predictions", "one/maps/predictions.csv",
                  "-o", "two")  # fmt: skip
    assert ran.code == 0, ran.err
    one, two = metrics(tmp_path / "one"), metrics(tmp_path / "two")
    assert one == two
    assert {"location_ap", "classification_ap", "maxboxacc_v2"} < set(one)
    assert None not in one.values()


@real
def test_photographs_with_flaws_in_their_annotations(camtool, tmp_path):
    """No class of kangaroos or raccoons in ImageNet; sizes of 0 in 33 files."""
    ran = camtool("evaluate", DATA / "weak", "--sample", 14, "--seed", 1, "--metrics", "gt_known_loc", "--resamples", 0)
    assert ran.code == 0, ran.err
    report = json.loads((tmp_path / "camtool-out/report.json").read_text())
    assert set(report["dataset"]["unknown_classes"]["names"]) <= {"apple", "kangaroo", "raccoon"}
    assert {"what": "size of 0 in the annotation", "count": 33}.items() <= report["dataset"]["notes"][0].items()
    apples = camtool("evaluate", DATA / "weak", "--limit", 3, "-o", "apples")
    assert apples.code == 4
    assert "the model knows none of the 1 classes" in apples.err
