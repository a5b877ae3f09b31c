"""Maps from files: `--maps`, `--predictions`, `--save-maps`."""

import csv
import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

from cam_cli.images.mapfile import read_map
from tests.metrics import kit
from tests.painted import ROWS, paint, raw, table

from .test_explain import environment, files

QUICK = "top1_loc,gt_known_loc_best,corloc,mean_iou,pointing_game,top1_accuracy,classification_ap,auroc,location_ap"
EVERY = "localisation,classification,classification_ap,auroc,location_ap"
RUNS = {"rgb.cam": "maps", "centre": "centre", "random": "random"}


@pytest.fixture
def folder(tmp_path):
    """The network's maps as a stranger may have them, on a coarser grid or not: `pics/{id}.npy`."""

    def make(name: str = "maps", write=np.save, suffix: str = ".npy", only=tuple(ROWS)):
        for image in only:
            path = tmp_path / name / "pics" / (image + suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path, raw(image, ROWS[image][0]))
        return tmp_path / name

    return make


@pytest.mark.parametrize("fit", ["squash", "pad", "model", "keep"])
def test_what_was_saved_scores_the_same_bit_by_bit(evaluate, tmp_path, fit):
    """Numbers, what was kept of every image, curves, baselines; of pictures that are not square."""
    patches = ("green", (6, 3, 20, 12), 255), ("green", (20, 8, 30, 16), 130), ("red", (40, 2, 44, 9), 99)
    paint(tmp_path / "pics/f.png", *patches, width=48, height=20)
    paint(tmp_path / "pics/g.png", *patches, width=33, height=61)
    lines = (tmp_path / "data.csv").read_text().splitlines()
    lines = [lines[0], lines[5], "pics/f.png,48,20,green,6 3 20 12,x", "pics/g.png,33,61,red,0 0 9 9,y"]
    (tmp_path / "more.csv").write_text("\n".join(lines))
    one = evaluate("--save-maps", "--metrics", EVERY, "--fit", fit, "--baselines", data="more.csv", out="one")
    two = evaluate("--maps", "one/maps", "--predictions", "one/maps/predictions.csv", "--metrics", EVERY, "--baselines",
                   data="more.csv", out="two")  # fmt: skip
    assert (one.code, two.code) == (0, 0), one.err + two.err
    assert (one.folder / "metrics.json").read_bytes() == (two.folder / "metrics.json").read_bytes()
    for mine, theirs in zip(one.report["runs"][0]["metrics"], two.report["runs"][0]["metrics"], strict=True):
        assert mine == theirs
    assert one.report["runs"][0]["curves"] == two.report["runs"][0]["curves"]
    for mine, theirs in zip(one.rows, two.rows, strict=True):
        assert {name: mine["runs"][name]["rows"] for name in RUNS} == {
            name: theirs["runs"][other]["rows"] for name, other in RUNS.items()
        }
        assert mine["predictions"] == theirs["predictions"]


def test_what_was_saved_is_the_map_and_its_224_pixels(evaluate):
    """The .npz without loss; the .npy as wsolevaluation's own code would make and read it."""
    ran = evaluate("--save-maps", "--metrics", "maxboxacc,maxboxacc_v2")
    saved = ran.folder / "maps"
    assert files(saved) == sorted(
        ["predictions.csv", *(f"pics/{name}.{kind}" for name in ROWS for kind in ("npy", "npz"))]
    )
    right = {False: [], True: []}
    for name, (colour, box, _) in ROWS.items():
        whole = read_map(saved / f"pics/{name}.npz")
        assert list(whole.raw) == [colour]
        assert whole.seen is None
        assert np.array_equal(whole.raw[colour], raw(name, colour) * np.float32(20))
        scores = np.load(saved / f"pics/{name}.npy")
        assert (scores.shape, scores.dtype, scores.min(), scores.max()) == ((224, 224), np.float64, 0, 1)
        assert np.array_equal(scores, kit.score_map(whole.raw[colour]))
        x0, y0, x1, y1 = map(int, box.split())
        for several, deltas in ((False, (50,)), (True, (30, 50, 70))):
            right[several].append(kit.right(scores, [(x0, y0, x1 - 1, y1 - 1)], (32, 32), deltas, several))
    best = {
        several: np.mean([np.mean([one[delta] for one in found], 0).max() for delta in found[0]])
        for several, found in right.items()
    }
    assert ran.values() == pytest.approx({"maxboxacc": best[False], "maxboxacc_v2": best[True]}, abs=1e-6)


