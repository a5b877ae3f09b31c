"""Whole evaluations: every number of a few painted pictures on paper, and everything that is written."""

import csv
import json
import math

import numpy as np
import pytest

from tests.outputs.report.test_embedded import data_of
from tests.painted import NETWORK, ROWS, paint, raw, table

from .test_explain import files

EXP = math.exp
CHANCES = {  # of red, green and blue: softmax of 20 × their mean over 1024 pixels
    name: np.exp(scores) / np.exp(scores).sum()
    for name, scores in {
        "a.png": [20 * 64 / 1024, 0, 0],
        "b.png": [20 * 64 / 1024, 0, 0],
        "c.png": [0, 20 * 144 / 1024, 0],
        "d.png": [20 * 256 / 1024, 0, 20 * 64 / 1024],
        "e.png": [0, 20 * (64 + 96 * 100 / 255) / 1024, 0],
    }.items()
}


def test_every_number_on_paper(evaluate):
    names = (
        "top1_loc,top5_loc,gt_known_loc,top1_loc_best,top5_loc_best,gt_known_loc_best,corloc,mean_iou,pointing_game,"
    )
    names += "pointing_game_15px,energy_pointing,location_ap,classification,classification_ap,auroc,average_drop,"
    names += "increase_in_confidence"  # of wsolevaluation's numbers see test_evaluate_maps
    ran = evaluate("--metrics", names)
    assert ran.code == 0, ran.err
    found = ran.values()
    masked = 20 * (64 + 96 * (100 / 255) ** 2) / 1024  # e's faint part times its own heat
    kept = EXP(masked) / (EXP(masked) + 2)
    assert found == pytest.approx(
        {
            "top1_accuracy": 4 / 5,  # all but d
            "top5_accuracy": 1,
            # red: d, a = b, e, c; green: c, e first; blue: d last
            "classification_ap": (2 / 3 + 1 + 1 / 5) / 3,
            "auroc": (4 / 6 + 1 + 0) / 3,
            "top1_loc": 2 / 5,  # a, b
            "top5_loc": 3 / 5,
            "gt_known_loc": 3 / 5,  # a, b, d
            "top1_loc_best": 3 / 5,  # and e, from two fifths on
            "top5_loc_best": 4 / 5,
            "gt_known_loc_best": 4 / 5,
            "corloc": (1 + 0 + 1) / 3,
            "mean_iou": (1 + 64 / 128 + 0 + 1 + 64 / 160) / 5,
            "pointing_game": 4 / 5,  # c's first maximum is 16, 16; its box ends at 7, 7
            "pointing_game_15px": 1,  # 9² + 9² < 15²
            "energy_pointing": (1 + 1 + 0 + 1 + 64 / (64 + 96 * 100 / 255)) / 5,
            "location_ap": (2 / 3 + 1 + 1 / 5) / 3,  # c: within 18 px
            "average_drop": (1 - kept / CHANCES["e.png"][1]) / 5,  # of the others nothing goes
            "increase_in_confidence": 1 / 5,  # d without its blue
        },
        abs=2e-6,
    )
    assert {one["metric"]: one["n"] for one in ran.report["runs"][0]["metrics"]} == dict.fromkeys(found, 5)
    assert ran.metric("gt_known_loc_best")["computed_with"]["threshold"] == 0.4
    assert [one for one in found if ran.metric(one)["oracle"]] == [
        "top1_loc_best", "top5_loc_best", "gt_known_loc_best",
    ]  # fmt: skip


