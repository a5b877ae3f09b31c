"""Bars, baselines and exit codes of whole evaluations."""

import json
import shutil

import jsonschema
import numpy as np
import pytest

from cam_cli.outputs.report.schema import report_schema
from tests.painted import ROWS, paint, raw, table

NAMES = "--metrics", "gt_known_loc,top1_accuracy,mean_iou"


@pytest.fixture
def maps(tmp_path):
    """`maps("new", a=0 * …)`: a folder of the network's own maps, but for those given."""

    def make(folder: str, **others: np.ndarray) -> str:
        for name, (colour, _, _) in ROWS.items():
            path = tmp_path / folder / "pics" / f"{name}.npy"
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, others.get(name[0], raw(name, colour)))
        return folder

    return make


def test_a_gate_that_holds_and_one_that_falls(evaluate):
    ran = evaluate(*NAMES, "--fail-under", "gt_known_loc=0.6", "--fail-under", "rgb/cam:top1_accuracy=0.8")
    assert (ran.code, "error" in ran.err) == (0, False)
    assert [(one["passed"], one["why"]) for one in ran.report["gates"]] == [(True, "0.6 ≥ 0.6"), (True, "0.8 ≥ 0.8")]
    ran = evaluate(*NAMES, "--fail-under", "gt_known_loc=0.6", "--fail-over", "mean_iou=0.5", "--overwrite")
    assert ran.code == 7
    assert ran.error == (
        "error[GateFailed]: 1 of 2 gates fell, first rgb.cam: --fail-over mean_iou=0.5 (0.58 > 0.5); see "
        "out/report.json"
    )
    table_lines = [" ".join(line.split()) for line in ran.err.splitlines()]
    assert "fell --fail-over mean_iou=0.5 rgb.cam mean_iou 0.58 > 0.5" in table_lines
    assert ran.ran.out == b"out/report.json\n"  # written first
    text = (ran.folder / "report.md").read_text()
    assert text.index("## Gates") < text.index("## Numbers")


def test_a_gate_about_a_number_that_was_not_asked_for_has_it_computed(evaluate):
    ran = evaluate("--metrics", "top1_accuracy", "--fail-under", "corloc=0.6", "--fail-under", "auroc=0.5")
    assert ran.code == 0
    assert set(ran.values()) == {"top1_accuracy", "corloc", "auroc"}


def test_a_gate_that_cannot_be_computed_falls(evaluate):
    ran = evaluate(*NAMES, "--fail-under", "pxap=0", "--fail-under", "gt_known_loc_calibrated=0")
    assert ran.code == 7
    assert [(one["run"], one["value"], one["why"]) for one in ran.report["gates"]] == [
        ("rgb.cam", None, "not computed: the data have no masks"),
        ("rgb.cam", None, "not computed: nothing that was asked for gives it"),
    ]
    assert "pxap" in (ran.folder / "report.html").read_text()


def test_a_gate_over_nothing_falls(evaluate, tmp_path):
    """Of these images nobody knows the class, but the others of the data have one."""
    table(tmp_path / "none.csv", {"a.png": ("", "", ""), "b.png": ("red", "4 4 12 20", "")})
    ran = evaluate("--limit", 1, "--fail-under", "top1_accuracy=0", data="none.csv")
    assert ran.code in (2, 7)
    (tmp_path / "labels.txt").write_text("red\ngreen\n")
    table(tmp_path / "blue.csv", {"d.png": ROWS["d.png"], "a.png": ("green", "", "")})
    ran = evaluate("--fail-under", "gt_known_loc=0", data="blue.csv", model="tests.painted:two", out="blue")
    assert ran.code == 7
    assert ran.report["gates"][0]["why"] == "not computed (n = 0)"


def test_both_a_gate_and_an_image_failed(evaluate, tmp_path):
    table(tmp_path / "more.csv", {**ROWS, "none.png": ("red", "0 0 4 4", "x")})
    both = evaluate(*NAMES, "--fail-under", "gt_known_loc=0.9", data="more.csv")
    assert (both.code, both.error[:17]) == (7, "error[GateFailed]")
    assert evaluate(*NAMES, "--fail-under", "gt_known_loc=0.5", "--overwrite", data="more.csv").code == 5
    allowed = "--fail-under", "gt_known_loc=0.9", "--max-failures", 1, "--overwrite"
    assert evaluate(*NAMES, *allowed, data="more.csv").code == 7
    taken = evaluate(*NAMES, "--fail-under", "gt_known_loc=0.9", data="more.csv")
    assert (taken.code, taken.error[:20]) == (6, "error[OutputRefused]")