def test_the_224_pixels_score_as_the_kit_scores_them(evaluate, tmp_path):
    one = evaluate("--save-maps", "--metrics", "maxboxacc,maxboxacc_v2", out="one")
    for path in (tmp_path / "one/maps").rglob("*.npz"):
        path.unlink()
    two = evaluate("--maps", "one/maps", "--metrics", "maxboxacc,maxboxacc_v2", out="two")
    assert two.values() == one.values()
    for mine, theirs in zip(one.rows, two.rows, strict=True):
        assert mine["runs"]["rgb.cam"]["rows"] == theirs["runs"]["maps"]["rows"]


def test_several_runs_save_apart_and_several_classes_together(evaluate, tmp_path):
    table(tmp_path / "pairs.csv", {"d.png": ("red;blue", "")}, "labels,boxes")
    ran = evaluate("--save-maps", "--method", "cam", "--method", "rise:masks=20", "--metrics", "top1_accuracy",
                   data="pairs.csv")  # fmt: skip
    assert files(ran.folder / "maps") == [
        "predictions.csv", "rgb.cam/pics/d.png.npz", "rgb.rise_masks=20/pics/d.png.npz",
    ]  # fmt: skip
    assert set(read_map(ran.folder / "maps/rgb.cam/pics/d.png.npz").raw) == {"red", "blue"}
    models = "-m", "a=tests.painted:rgb", "-m", "b=tests.painted:swapped", "--labels", "labels.txt"
    ran = evaluate("--save-maps", *models, "--metrics", "top1_accuracy", data="pairs.csv", model=None, out="two")
    assert {"a.predictions.csv", "b.predictions.csv"} < set(files(ran.folder / "maps"))
    with (ran.folder / "maps/b.predictions.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert row["predictions"] == "red;green;blue"


def test_images_without_truth_and_unknown_classes_score_the_same_again(evaluate, tmp_path):
    """The table of predictions says which classes the model knows; an image without a class needs no map."""
    table(tmp_path / "more.csv", {**ROWS, "f.png": ("purple", "0 0 4 4", "x"), "g.png": ("", "", "x")})
    for name in "fg":
        (tmp_path / f"pics/{name}.png").write_bytes((tmp_path / "pics/d.png").read_bytes())
    one = evaluate("--save-maps", "--metrics", QUICK, data="more.csv", out="one")
    two = evaluate("--maps", "one/maps", "--predictions", "one/maps/predictions.csv", "--metrics", QUICK,
                   data="more.csv", out="two")  # fmt: skip
    assert (one.code, two.code) == (0, 0), one.err + two.err
    assert one.values() == two.values()
    for ran in (one, two):
        assert "warning: class 'purple' of the data is none of the model's" in ran.err
        data = ran.report["dataset"]
        assert data["unknown_classes"] == {"count": 1, "names": ["purple"]}
        assert data["without_truth"]["ids"] == ["pics/g.png"]
        assert data["missing_maps"]["count"] == 0


def test_scores_that_are_not_numbers_score_the_same_again(evaluate, tmp_path):
    paint(tmp_path / "pics/s.png", ("red", (4, 4, 12, 12), 255), sick=True)
    table(tmp_path / "more.csv", {"s.png": ("red", "4 4 12 12", "y"), **ROWS})  # the first, too
    one = evaluate("--save-maps", "--metrics", QUICK, data="more.csv", model="tests.painted:sick", out="one")
    assert one.code == 0, one.err
    assert (one.folder / "maps/predictions.csv").read_text().splitlines()[:2] == [
        "path,predictions,blue,green,red", "pics/s.png,,,,",
    ]  # fmt: skip
    two = evaluate("--maps", "one/maps", "--predictions", "one/maps/predictions.csv", "--metrics", QUICK,
                   data="more.csv", out="two")  # fmt: skip
    assert two.code == 0, two.err
    assert one.values() == two.values()


def as_npz(path, values, **more):
    np.savez(path, values, **more)


def as_picture(depth):
    return lambda path, values: path.write_bytes(cv2.imencode(path.suffix, depth(values))[1].tobytes())


@pytest.mark.parametrize(
    ("suffix", "write"),
    [
        (".npy", np.save),
        (".npz", np.savez),
        (".npz", np.savez_compressed),
        (".npy", lambda path, values: np.save(path, values[..., None].astype(np.float64))),
        (".npy", lambda path, values: np.save(path, (values * 1000).astype(np.int16))),
        (".npy", lambda path, values: np.save(path, np.asfortranarray(values.astype(np.float16)))),
        (".png", as_picture(lambda values: (values * 255).round().astype(np.uint8))),
        (".png", as_picture(lambda values: (values * 65535).round().astype(np.uint16))),
        (".tif", as_picture(lambda values: values)),
        (".tiff", as_picture(lambda values: (values * 65535).round().astype(np.uint16))),
    ],
)
def test_every_kind_of_file(evaluate, folder, suffix, write):
    """Maps of any scale: what counts is a fraction of the maximum."""
    folder("maps", write, suffix)
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc,gt_known_loc_best,mean_iou,pointing_game")
    assert ran.code == 0, ran.err
    assert ran.values() == pytest.approx(
        {"gt_known_loc": 0.6, "gt_known_loc_best": 0.8, "mean_iou": 0.58, "pointing_game": 0.8},
        abs=1e-6,
    )
    run = ran.report["runs"][0]
    assert (run["run"], run["method"], run["network"], run["layers"]) == ("maps", "maps", "maps", [])
    assert ran.report["settings"]["device"] == "none"


def test_a_missing_map_is_listed_and_counts_as_wrong(evaluate, folder):
    folder(only=("a.png", "b.png", "c.png", "e.png"))
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc,gt_known_loc_best")
    assert ran.code == 5
    assert ran.values() == {"gt_known_loc": 0.4, "gt_known_loc_best": 0.6}
    assert ran.metric("gt_known_loc")["n"] == 5
    data = ran.report["dataset"]
    assert (data["missing_maps"], data["failed"]["count"]) == ({"count": 1, "ids": ["pics/d.png"]}, 0)
    assert "error[MapMissing]: ./pics/d.png: no map of it in maps (pics/d.png.npy, .npz, .png, .tif)" in ran.err
    assert "1 | image without a map, counted as a miss | `pics/d.png`" in (ran.folder / "report.md").read_text()
    assert evaluate("--maps", "maps", "--max-failures", 1, "--overwrite").code == 0


def test_a_file_without_the_images_class_is_a_missing_map(evaluate, folder, tmp_path):
    folder(only=("b.png", "c.png", "d.png", "e.png"))
    np.savez(tmp_path / "maps/pics/a.npz", blue=raw("a.png", "red"))
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc")
    assert (ran.code, ran.values()) == (5, {"gt_known_loc": 0.4})
    assert ran.report["dataset"]["missing_maps"]["ids"] == ["pics/a.png"]
    assert "maps/pics/a.npz has maps of blue, none of red" in ran.err


def test_a_file_without_one_of_several_classes_is_noted_and_that_one_wrong(evaluate, tmp_path):
    table(tmp_path / "pairs.csv", {"d.png": ("red;blue", "red 0 0 16 16;blue 20 20 28 28")}, "labels,boxes")
    (tmp_path / "maps/pics").mkdir(parents=True)
    np.savez(tmp_path / "maps/pics/d.png.npz", red=raw("d.png", "red"))
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc", data="pairs.csv")
    assert (ran.code, ran.values(), ran.metric("gt_known_loc")["n"]) == (0, {"gt_known_loc": 0.5}, 2)
    (note,) = ran.report["dataset"]["notes"]
    assert note == {"what": "image whose file lacks the map of a class; that counts as wrong", "count": 1,
                    "where": ["pics/d.png"]}  # fmt: skip
    np.save(tmp_path / "maps/pics/d.npy", raw("d.png", "red"))
    (tmp_path / "maps/pics/d.png.npz").unlink()
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc", "--overwrite", data="pairs.csv")
    assert ran.code == 5
    assert "holds one map, its image has 2 classes (red, blue); give one a class, as a .npz with their names" in ran.err


def test_broken_maps_fail_one_by_one(evaluate, folder, tmp_path):
    folder()
    (tmp_path / "maps/pics/a.png.npy").write_bytes(b"")
    (tmp_path / "maps/pics/b.png.npy").write_bytes((tmp_path / "maps/pics/b.png.npy").read_bytes()[:-7])
    np.save(tmp_path / "maps/pics/c.png.npy", np.zeros((3, 4, 5)))
    np.save(tmp_path / "maps/pics/d.png.npy", np.full((7, 7), np.nan))
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc")
    assert (ran.code, ran.values()) == (5, {"gt_known_loc": 0})
    assert ran.report["dataset"]["failed"]["ids"] == ["pics/a.png", "pics/b.png", "pics/c.png"]
    assert {row["error"]["kind"] for row in ran.rows[:3]} == {"MapUnreadable"}
    assert ran.rows[3]["runs"]["maps"]["drawn"]["flags"] == ["not_finite"]
    assert "maps/pics/c.png.npy holds 3×4×5 of float64, not rows and columns of numbers" in ran.err


def test_maps_need_no_pictures_where_the_table_has_their_sizes(evaluate, folder, tmp_path):
    folder()
    for path in (tmp_path / "pics").iterdir():
        path.unlink()
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc,mean_iou")
    assert (ran.code, ran.values()) == (0, {"gt_known_loc": 0.6, "mean_iou": 0.58})
    lines = (tmp_path / "data.csv").read_text().replace(",32,32,", ",,,")
    (tmp_path / "sizeless.csv").write_text(lines)
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc", data="sizeless.csv", out="sizeless")
    assert ran.code == 5
    assert ran.report["dataset"]["failed"]["count"] == 5
    assert "error[ImageUnreadable]: ./pics/a.png: cannot read the file: No such file or directory" in ran.err


@pytest.mark.parametrize(
    ("lines", "top1", "top5"),
    [
        (["path,predictions", "pics/a.png,red;blue", "pics/b.png,blue;red", "pics/c.png,", "pics/d.png,green"], 1, 2),
        (["id,predicted,more", "pics/a,red,1", "./pics/b.png,red,2", "pics/e.png, green ;x,3"], 3, 3),
        (["image,red,green,blue", "pics/a.png,.5,.3,.2", "pics/d.png,.7,.2,.1"], 1, 2),
        (["\ufeffpath,prediction", "pics/a.png,red"], 1, 1),
    ],
)
def test_predictions_from_a_table(evaluate, folder, tmp_path, lines, top1, top5):
    """By id, by path, without suffix. An image that the table lacks counts as wrong."""
    folder()
    (tmp_path / "said.csv").write_text("\n".join(lines))
    ran = evaluate("--maps", "maps", "--predictions", "said.csv", "--metrics", "top1_accuracy,top5_accuracy,top5_loc")
    assert ran.code == 0, ran.err
    right = {"a.png", "b.png", "d.png"}
    assert ran.values() == pytest.approx({"top1_accuracy": top1 / 5, "top5_accuracy": top5 / 5,
                                          "top5_loc": ran.values()["top5_loc"]})  # fmt: skip
    ranks = [row["runs"]["maps"]["rows"]["top1_accuracy"]["ranks"][0] for row in ran.rows]
    found = [rank is not None and name in right for rank, name in zip(ranks, ROWS, strict=True)]
    assert ran.values()["top5_loc"] == pytest.approx(sum(found) / 5)


def test_classes_without_a_column_are_unknown_to_the_model(evaluate, folder, tmp_path):
    folder()
    (tmp_path / "said.csv").write_text("path,red,green\n" + "".join(f"pics/{name},.6,.4\n" for name in ROWS))
    ran = evaluate("--maps", "maps", "--predictions", "said.csv", "--metrics", "top1_accuracy,gt_known_loc,auroc")
    assert ran.code == 0, ran.err
    assert ran.report["dataset"]["unknown_classes"]["names"] == ["blue"]
    assert ran.values() == {"top1_accuracy": 0.5, "auroc": 0.5, "gt_known_loc": 0.5}


def test_what_the_model_predicts_may_be_unknown(evaluate, folder):
    folder()
    ran = evaluate("--maps", "maps", "--metrics", "localisation")
    assert ran.code == 0
    assert ran.values()["top1_loc"] is None
    assert ran.metric("top1_loc")["n"] == 0
    told = evaluate("--maps", "maps", "--metrics", "top1_accuracy", out="none")
    assert (told.code, told.error) == (
        2, "error[UsageError]: --metrics top1_accuracy cannot be computed: nobody says what the model predicts; add "
        "--predictions",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--maps", "nowhere"), 3, "InputMissing]: --maps nowhere: no such folder; check the path"),
        (("--maps", "pics"), 3, "InputEmpty]: --maps pics: no map of any of the 5 images (looked for pics/a.png.npy"),
        (("--maps", "maps", "--metrics", "adcc"), 2, "it asks the network, and maps in files have none"),
        (("--maps", "maps", "--method", "cam"), 2, "--maps has maps in files, of which --method and what goes with it"),
        (("--maps", "maps", "--layer", "x"), 2, "of which --method and what goes with it can say nothing; drop it"),
        (("--maps", "maps", "-m", "x"), 2, "of which --model and what goes with it can say nothing; drop it"),
        (("--maps", "maps", "--labels", "labels.txt"), 2, "of which --model and what goes with it can say nothing"),
        (("--maps", "maps", "--fit", "pad"), 2, "of which --fit, --size and the like can say nothing; drop it"),
        (("--maps", "maps", "--size", "64"), 2, "of which --fit, --size and the like can say nothing; drop it"),
        (("--maps", "maps", "--class-map", "voc-from-imagenet"), 2, "of which --class-map can say nothing; drop it"),
        (("--maps", "maps", "--tolerance-in", "input"), 2, "of which --tolerance-in input can say nothing; drop it"),
        (("--predictions", "said.csv"), 2, "--predictions goes with --maps; a model makes its own"),
        (("--maps", "maps", "--predictions", "none.csv"), 3, "InputMissing]: --predictions none.csv: no such file"),
        (("--maps", "maps", "--predictions", "data.csv"), 3, "the first row must name a column path, and predictions"),
        (("--maps", "maps", "--fail-under", "rgb/cam:corloc=0"), 2, "no model is called 'rgb' (there are maps)"),
        (("--maps", "maps", "--fail-under", "maps/cam:corloc=0"), 2, "no method is called 'cam' (there are maps)"),
        (("--maps", "maps", "-o", "maps"), 6, "OutputRefused]: -o maps holds what is read here (maps); choose another"),
    ],
)  # fmt: skip
def test_what_goes_with_maps_and_what_does_not(evaluate, folder, arguments, code, told):
    folder()
    ran = evaluate(*arguments)
    assert (ran.code, told in ran.error) == (code, True), ran.err
    assert not ran.folder.exists()