def test_numbers_of_other_rules(evaluate):
    """A tolerance of 8.5 px just misses: the point is 16.5, the box ends at 8, and the edge is out.

    Otsu parts e's heat, 96 pixels of 0.392 and 64 of 1, between the two.
    """
    for tolerance, green in ((0, 1 / 4), (8.5, 1 / 4), (8.51, 1), (18, 1)):
        ran = evaluate("--metrics", "location_ap", "--tolerance", tolerance, "--overwrite")
        assert ran.values()["location_ap"] == pytest.approx((2 / 3 + green + 1 / 5) / 3, abs=1e-6)
    ran = evaluate("--metrics", "gt_known_loc,mean_iou,top1_loc", "--threshold", "0.4", "--overwrite")
    assert ran.values() == pytest.approx({"top1_loc": 3 / 5, "gt_known_loc": 4 / 5, "mean_iou": 3.5 / 5})
    ran = evaluate("--metrics", "gt_known_loc", "--threshold", "otsu", "--overwrite")
    assert ran.values() == pytest.approx({"gt_known_loc": 4 / 5})
    assert ran.metric("gt_known_loc")["computed_with"]["threshold"] == "otsu"
    ran = evaluate("--metrics", "increase_in_confidence", "--class", "truth", "--overwrite")
    assert ran.values()["increase_in_confidence"] == 1 / 5  # now d without its red
    only = evaluate("--metrics", "average_drop", "--class", "truth", "--overwrite").rows[3]["runs"]["rgb.cam"]["rows"]
    assert only["average_drop"]["probability"] == pytest.approx(CHANCES["d.png"][2], rel=1e-5)


def test_numbers_over_classes(evaluate):
    """voc07: at the recalls 0, 0.1 … 1; red's precision is 2/3 at all of them, blue's 1/5."""
    ran = evaluate("--protocol", "voc07", "--metrics", "classification_ap,gt_known_loc,top1_accuracy,corloc")
    assert ran.values() == pytest.approx(
        {
            "classification_ap": (2 / 3 + 1 + 1 / 5) / 3,
            "gt_known_loc": (1 + 0 + 1) / 3,
            "top1_accuracy": (1 + 1 + 0) / 3,
            "corloc": (1 + 0 + 1) / 3,
        },
        abs=1e-6,
    )
    assert ran.report["protocol"]["modified"] == ["--metrics"]
    assert ran.metric("gt_known_loc")["computed_with"]["mean_over"] == "classes"


def test_baselines_are_maps_that_know_nothing(evaluate):
    """The centred map's point is the pixel 15, 15: in b's, c's and e's box it is not, within 15 px of all but d's."""
    ran = evaluate("--metrics", "pointing_game,pointing_game_15px,top1_accuracy,classification_ap", "--baselines")
    centre = ran.metric("pointing_game_15px")["baselines"]["centre"]["value"]
    near = [points(15, 15, *map(int, box.split())) < 15**2 for _, box, _ in ROWS.values()]
    assert centre == pytest.approx(sum(near) / 5)
    inside = [points(15, 15, *map(int, box.split())) == 0 for _, box, _ in ROWS.values()]
    assert ran.metric("pointing_game")["baselines"]["centre"]["value"] == sum(inside) / 5
    assert ran.metric("top1_accuracy")["baselines"] == {}  # which no map changes
    assert set(ran.metric("pointing_game")["baselines"]) == {"centre", "random"}
    bare = evaluate("--metrics", "pointing_game", "--overwrite")
    assert bare.metric("pointing_game")["baselines"] == {}
    assert set(bare.rows[0]["runs"]) == {"rgb.cam"}


def points(x: int, y: int, x0: int, y0: int, x1: int, y1: int) -> int:
    return max(x0 - x, x - x1 + 1, 0) ** 2 + max(y0 - y, y - y1 + 1, 0) ** 2