@pytest.mark.parametrize("significant", [False, True])
def test_a_change_of_one_image_shows_exactly(evaluate, maps, significant):
    """Before, a's map was right. A resample's difference is −(how often a is drawn) / 5, so its interval is known."""
    old = evaluate("--maps", maps("right"), *NAMES[:1], "gt_known_loc,mean_iou", out="old")
    assert old.values() == {"gt_known_loc": 0.6, "mean_iou": 0.58}
    wrong = np.zeros((32, 32), np.float32)
    wrong[20:30, 20:30] = 1
    told = ("--significant",) if significant else ()
    names = "--metrics", "gt_known_loc,mean_iou", "--resamples", 1000
    bars = "--baseline", "old", "--max-drop", "0.1", *told
    new = evaluate("--maps", maps("wrong", a=wrong), *names, *bars, out="new")
    assert (old.code, new.code) == (0, 0 if significant else 7)
    changes = {one["metric"]: one for one in new.report["changes"]}
    rng = np.random.default_rng(0)
    drawn = [np.bincount(rng.integers(5, size=5), minlength=5)[0] for _ in range(1000)]
    ends = np.percentile(-np.array(drawn) / 5, [2.5, 97.5])
    for one in changes.values():
        assert one["difference"] == pytest.approx(-0.2, abs=1e-6)
        assert one["ci95"] == pytest.approx(ends, abs=1e-6)
        assert (one["n"], one["baseline"], one["run"]) == (5, "old", "maps")
    assert (changes["gt_known_loc"]["before"], changes["gt_known_loc"]["after"]) == (0.6, 0.4)
    assert ends[1] == 0  # a may not be drawn at all: it may be chance
    why = new.report["gates"][0]["why"]
    assert why.startswith("gt_known_loc: 0.6 → 0.4, a change of -0.2 [")
    assert why.endswith("which may be chance") == significant


def test_nothing_changed_is_a_change_of_exactly_0(evaluate, maps):
    """The same maps from files and from the model that made them."""
    evaluate("--maps", maps("right"), "--metrics", "localisation", out="old")
    bars = [
        part for name in ("gt_known_loc", "maxboxacc_v2", "energy_pointing") for part in ("--max-drop", f"{name}=0")
    ]
    new = evaluate("--metrics", "localisation", "--baseline", "old", *bars, out="new")
    assert new.code == 0, new.err
    told = {one["metric"]: one for one in new.report["changes"]}
    unknown = {name for name, one in told.items() if one["before"] is None}
    assert unknown == {"top1_loc", "top5_loc", "top1_loc_best", "top5_loc_best"}  # nobody said what was predicted
    for name in set(told) - unknown:
        assert (told[name]["difference"], told[name]["ci95"]) == (0, [0, 0])
    assert set(told) == set(new.values())
    assert {one["run"] for one in told.values()} == {"rgb.cam"}


def test_only_images_of_both_are_compared(evaluate, maps, tmp_path):
    """a, which the baseline had right, is not in this run; b, c are not in the baseline."""
    table(tmp_path / "old.csv", {name: ROWS[name] for name in ("a.png", "d.png", "e.png")})
    table(tmp_path / "new.csv", {name: ROWS[name] for name in ("e.png", "b.png", "c.png", "d.png")})
    old = evaluate("--maps", maps("right"), "--metrics", "gt_known_loc", data="old.csv", out="old")
    assert (old.code, old.values()) == (0, {"gt_known_loc": pytest.approx(2 / 3, abs=1e-6)}), old.err
    new = evaluate("--maps", "right", "--metrics", "gt_known_loc", "--baseline", "old", data="new.csv", out="new")
    (one,) = new.report["changes"]
    assert (one["before"], one["after"], one["n"]) == (0.5, 0.5, 2)
    assert new.values() == {"gt_known_loc": 0.5}
    table(tmp_path / "none.csv", {"b.png": ROWS["b.png"]})
    ran = evaluate("--maps", "right", "--baseline", "old", data="none.csv", out="none")
    assert (ran.code, ran.error) == (
        2, "error[UsageError]: --baseline old has none of these images; evaluate the same data",
    )  # fmt: skip


def test_of_several_runs_each_is_held_against_its_own(evaluate):
    """What the baseline does not have falls: it cannot be told."""
    both = "--method", "cam", "--method", "centre", "--metrics", "gt_known_loc,top1_accuracy"
    evaluate(*both, out="old")
    new = evaluate("-m", "tests.painted:rgb", "--labels", "labels.txt", *both, "--method", "random",
                   "--baseline", "old", "--max-drop", "gt_known_loc=0", model=None, out="new")  # fmt: skip
    assert new.code == 7
    assert [(one["run"], one["passed"], one["why"]) for one in new.report["gates"]] == [
        ("rgb.cam", True, "0.6 → 0.6, a change of +0 [+0, +0]"),
        ("rgb.centre", True, "0 → 0, a change of +0 [+0, +0]"),
        ("rgb.random", False, "the baseline has no such number"),
    ]
    assert {one["run"] for one in new.report["changes"]} == {"rgb.cam", "rgb.centre"}
    named = "--max-drop", "rgb/centre:gt_known_loc=0"
    assert evaluate(*both, "--method", "random", "--baseline", "old", *named, out="named").code == 0