def test_pictures_are_still_drawn_by_their_intensity(evaluate, folder):
    folder()
    ran = evaluate("--maps", "maps", "--metrics", "gt_known_loc", "--intensity", "0:255", "--max-pixels", 5000)
    assert ran.code == 0, ran.err


def test_a_table_that_tells_the_truth_is_not_taken_for_predictions(evaluate, folder):
    """`per_image.csv` has the true class and the predicted one; a dataset's table has the true one alone."""
    folder()
    one = evaluate("--metrics", "top1_accuracy", out="one")
    two = evaluate("--maps", "maps", "--predictions", "one/per_image.csv", "--metrics", "top1_accuracy", out="two")
    assert two.code == 0, two.err
    assert two.values() == one.values() == {"top1_accuracy": 0.8}


def test_predictions_in_other_words_are_an_error(evaluate, folder, tmp_path):
    folder()
    (tmp_path / "said.csv").write_text("path,predictions\npics/a.png,rde\npics/b.png,n01\n")
    ran = evaluate("--maps", "maps", "--predictions", "said.csv")
    assert (ran.code, ran.error) == (
        3, "error[DatasetUnreadable]: said.csv: none of the classes it predicts (rde, …) is one of the data; did you "
        "mean red?; call them as the data do",
    )  # fmt: skip