def test_a_failed_image_is_wrong_wherever_it_could_have_been_right(evaluate, tmp_path):
    torn = (tmp_path / "pics/a.png").read_bytes()[:60] if (tmp_path / "pics/a.png").exists() else b""
    (tmp_path / "pics/f.png").write_bytes(torn)
    table(tmp_path / "more.csv", {**ROWS, "f.png": ("red", "4 4 12 12", "y"), "g.png": ("blue", "0 0 9 9", "y")})
    names = "top1_accuracy,top1_loc,gt_known_loc,gt_known_loc_best,corloc,mean_iou,pointing_game,classification_ap"
    ran = evaluate("--metrics", names, "--by", "camera", data="more.csv")
    assert ran.code == 5
    assert ran.error == (
        "error[ImagesFailed]: 2 of 7 images failed; they count as wrong where they could have been right"
    )
    assert "error[ImageUnreadable]: ./pics/f.png: truncated" in ran.err
    assert "error[ImageUnreadable]: ./pics/g.png: no such file" in ran.err
    assert ran.values() == pytest.approx(
        {
            "top1_accuracy": 4 / 7,
            "top1_loc": 2 / 7,
            "gt_known_loc": 3 / 7,
            "gt_known_loc_best": 4 / 7,
            "corloc": (2 / 3 + 0 + 1 / 2) / 3,
            "mean_iou": 2.9 / 7,
            "pointing_game": 4 / 7,
            # red: d, a = b, e, c and then the two that failed; blue: d is the fifth, g with f comes last
            "classification_ap": (2 / 3 * 2 / 3 + 3 / 7 / 3 + 1 + (2 / 7 / 2 + 2 / 7 / 2)) / 3,
        },
        abs=1e-6,
    )
    report = ran.report
    assert report["dataset"]["failed"] == {"count": 2, "ids": ["pics/f.png", "pics/g.png"]}
    assert report["dataset"]["images"] == 7
    assert ran.group("camera", "y")["gt_known_loc"] == (2 / 4, 4)
    with (ran.folder / "per_image.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert (rows[5]["error"], rows[5]["predicted"], rows[5]["gt_known_loc"]) == ("ImageUnreadable", "", "0")
    assert evaluate("--max-failures", 2, "--metrics", names, "--overwrite", data="more.csv").code == 0
    assert evaluate("--max-failures", "28%", "--metrics", names, "--overwrite", data="more.csv").code == 5
    assert evaluate("--max-failures", "29%", "--metrics", names, "--overwrite", data="more.csv").code == 0


def test_a_model_that_fails_on_an_image_fails_that_image(evaluate, tmp_path):
    paint(tmp_path / "pics/s.png", ("red", (4, 4, 12, 12), 255), sick=True)
    table(tmp_path / "more.csv", {**ROWS, "s.png": ("red", "4 4 12 12", "y")})
    ran = evaluate("--metrics", "gt_known_loc", "--batch-size", 1, data="more.csv", model="tests.painted:failing")
    assert ran.code == 5
    assert ran.report["dataset"]["failed"]["ids"] == ["pics/s.png"]
    assert ran.values() == {"gt_known_loc": 3 / 6}
    assert ran.rows[5]["error"]["kind"] == "ModelFailed"


def test_scores_that_are_not_numbers_are_wrong_last_and_told(evaluate, tmp_path):
    paint(tmp_path / "pics/s.png", ("red", (4, 4, 12, 12), 255), sick=True)
    table(tmp_path / "more.csv", {**ROWS, "s.png": ("red", "4 4 12 12", "y")})
    names = "top1_accuracy,classification_ap,average_drop"
    ran = evaluate("--metrics", names, data="more.csv", model="tests.painted:sick")
    assert ran.code == 0, ran.err
    red = 2 / 3 * 2 / 3 + 3 / 6 / 3  # the third of them comes last of six
    values = ran.values()
    assert values["top1_accuracy"] == pytest.approx(4 / 6, abs=1e-6)
    assert values["classification_ap"] == pytest.approx((red + 1 + 1 / 5) / 3, abs=1e-6)
    assert ran.metric("average_drop")["n"] == 5
    (note,) = ran.report["dataset"]["notes"]
    assert (note["count"], note["where"]) == (1, ["pics/s.png"])
    assert note["what"].startswith("scores_not_finite: ")


def test_numbers_of_groups(evaluate):
    names = "top1_accuracy,gt_known_loc,classification_ap,auroc,location_ap,corloc"
    ran = evaluate("--by", "camera", "--by", "class", "--metrics", names)
    assert ran.code == 0, ran.err
    groups = [(one["column"], one["value"], one["images"]) for one in ran.report["runs"][0]["groups"]]
    assert groups == [
        ("camera", "x", 3), ("camera", "y", 2), ("class", "blue", 1), ("class", "green", 2), ("class", "red", 2),
    ]  # fmt: skip
    assert ran.group("camera", "x")["gt_known_loc"] == (pytest.approx(1 / 3, abs=1e-6), 3)
    assert ran.group("camera", "y") == {
        "top1_accuracy": (0.5, 2),
        "classification_ap": ((0.5 + 0.5) / 2, 2),  # of red and of blue d is taken for the other
        "auroc": (0, 2),
        "gt_known_loc": (1, 2),
        "corloc": (1, 2),
        "location_ap": (0.5, 2),
    }
    by_class = {label: ran.group("class", label) for label in ("red", "green", "blue")}
    assert by_class["red"]["classification_ap"] == (pytest.approx(2 / 3, abs=1e-6), 5)
    assert by_class["blue"]["classification_ap"] == (pytest.approx(1 / 5, abs=1e-6), 5)
    assert by_class["blue"]["auroc"] == (0, 5)
    assert by_class["green"]["gt_known_loc"] == (0, 2)
    for name in ("classification_ap", "auroc", "location_ap", "corloc"):  # means over classes are the means of these
        mean = np.mean([one[name][0] for one in by_class.values()])
        assert mean == pytest.approx(ran.values()[name], abs=1e-5)


def test_a_class_alone_in_images_of_several(evaluate, tmp_path):
    """Of an image of red and blue, the number of red is about red."""
    table(
        tmp_path / "pairs.csv",
        {"d.png": ("red;blue", "red 0 0 4 4;blue 20 20 28 28"), "a.png": ("red", "red 4 4 12 12")},
        "labels,boxes",
    )
    ran = evaluate("--by", "class", "--metrics", "gt_known_loc,top1_accuracy,pointing_game", data="pairs.csv")
    assert ran.values() == pytest.approx({"top1_accuracy": 1, "gt_known_loc": 2 / 3, "pointing_game": 1}, abs=1e-6)
    assert ran.group("class", "red") == {"top1_accuracy": (1, 2), "gt_known_loc": (0.5, 2), "pointing_game": (1, 2)}
    assert ran.group("class", "blue") == {"top1_accuracy": (0, 1), "gt_known_loc": (1, 1), "pointing_game": (1, 1)}


def test_the_files(evaluate):
    ran = evaluate("--metrics", "localisation,classification")
    assert (ran.code, ran.ran.out) == (0, b"out/report.json\n")
    assert files(ran.folder) == sorted(
        [
            "exports.jsonl", "metrics.json", "per_image.csv", "report.html", "report.json", "report.md", "rows.jsonl",
            "run.json", *(f"curves/rgb.cam.{name}.csv" for name in (
                "gt_known_loc", "maxboxacc", "maxboxacc_v2_30", "maxboxacc_v2_50", "maxboxacc_v2_70", "top1_loc",
                "top5_loc",
            )),
        ]
    )  # fmt: skip
    flat = json.loads((ran.folder / "metrics.json").read_text())
    assert flat == ran.values()
    kept = json.loads((ran.folder / "run.json").read_text())
    assert kept["counts"] == {"total": 5, "done": 5, "failed": 0, "flagged": 0}
    assert kept["spec"]["dataset"] == "data.csv"
    assert kept["models"][0]["name"] == NETWORK
    with (ran.folder / "per_image.csv").open() as file:
        rows = {row["id"]: row for row in csv.DictReader(file)}
    assert [row["gt_known_loc"] for row in rows.values()] == ["1", "1", "0", "1", "0"]
    assert rows["pics/d.png"]["predicted"] == "red"
    assert float(rows["pics/e.png"]["iou"]) == pytest.approx(0.4)
    text = (ran.folder / "report.md").read_text()
    assert "| `gt_known_loc` ↑ | `rgb.cam` | **0.600** |" in text
    page = (ran.folder / "report.html").read_text()
    assert page.count("data:image/") >= 5
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_what_people_are_told(evaluate):
    ran = evaluate("--metrics", "top1_loc,gt_known_loc_best,top1_accuracy", "--resamples", 0, "--baselines")
    lines = [line.rstrip() for line in ran.err.splitlines()]
    assert lines[:4] == [
        "data   data.csv (csv): 5 images, 3 classes",
        "model  rgb · tests.painted:rgb · as tests.painted:rgb makes it",
        "method cam: exact for this network",
        "layer  last (Conv2d, 3×32×32, stride 1): what the head pools",
    ]
    assert [line.split() for line in lines[4:8]] == [
        ["metric", "value", "95", "%", "interval", "centre", "random", "n"],
        ["top1_accuracy", "0.800", "–", "–", "5"],
        ["top1_loc", "0.400", "0.000", "0.000", "5"],
        ["gt_known_loc_best", "(hindsight)", "0.800", "0.000", "0.000", "5"],
    ]
    assert lines[8].startswith("done   5 images in ")
    assert lines[8].endswith(" images/s): out")
    assert ran.metric("top1_loc")["ci95"] is None


def test_quiet_json_and_nul(evaluate):
    ran = evaluate("--metrics", "top1_accuracy", "--quiet")
    assert (ran.code, ran.err, ran.ran.out) == (0, "", b"out/report.json\n")
    ran = evaluate("--metrics", "top1_accuracy", "--quiet", "--json", "--overwrite")
    assert ran.ran.out == (ran.folder / "report.json").read_bytes()
    ran = evaluate("--metrics", "top1_accuracy", "--quiet", "--print0", "--overwrite")
    assert ran.ran.out == b"out/report.json\0"


def test_what_the_data_do_not_have_is_said_once_a_reason(evaluate, tmp_path):
    for name, (colour, _, _) in ROWS.items():
        (tmp_path / "classes" / colour).mkdir(parents=True, exist_ok=True)
        (tmp_path / "classes" / colour / name).write_bytes((tmp_path / "pics" / name).read_bytes())
    ran = evaluate(data="classes")
    assert ran.code == 0, ran.err
    assert ran.values() == {"top1_accuracy": 0.8, "top5_accuracy": 1}
    left = [line for line in ran.err.splitlines() if line.startswith("left")]
    assert len(left) == 3
    assert left[0] == "left   classification_ap, auroc: every image has one class; name it to have it all the same"
    assert left[1].startswith("left   top1_loc, top5_loc, gt_known_loc,")
    assert left[1].endswith(": the data have no boxes")
    ran = evaluate("--metrics", "faithfulness", data="classes", out="faith")
    assert ran.code == 0, ran.err
    assert len(ran.values()) == 6
    assert None not in ran.values().values()
    assert evaluate("--metrics", "localisation", data="classes", out="none").error.startswith(
        "error[UsageError]: nothing to compute: top1_loc (the data have no boxes), "
    )


def test_images_without_truth_are_counted_and_in_no_number(evaluate, tmp_path):
    table(tmp_path / "more.csv", {**ROWS, "f.png": ("", "", "x")})
    (tmp_path / "pics/f.png").write_bytes((tmp_path / "pics/d.png").read_bytes())
    names = "top1_accuracy,gt_known_loc,classification_ap,auroc,location_ap"
    ran, other = evaluate("--metrics", names), evaluate("--metrics", names, data="more.csv", out="more")
    assert other.code == 0, other.err
    assert other.values() == ran.values()
    assert other.report["dataset"]["without_truth"] == {"count": 1, "ids": ["pics/f.png"]}
    assert other.report["dataset"]["notes"] == []
    assert {one["n"] for one in other.report["runs"][0]["metrics"]} == {5}
    assert "data   1 × image without truth: pics/f.png" in other.err


def test_an_image_of_none_of_the_classes_is_told_from_them(evaluate, tmp_path):
    """`labels` names all there are: one without any is a negative of each, not an image without truth."""
    rows = {name: (colour, f"{colour} {box}") for name, (colour, box, _) in ROWS.items()}
    table(tmp_path / "several.csv", {**rows, "f.png": ("", "")}, "labels,boxes")
    paint(tmp_path / "pics/f.png", ("red", (0, 0, 32, 32), 255))
    ran = evaluate("--metrics", "classification_ap,location_ap,top1_accuracy", data="several.csv")
    assert ran.report["dataset"]["without_truth"]["count"] == 0
    red = 2 / 4  # after f and d
    assert ran.values() == pytest.approx(
        {"top1_accuracy": 4 / 5, "classification_ap": (red + 1 + 1 / 5) / 3, "location_ap": (red + 1 + 1 / 5) / 3},
        abs=1e-6,
    )
    assert ran.metric("classification_ap")["n"] == 6


def test_classes_the_model_does_not_know_are_left_out_counted_and_listed(evaluate, tmp_path):
    (tmp_path / "labels.txt").write_text("red\ngreen\n")
    ran = evaluate("--metrics", "gt_known_loc,top1_accuracy,classification_ap", model="tests.painted:two")
    assert ran.code == 0, ran.err
    assert (
        "warning: class 'blue' of the data is none of the model's; it is left out, and counted in the report" in ran.err
    )
    assert ran.report["dataset"]["unknown_classes"] == {"count": 1, "names": ["blue"]}
    assert ran.values() == pytest.approx(
        {"top1_accuracy": 1, "classification_ap": (2 / 3 + 1) / 2, "gt_known_loc": 2 / 4}, abs=1e-6
    )
    assert ran.metric("gt_known_loc")["n"] == 4
    assert ran.metric("classification_ap")["n"] == 5  # d is neither red nor green, and says so
    few = evaluate("--metrics", "gt_known_loc", "--limit", 3, model="tests.painted:two", out="few")
    assert few.report["dataset"]["unknown_classes"]["count"] == 0  # blue is not among these images
    table(tmp_path / "blue.csv", {"d.png": ROWS["d.png"]})
    ran = evaluate(model="tests.painted:two", data="blue.csv", out="blue")
    assert ran.code == 4
    assert ran.error.startswith("error[ClassUnknown]: the model knows none of the 1 classes of blue.csv (blue)")


def test_a_class_map_scores_a_group_by_logsumexp(evaluate, tmp_path):
    """warm = red or blue: its score is log(e^r + e^b), its map the gradient of that, red and blue by their softmax."""
    (tmp_path / "map.csv").write_text("class,model\nwarm,red\nwarm,index:2\ngreen,green\n")
    rows = {name: ("green" if one[0] == "green" else "warm", *one[1:]) for name, one in ROWS.items()}
    table(tmp_path / "mapped.csv", rows)
    ran = evaluate(
        "--class-map", "map.csv", "--metrics", "top1_accuracy,gt_known_loc", "--save-maps", data="mapped.csv"
    )
    assert ran.code == 0, ran.err
    row = ran.rows[3]  # d: red 256 pixels, blue 64
    total = EXP(5) + EXP(1.25) + 1
    assert row["probabilities"]["warm"] == pytest.approx((total - 1) / total, rel=1e-5)
    assert row["predictions"] == ["warm", "green"]
    assert ran.values() == pytest.approx({"top1_accuracy": 1, "gt_known_loc": 2 / 5}, abs=1e-6)  # d's box is red's
    with np.load(ran.folder / "maps/pics/d.png.npz") as saved:
        found = saved["warm"]
    red = EXP(5) / (EXP(5) + EXP(1.25))
    blue = np.zeros((32, 32))
    blue[20:28, 20:28] = 1
    np.testing.assert_allclose(found, 20 * (red * raw("d.png", "red") + (1 - red) * blue), rtol=1e-5)
    assert ran.report["dataset"]["class_map"] == "map.csv"


def test_a_class_map_of_other_data_is_refused(evaluate, tmp_path):
    (tmp_path / "map.csv").write_text("class,model\nRed,red\nwarm,blue\n")
    ran = evaluate("--class-map", "map.csv")
    assert ran.code == 3
    assert ran.error == (
        "error[DatasetUnreadable]: --class-map map.csv has none of the classes of data.csv (blue, green, red); its "
        "column class has Red, warm"
    )
    (tmp_path / "map.csv").write_text("class,model\nred,red\nwarm,blue\n")
    ran = evaluate("--class-map", "map.csv", "--metrics", "gt_known_loc")
    assert ran.report["dataset"]["unknown_classes"] == {"count": 2, "names": ["blue", "green"]}
    assert ran.values() == {"gt_known_loc": 1}


def test_a_part_of_the_data(evaluate, tmp_path):
    (tmp_path / "out.txt").write_text("pics/a.png\nc\n\nnot there\n")
    names = "--metrics", "gt_known_loc"
    ran = evaluate(*names, "--exclude", "out.txt")
    assert [row["id"] for row in ran.rows] == ["pics/b.png", "pics/d.png", "pics/e.png"]
    assert ran.report["dataset"]["notes"] == [{"what": "left out by --exclude", "count": 2, "where": []}]
    assert "data   2 left out by --exclude" in ran.err
    ran = evaluate(*names, "--limit", 2, "--overwrite")
    assert [row["id"] for row in ran.rows] == ["pics/a.png", "pics/b.png"]
    samples = [
        [row["id"] for row in evaluate(*names, "--sample", 3, "--seed", seed, "--overwrite").rows]
        for seed in (0, 0, 1, 2, 3)
    ]
    assert samples[0] == samples[1]
    assert len({tuple(one) for one in samples}) > 1
    assert all(one == sorted(one) and len(one) == 3 for one in samples)
    assert len(evaluate(*names, "--sample", 9, "--overwrite").rows) == 5
    (tmp_path / "all.txt").write_text("\n".join(["a", "b", "c", "d", "e"]))
    assert evaluate(*names, "--exclude", "all.txt", "--overwrite").error == (
        "error[InputEmpty]: data.csv: no image is left of 5"
    )
    (tmp_path / "none.txt").write_text("z.png\n")
    assert evaluate(*names, "--exclude", "none.txt", "--overwrite").error == (
        "error[InputEmpty]: --exclude none.txt: none of its 1 lines is the id of an image"
    )


def test_two_models_with_other_classes_side_by_side(evaluate, tmp_path):
    """One knows no blue. What is compared is told over the same images, and each model's rows are its own."""
    table(
        tmp_path / "indices.csv", {n: (str(("red", "green", "blue").index(c)), b, k) for n, (c, b, k) in ROWS.items()}
    )
    models = "-m", "all=tests.painted:rgb", "-m", "less=tests.painted:two"
    ran = evaluate(*models, "--metrics", "gt_known_loc,top1_accuracy", data="indices.csv", model=None)
    assert ran.code == 0, ran.err
    assert [run["run"] for run in ran.report["runs"]] == ["all.cam", "less.cam"]
    assert ran.values(0) == {"gt_known_loc": 0.6, "top1_accuracy": 0.8}
    assert ran.values(1) == {"gt_known_loc": 0.5, "top1_accuracy": 1}
    assert [one["n"] for one in ran.report["runs"][1]["metrics"]] == [4, 4]
    assert ran.report["dataset"]["unknown_classes"] == {"count": 1, "names": ["2"]}
    assert [(row["id"], row["model"]) for row in ran.rows[:4]] == [
        ("pics/a.png", "all"), ("pics/a.png", "less"), ("pics/b.png", "all"), ("pics/b.png", "less"),
    ]  # fmt: skip
    (change,) = (one for one in ran.report["comparisons"] if one["metric"] == "gt_known_loc")
    assert (change["a"], change["b"], change["n"]) == ("all.cam", "less.cam", 4)
    assert change["difference"] == pytest.approx(0.1)
    flat = json.loads((ran.folder / "metrics.json").read_text())
    assert flat["less.cam.top1_accuracy"] == 1
    alone = evaluate("-m", "tests.painted:two", "--metrics", "gt_known_loc,top1_accuracy", data="indices.csv",
                     model=None, out="alone")  # fmt: skip
    for mine, theirs in zip(alone.report["runs"][0]["metrics"], ran.report["runs"][1]["metrics"], strict=True):
        assert mine == theirs


def test_methods_and_layers_side_by_side(evaluate):
    methods = "--method", "cam", "--method", "gradcam", "--method", "centre"
    ran = evaluate(*methods, "--layer", "first", "--layer", "last",
                   "--metrics", "gt_known_loc", "--resamples", 50)  # fmt: skip
    names = ["rgb.cam", "rgb.gradcam.first", "rgb.gradcam.last", "rgb.centre"]
    assert [run["run"] for run in ran.report["runs"]] == names
    assert [run["layers"] for run in ran.report["runs"]] == [["last"], ["first"], ["last"], []]
    assert [ran.values(place)["gt_known_loc"] for place in range(4)] == [0.6, 0.6, 0.6, 0]
    pairs = {(one["a"], one["b"]): (one["difference"], one["ci95"]) for one in ran.report["comparisons"]}
    assert len(pairs) == 6
    assert pairs["rgb.cam", "rgb.gradcam.first"] == (0, [0, 0])
    assert pairs["rgb.cam", "rgb.centre"] == (0.6, ran.metric("gt_known_loc")["ci95"])
    assert "| `gt_known_loc` | `rgb.cam` − `rgb.centre` | **+0.600** |" in (ran.folder / "report.md").read_text()


def test_a_checkpoint_names_its_classes(evaluate, tmp_path):
    import torch

    from tests.painted import Rgb

    state = Rgb((1, 0, 2)).state_dict()
    torch.save({"state_dict": state, "classes": ["green", "red", "blue"]}, tmp_path / "net.pth")
    for model in (("-m", NETWORK, "--checkpoint", "net.pth"), ("-m", f"mine={NETWORK}@net.pth")):
        ran = evaluate(*model, "--metrics", "gt_known_loc,top1_accuracy", "--overwrite", model=None)
        assert ran.values() == {"gt_known_loc": 0.6, "top1_accuracy": 0.8}
    assert ran.report["runs"][0]["run"] == "mine.cam"
    assert ran.report["runs"][0]["weights"] == "net.pth"


@pytest.mark.parametrize(
    "protocol", ["camtool", "wsol", "ilsvrc", "cam2016", "gradcam2017", "torchray", "oquab2015", "voc07", "voc12"]
)
def test_every_protocol(evaluate, protocol):
    ran = evaluate("--protocol", protocol, "--limit", 3)
    assert ran.code == 0, ran.err
    kept = ran.report["protocol"]
    assert (kept["name"], kept["modified"]) == (protocol, [])
    assert kept["fit"] == ("keep" if protocol == "torchray" else "squash")
    assert kept["size"] == (224 if protocol in ("wsol", "torchray") else None)
    assert kept["threshold"] == (0.15 if protocol == "gradcam2017" else 0.2)
    assert ran.report["runs"][0]["method"] == ("gradcam" if protocol in ("gradcam2017", "torchray") else "cam")
    assert None not in ran.values().values()
    expected = {
        "wsol": {"top1_accuracy", "maxboxacc", "maxboxacc_v2"},
        "torchray": {"pointing_game", "pointing_game_15px"},
        "oquab2015": {"classification_ap", "location_ap"},
        "voc12": {"classification_ap", "corloc", "location_ap"},
    }  # also where images have one class each: a publication that names a number asks for it
    assert set(ran.values()) == expected.get(protocol, set(ran.values()))


@pytest.mark.parametrize(
    ("arguments", "modified"),
    [
        (("--protocol", "gradcam2017", "--threshold", "0.15"), []),
        (("--protocol", "gradcam2017", "--threshold", "0.2"), ["--threshold"]),
        (("--protocol", "wsol", "--size", "64", "--method", "gradcam"), ["--size", "--method"]),
        (("--protocol", "torchray", "--fit", "squash"), ["--fit"]),
        (("--protocol", "oquab2015", "--tolerance", "9", "--tolerance-in", "input"), ["--tolerance", "--tolerance-in"]),
        (("--threshold", "0.5", "--fit", "pad"), []),
    ],
)
def test_what_is_not_as_published_is_marked(evaluate, arguments, modified):
    ran = evaluate(*arguments, "--resamples", 0, "--limit", 2)
    assert ran.report["protocol"]["modified"] == modified


def test_truth_in_pixels_of_another_size_and_a_turned_picture(evaluate, tmp_path):
    """The table's size is twice the picture's: boxes are halved, and that is counted."""
    rows = {
        name: (colour, " ".join(str(2 * int(edge)) for edge in box.split()), c)
        for name, (colour, box, c) in ROWS.items()
    }
    table(tmp_path / "twice.csv", rows, size=64)
    ran = evaluate("--metrics", "gt_known_loc,mean_iou", data="twice.csv")
    assert ran.values() == pytest.approx({"gt_known_loc": 0.6, "mean_iou": 0.58})
    (note,) = ran.report["dataset"]["notes"]
    assert (note["what"], note["count"]) == ("annotation of another size than its picture; scaled to it", 5)


def test_the_worst_come_first_and_the_best_are_kept(evaluate):
    ran = evaluate("--metrics", "gt_known_loc,top1_loc")
    cases = data_of((ran.folder / "report.html").read_bytes())["cases"]
    assert [one["id"][5] for one in cases] == ["c", "e", "b", "a", "d"]
    assert [one["score"] for one in cases] == [0, 0.4, 0.5, 1, 1]
    assert [one["right"] for one in cases] == [False, False, True, True, True]
    assert cases[1]["found"] == [[8, 8, 16, 28]]
    assert cases[1]["truth"] == [[8, 8, 16, 16]]
    assert cases[4]["predicted"] == ["red", "blue", "green"]
    assert (cases[4]["label"], cases[4]["found"]) == ("blue", [[20, 20, 28, 28]])
