"""Truth, only, not:, against, score and decision as whole commands."""

import json
import shutil
from pathlib import Path

import cv2
import jsonschema
import numpy as np
import pytest

from cam_cli.outputs.schema import result_schema
from tests.cli.test_explain import files
from tests.conftest import SAMPLES

FOLDERS = {
    "espresso/coffee.png": "coffee.png",
    "n02123045-tabby/chelsea.png": "chelsea.png",  # lite0 says tiger cat
    "missile/val/rocket.jpg": "rocket.jpg",
}


@pytest.fixture
def photos(tmp_path):
    """Three photographs in folders of their classes; of the cat the model is not convinced."""
    for name, source in FOLDERS.items():
        place = tmp_path / "photos" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(SAMPLES / source, place)
    return tmp_path / "photos"


def told(ran) -> list[str]:
    """stderr without the first lines on model and layer, and without the seconds of the last."""
    return [line.split(" in ")[0] for line in ran.err.splitlines() if line.split()[0] not in ("model", "layer")]


def test_everything_it_gets_wrong_predicted_beside_true(camtool, photos, tmp_path):
    ran = camtool(
        "explain", "photos", "--truth", "folder", "--only", "wrong", "--class", "top", "--class", "truth",
        "--save", "panel", "-o", "out", "-v",
    )  # fmt: skip
    assert ran.code == 0
    assert ran.lines == ["out/n02123045-tabby/chelsea.panel.png"]
    assert told(ran)[:-2] == [
        "truth  known of 3 of 3 images, 3 different",
        "image  photos/espresso/coffee.png: right, left out",
        "image  photos/missile/val/rocket.jpg: right, left out",
    ]
    assert told(ran)[-2].startswith(
        "image  photos/n02123045-tabby/chelsea.png: tiger cat 39.4% · wrong, true: tabby 17.0%"
    )
    assert told(ran)[-1] == "done   1 image, 2 maps, 2 right, 1 wrong, 2 left out"
    (record,) = [json.loads(line) for line in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    jsonschema.validate(record, result_schema())
    assert (record["truth"]["name"], record["correct"], record["predictions"][0]["name"]) == (
        "tabby",
        False,
        "tiger cat",
    )
    assert [one["class"]["name"] for one in record["maps"]] == ["tiger cat", "tabby"]
    run = json.loads((tmp_path / "out/run.json").read_text())
    assert run["counts"] == {
        "total": 3, "done": 1, "failed": 0, "flagged": 0, "maps": 2, "boxes": 0, "right": 2, "wrong": 1, "left_out": 2,
    }  # fmt: skip
    assert (run["spec"]["classes"]["truth"], run["spec"]["classes"]["only"]) == ("folder", "wrong")


def test_only_right_and_none_left(camtool, photos):
    ran = camtool("cam", "photos", "--truth", "folder", "--only", "right", "--json", "--save", "none")
    assert [record["id"] for record in ran.records] == ["espresso/coffee.png", "missile/val/rocket.jpg"]
    assert all(record["correct"] for record in ran.records)
    ran = camtool("cam", "photos/espresso", "--truth", "folder", "--only", "wrong", "--json", "-o", "out")
    kept = ["left_out.jsonl", "results.csv", "results.jsonl", "run.json"]
    assert (ran.code, ran.out, files_of("out")) == (0, b"", kept)


def files_of(folder) -> list[str]:
    return files(Path(folder))


@pytest.mark.parametrize("source", ["t.csv", "t.jsonl"])
def test_a_table_gives_the_truth_and_may_be_the_input(camtool, photos, tmp_path, source):
    rows = [("photos/espresso/coffee.png", "espresso"), ("photos/n02123045-tabby/chelsea.png", "282")]
    rows.append(("photos/missile/val/rocket.jpg", ""))
    if source == "t.csv":
        text = "path,class\n" + "".join(",".join(row) + "\n" for row in rows)
    else:
        text = "".join(
            json.dumps({"path": path, "class": int(name) if name.isdigit() else name}) + "\n" for path, name in rows
        )
    (tmp_path / source).write_text(text)
    ran = camtool("cam", source, "--truth", source, "-c", "truth", "--json", "-o", "out")
    assert ran.code == 0
    assert [record["correct"] for record in ran.records] == [True, True, None]
    assert [[one["class"]["index"] for one in record["maps"]] for record in ran.records] == [[967], [282], []]
    assert [record["flags"] for record in ran.records] == [[], [], ["no_truth", "no_class"]]
    assert "truth  known of 2 of 3 images, 2 different" in ran.err
    assert [line.split(",")[-7:-1] for line in (tmp_path / "out/results.csv").read_text().splitlines()[1:]] == [
        ["967", "espresso", "True", "1", "", ""],
        ["282", "tiger cat", "True", "1", "", ""],
    ]
    ran = camtool("cam", "photos", "--truth", source, "--only", "right", "-q")
    assert ran.lines == ["camtool-out/espresso/coffee.cam.png", "camtool-out/n02123045-tabby/chelsea.cam.png"]


def test_maps_that_speak_against(camtool, photos, tmp_path):
    ran = camtool(
        "gradcam", "photos/espresso/coffee.png", "-c", "espresso", "-c", "not:espresso", "-c", "not:top",
        "--save", "raw,heatmap,overlay", "-o", "out", "--json",
    )  # fmt: skip
    names = ["967-espresso", "not-967-espresso", "not-1"]
    assert [one["files"]["raw"] for one in ran.records[0]["maps"]] == [f"coffee.gradcam.{name}.npy" for name in names]
    assert [one["sign"] for one in ran.records[0]["maps"]] == [1, -1, -1]
    plain, negated, top = (np.load(tmp_path / f"out/coffee.gradcam.{name}.npy") for name in names)
    np.testing.assert_array_equal(negated, -plain)
    np.testing.assert_array_equal(negated, top)
    y, x = reversed(ran.records[0]["maps"][0]["peak"])
    blue, _, red = cv2.imread(str(tmp_path / "out/coffee.gradcam.not-1.heatmap.png"))[y, x].astype(int)
    assert blue > red + 100, "the evidence for espresso is against not espresso"


def test_against_is_a_lead_and_its_legend_has_both_ends(camtool, photos, tmp_path):
    ran = camtool("cam", "photos/n02123045-tabby", "-c", "tabby", "-c", "tiger cat", "--save", "raw", "-o", "out", "-q")
    tabby, tiger = (np.load(path) for path in ran.lines)
    ran = camtool(
        "cam", "photos/n02123045-tabby", "--against", "tabby", "--save", "raw,overlay", "--legend", "--json", "-v"
    )
    (one,) = ran.records[0]["maps"]
    assert (one["class"]["name"], one["against"]["name"], one["sign"]) == ("tiger cat", "tabby", 1)
    assert "against tabby: tabby (281)" in ran.err
    assert "tiger cat against tabby peaks at " in ran.err
    np.testing.assert_allclose(np.load("camtool-out/chelsea.cam.npy"), tiger - tabby, atol=1e-5)
    shown, photo = (cv2.imread(str(path)) for path in ("camtool-out/chelsea.cam.png", SAMPLES / "chelsea.png"))
    assert shown.shape[0] > photo.shape[0]


def test_the_probability_on_request(camtool, photos, tmp_path):
    for score in ("logit", "probability"):
        ran = camtool("gradcam", "photos/espresso", "--score", score, "--save", "raw", "-o", score, "--json")
        assert ran.code == 0
        assert json.loads((tmp_path / score / "run.json").read_text())["spec"]["classes"]["score"] == score
    one, other = (np.load(tmp_path / score / "coffee.gradcam.npy") for score in ("logit", "probability"))
    assert abs(other).max() < abs(one).max(), "the slope of a softmax is at most a quarter"
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.5


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (["-c", "truth"], 2, "error[UsageError]: --class truth needs the true classes; add --truth"),
        (["-c", "NOT:truth"], 2, "--class NOT:truth needs the true classes"),
        (["--against", "truth"], 2, "--against truth needs the true classes"),
        (["--only", "wrong"], 2, "--only wrong needs the true classes"),
        (["--only", "some", "--truth", "folder"], 2, "'some' is not one of 'wrong', 'right'"),
        (["--against", "top2"], 2, "--against takes one class"),
        (["--decision", "0.3"], 2, "--decision has no meaning for efficientnet_lite0"),
        (["--decision", "2"], 2, "Invalid value for '--decision'"),
        (["--method", "cam", "--score", "probability"], 2, "--score probability: cam is exact for logits alone"),
        (["--truth", "gone.csv"], 3, "error[InputMissing]: --truth gone.csv: no such file"),
        (
            ["--truth", "expresso"],
            4,
            "error[ClassUnknown]: --truth expresso (of photos/espresso/coffee.png): no class is ",
        ),
        (["-c", "not:expresso"], 4, "error[ClassUnknown]: no class is called 'expresso'; did you mean espresso"),
        (["--against", "expresso"], 4, "did you mean espresso"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_image(camtool, photos, options, code, says):
    ran = camtool("explain", "photos", *options)
    assert ran.code == code
    assert says in ran.err.splitlines()[-1]
    assert ran.out == b""
    assert files_of(photos.parent) == sorted(f"photos/{name}" for name in FOLDERS)


def test_a_folder_that_is_no_class_is_refused_with_its_image(camtool, photos):
    (photos / "misc").mkdir()
    shutil.copy(SAMPLES / "flower.jpg", photos / "misc/flower.jpg")
    ran = camtool("gradcam", "photos", "--truth", "folder")
    assert ran.code == 4
    assert "--truth folder (of photos/misc/flower.jpg): no class is called 'misc'" in ran.err