def test_saved_maps_survive_being_scored_into_the_same_folder(evaluate, camtool, tmp_path):
    evaluate("--save-maps", "--metrics", "gt_known_loc", out="camtool-out")
    before = files(tmp_path / "camtool-out")
    for more in ((), ("-o", "camtool-out", "--overwrite"), ("-o", "./camtool-out/", "--overwrite")):
        ran = camtool("evaluate", "data.csv", "--maps", "camtool-out/maps", *more)
        assert ran.code == 6
        assert "holds what is read here (camtool-out/maps); choose another" in ran.err
    assert files(tmp_path / "camtool-out") == before
    ran = camtool(
        "evaluate", "data.csv", "-m", "tests.painted:rgb", "--labels", "labels.txt", "--baseline", "camtool-out"
    )
    assert ran.code == 6
    assert files(tmp_path / "camtool-out") == before


def test_no_torch_for_maps_in_files(evaluate, folder, tmp_path):
    """Nor for what is wrong with names, data and folders, whoever makes the maps."""
    folder()
    evaluate("--metrics", "gt_known_loc", out="old")
    script = """
import json, sys
from cam_cli.cli.app import app
from cam_cli.cli.boundary import guarded
codes = [guarded(app, ["evaluate", *arguments]) for arguments in json.loads(sys.argv[1])]
print(json.dumps([codes, [name for name in ("torch", "torchvision", "timm") if name in sys.modules]]))
"""
    model = ["data.csv", "-o", "newer"]
    wrong = [
        (["--metrics", "gt_known"], 4), (["--fail-under", "gt_known=1"], 4), (["--method", "gradkam"], 4),
        (["--fail-under", "x/cam:corloc=1"], 2), (["--fail-under", "efficientnet_lite0/gradkam:corloc=1"], 4),
        (["--metrics", "pxap"], 2), (["--metrics", "all", "--by", "nothing"], 2),
        (["--class-map", "voc-from-imagenet"], 3),
        (["--baseline", "pics"], 3), (["--baseline", "old", "--threshold", "0.3"], 2), (["--exclude", "none.txt"], 3),
        (["--threshold", "calibrated:none.csv"], 3), (["--threshold", "calibrated:data.csv"], 2), (["-o", "old"], 6),
        (["--protocol", "vok"], 2), (["--mean", "x"], 2), (["--images", "none"], 3),
    ]  # fmt: skip
    runs = [["data.csv", "--maps", "maps", "-o", "new", "--baseline", "old"], *([*model, *one] for one, _ in wrong)]
    ran = subprocess.run(
        [sys.executable, "-c", script, json.dumps(runs)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
    )
    codes, loaded = json.loads(ran.stdout.splitlines()[-1])
    assert codes == [0, *(code for _, code in wrong)], ran.stderr
    assert loaded == []
    assert (tmp_path / "new/report.html").stat().st_size > 50_000