def test_a_number_that_the_baseline_lacks_falls(evaluate):
    evaluate("--metrics", "gt_known_loc", out="old")
    new = evaluate("--metrics", "gt_known_loc,corloc,top1_accuracy", "--baseline", "old", "--max-drop", 1, out="new")
    assert new.code == 7
    assert [(one["metric"], one["passed"]) for one in new.report["gates"]] == [
        ("top1_accuracy", False), ("gt_known_loc", True), ("corloc", False),
    ]  # fmt: skip
    lacking = next(one for one in new.report["changes"] if one["metric"] == "corloc")
    assert (lacking["before"], lacking["difference"], lacking["ci95"], lacking["n"]) == (None, None, None, 0)
    assert lacking["after"] == pytest.approx(2 / 3, abs=1e-6)


def test_rows_of_a_baseline_without_a_calibrated_threshold_have_no_such_number(evaluate, tmp_path):
    paint(tmp_path / "pics/other.png", ("red", (4, 4, 12, 12), 255), ("red", (4, 12, 12, 30), 100))
    table(tmp_path / "other.csv", {"other.png": ("red", "4 4 12 12", "")})
    evaluate("--metrics", "gt_known_loc", out="old")
    new = evaluate("--metrics", "gt_known_loc_calibrated", "--threshold", "calibrated:other.csv", "--baseline", "old",
                   out="new")  # fmt: skip
    (one,) = new.report["changes"]
    assert (one["before"], one["after"], one["n"]) == (None, 0.8, 0)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        (("--threshold", "0.3"), "threshold 0.2, this run with 0.3"),
        (("--threshold", "otsu"), "threshold 0.2, this run with otsu"),
        (("--tolerance", "3"), "tolerance 18, this run with 3.0"),
        (("--tolerance-in", "input"), "tolerance_in original, this run with input"),
        (("--protocol", "voc07"), "interpolation voc12, this run with voc07"),
        (("--protocol", "voc12"), "by_class False, this run with True"),
        (("--class", "truth"), "class top, this run with truth"),
    ],
)
def test_a_baseline_by_other_rules_is_refused(evaluate, arguments, rule):
    if not (shared := evaluate("--metrics", "gt_known_loc", "--resamples", 0, out="old")).code:
        ran = evaluate(*arguments, "--baseline", "old", out="new")
        assert (ran.code, ran.error) == (
            2, f"error[UsageError]: --baseline old was computed with {rule}; use the same",
        )  # fmt: skip
        assert not ran.folder.exists()
    assert shared.code == 0


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (lambda old: shutil.rmtree(old), "cannot be read (No such file or directory); name an output folder"),
        (lambda old: (old / "report.json").unlink(), "old/report.json cannot be read (No such file or directory)"),
        (lambda old: (old / "report.json").write_text("{"), "old/report.json cannot be read ("),
        (lambda old: (old / "report.json").write_text("[" * 100000), "old/report.json cannot be read ("),
        (lambda old: (old / "report.json").write_text("[]"), "old/report.json is no report of `camtool evaluate`"),
        (lambda old: (old / "report.json").write_text('{"schema": "camtool.report/2"}'), "is no report of"),
        (lambda old: (old / "rows.jsonl").unlink(), "old/rows.jsonl: No such file or directory"),
        (lambda old: (old / "rows.jsonl").write_text("{}\n"), "old/rows.jsonl, row 1: not a row of"),
    ],
)
def test_a_baseline_that_cannot_be_read(evaluate, tmp_path, broken, told):
    evaluate("--metrics", "top1_accuracy", "--resamples", 0, out="old")
    broken(tmp_path / "old")
    ran = evaluate("--baseline", "old", out="new")
    assert (ran.code, ran.error[:24]) == (3, "error[ReportUnreadable]:")
    assert told in ran.error
    assert not ran.folder.exists()


def test_several_gates_at_once_in_a_report_that_is_valid(evaluate):
    evaluate("--metrics", "localisation,classification,faithfulness", "--resamples", 20, out="old")
    ran = evaluate("--metrics", "localisation,classification,faithfulness", "--resamples", 20, "--baseline", "old",
                   "--max-drop", 0, "--max-drop", "deletion_auc=0", "--fail-over", "average_drop=0.5",
                   "--fail-under", "rgb/cam:adcc=0.99", "--significant", out="new")  # fmt: skip
    assert ran.code == 7
    fallen = [one for one in ran.report["gates"] if not one["passed"]]
    assert [one["gate"] for one in fallen] == ["--fail-under rgb/cam:adcc=0.99"]
    jsonschema.validate(json.loads((ran.folder / "report.json").read_text()), report_schema())
    assert (ran.folder / "report.md").read_text().splitlines()[2].startswith("❌ **1 of ")
