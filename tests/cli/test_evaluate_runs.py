"""How an evaluation runs: twice the same, calibrated, stopped, refused."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tests.painted import NETWORK, ROWS, paint, table

from .test_explain import environment, files

FEW = "--metrics", "gt_known_loc,top1_accuracy", "--resamples", "20"


def without_time(report: bytes) -> bytes:
    head, timing, _ = report.partition(b'"timing"')
    assert timing
    return head


def test_two_runs_are_the_same_but_for_the_time(evaluate, tmp_path):
    """Every file but run.json; of report.json and of the report in report.html what is in front of `timing`, of
    exports.jsonl all lines, which come as files are written."""
    names = "energy_pointing,maxboxacc_v2,classification,average_drop"
    given = "--metrics", names, "--by", "camera", "--save-maps", "--baselines", "--limit", 3, "--seed", 3
    first = evaluate(*given)
    (tmp_path / "out").rename(tmp_path / "kept")
    second = evaluate(*given, "--batch-size", 2, "--workers", 3)
    assert (first.code, second.code) == (0, 0)
    names = files(tmp_path / "kept")
    assert files(tmp_path / "out") == names
    differ = {
        name for name in names if (tmp_path / "kept" / name).read_bytes() != (tmp_path / "out" / name).read_bytes()
    }
    assert differ <= {"run.json", "report.json", "report.html", "exports.jsonl"}
    lines = [sorted((tmp_path / folder / "exports.jsonl").read_text().splitlines()) for folder in ("kept", "out")]
    assert lines[0] == lines[1]
    for name in ("report.json", "report.html"):
        one, other = ((tmp_path / folder / name).read_bytes() for folder in ("kept", "out"))
        assert without_time(one) == without_time(other)
    one, other = ((tmp_path / folder / "report.html").read_bytes().split(b'"timing"')[1] for folder in ("kept", "out"))
    assert one.partition(b"}")[2] == other.partition(b"}")[2]
    third = evaluate(*given[:-1], 4, out="third")
    assert third.values() == second.values()
    told = [ran.metric("energy_pointing") for ran in (second, third)]
    assert told[0]["ci95"] != told[1]["ci95"]
    assert told[0]["baselines"]["centre"]["value"] == told[1]["baselines"]["centre"]["value"]
    assert told[0]["baselines"]["random"]["value"] != told[1]["baselines"]["random"]["value"]


def test_the_parts_of_a_dataset_are_the_whole(evaluate, tmp_path):
    """Rows of two runs put together are those of one; `tests/tasks/test_reporting.py` has their numbers."""
    names = "--metrics", "localisation,classification,classification_ap,auroc,location_ap", "--baselines"
    (tmp_path / "first.txt").write_text("a\nb\n")
    (tmp_path / "second.txt").write_text("c\nd\ne\n")
    whole = evaluate(*names)
    parts = [evaluate(*names, "--exclude", f"{one}.txt", out=one).rows for one in ("second", "first")]
    assert parts[0] + parts[1] == whole.rows


@pytest.fixture
def other(tmp_path):
    """`other(level)`: a table of a picture whose true part is all above that level: 0 … 255."""

    def make(level: int, name: str = "other") -> str:
        paint(tmp_path / f"pics/{name}.png", ("red", (4, 4, 12, 12), 255), ("red", (4, 12, 12, 30), level))
        table(tmp_path / f"{name}.csv", {f"{name}.png": ("red", "4 4 12 12", "")})
        return f"calibrated:{name}.csv"

    return make


@pytest.mark.parametrize(("level", "threshold", "right"), [(50, 0.2, 3), (100, 0.4, 4), (200, 0.79, 3)])
def test_a_threshold_chosen_on_other_data(evaluate, other, tmp_path, level, threshold, right):
    """The first threshold at which the other picture is right. Measured: a, b, d at every one; e from 0.4 on; f below
    0.785; c never. What the measured images would have liked best plays no part."""
    paint(
        tmp_path / "pics/f.png", ("blue", (0, 0, 4, 4), 255), ("blue", (4, 0, 8, 4), 200), ("blue", (0, 4, 8, 8), 200)
    )
    table(tmp_path / "more.csv", {**ROWS, "f.png": ("blue", "0 0 8 8", "")})
    ran = evaluate("--threshold", other(level), "--metrics", "gt_known_loc,gt_known_loc_best,gt_known_loc_calibrated",
                   data="more.csv")  # fmt: skip
    assert ran.code == 0, ran.err
    expected = {0.2: 4, 0.4: 5, 0.79: 4}[threshold]
    assert right == expected - 1
    found = ran.metric("gt_known_loc_calibrated")
    assert found["computed_with"]["threshold"] == threshold
    assert found["computed_with"]["chosen_on"] == "other.csv (n = 1)"
    assert (found["value"], found["n"], found["oracle"]) == (pytest.approx(expected / 6, abs=1e-6), 6, False)
    assert ran.values()["gt_known_loc"] == pytest.approx(4 / 6, abs=1e-6)  # at 0.2, all the same
    assert f"chosen threshold {threshold:.2f} for rgb.cam, on other.csv (n = 1)" in ran.err
    assert ran.report["protocol"]["calibrated_on"] == "other.csv"
    assert ran.report["protocol"]["threshold"] == 0.2
    assert ran.report["dataset"]["images"] == 6


def test_every_run_has_a_threshold_of_its_own(evaluate, other):
    ran = evaluate("--threshold", other(100), "--method", "cam", "--method", "centre", "--baselines",
                   "--metrics", "gt_known_loc_calibrated")  # fmt: skip
    chosen = [run["metrics"][0]["computed_with"]["threshold"] for run in ran.report["runs"]]
    assert chosen[0] == 0.4
    assert chosen[1] != 0.4
    assert ran.err.count("chosen threshold") == 4  # and of both baselines


def test_maps_in_files_are_calibrated_too(evaluate, other, tmp_path):
    told = other(100)
    evaluate("--save-maps", "--metrics", "gt_known_loc", out="one")
    evaluate("--save-maps", "--metrics", "gt_known_loc", data="other.csv", out="two")
    (tmp_path / "two/maps/pics/other.png.npz").rename(tmp_path / "one/maps/pics/other.png.npz")
    ran = evaluate("--maps", "one/maps", "--threshold", told, "--metrics", "gt_known_loc_calibrated")
    assert ran.values() == {"gt_known_loc_calibrated": 0.8}


def test_calibration_that_cannot_be(evaluate, other, tmp_path):
    told = other(100)
    refused = {
        (
            "--threshold",
            "calibrated:data.csv",
        ): "5 images of it measured too (pics/a.png, pics/b.png, pics/c.png, pics/d.png, "
        "pics/e.png); choose it on others",
        (
            "--threshold",
            told,
            "--metrics",
            "top1_accuracy",
        ): "is for gt_known_loc_calibrated, which is not asked for; drop it",
        ("--threshold", "calibrated:"): "--threshold calibrated:DATASET names the data it is chosen on",
        (
            "--metrics",
            "gt_known_loc_calibrated",
        ): "--metrics gt_known_loc_calibrated needs --threshold calibrated:DATASET",
    }
    for given, message in refused.items():
        ran = evaluate(*given)
        assert (ran.code, message in ran.error) == (2, True), ran.err
    table(tmp_path / "boxless.csv", {"other.png": ("red", "", "")})
    ran = evaluate("--threshold", "calibrated:boxless.csv")
    assert (ran.code, "no image there has a box, so no threshold can be chosen" in ran.error) == (2, True)
    ran = evaluate("--threshold", told, data="boxless.csv")
    assert (ran.code, "cannot be computed: the data have no boxes; drop it" in ran.error) == (2, True)
    assert not ran.folder.exists()
    assert evaluate("--threshold", told, "--by", "camera", *FEW[:1], "gt_known_loc_calibrated").code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_keeps_its_rows_and_has_no_report(evaluate, monkeypatch, number, code):
    """Ctrl-C while it goes: what was in hand is finished. What fails besides plays no part."""
    from cam_cli.outputs.rows import RowBook

    added = RowBook.add
    seen = []

    def add(book, row):
        added(book, row)
        seen.append(row)
        if len(seen) == 1:
            signal.raise_signal(number)

    monkeypatch.setattr(RowBook, "add", add)
    ran = evaluate(*FEW, "--batch-size", 1, "--workers", 1, "--fail-under", "gt_known_loc=1")
    assert ran.code == code
    assert files(ran.folder) == ["exports.jsonl", "rows.jsonl", "run.json"]
    assert 1 <= len(ran.rows) < 5
    assert ran.ran.out == b""
    kept = json.loads((ran.folder / "run.json").read_text())
    assert kept["counts"] == {"total": 5, "done": len(ran.rows), "failed": 0, "flagged": 0}
    assert ran.err.splitlines()[-1].endswith(f": out; stopped, {5 - len(ran.rows)} not done")
    monkeypatch.undo()


def test_a_stopped_run_can_be_begun_again(evaluate, tmp_path, monkeypatch):
    from cam_cli.outputs.rows import RowBook

    signals = iter([signal.SIGTERM])
    monkeypatch.setattr(RowBook, "add", lambda book, row: [*map(signal.raise_signal, signals)])
    assert evaluate(*FEW).code == 143
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert evaluate(*FEW).code == 6  # somebody's run
    again = evaluate(*FEW, "--overwrite")
    assert (again.code, len(again.rows)) == (0, 5)


def test_stopped_while_a_threshold_is_chosen(evaluate, other, monkeypatch):
    from cam_cli.cli.console import Terminal

    judged, signals = Terminal.judged, iter([signal.SIGINT])

    def stop(*given):
        judged(*given)
        for number in signals:
            signal.raise_signal(number)

    monkeypatch.setattr(Terminal, "judged", stop)
    ran = evaluate("--threshold", other(100), "--metrics", "gt_known_loc_calibrated")
    assert ran.code == 130
    assert not (ran.folder / "report.json").exists()
    assert "chosen" not in ran.err


def test_a_signal_before_there_is_anything_to_finish_touches_nothing(evaluate, monkeypatch):
    from cam_cli.tasks import evaluation

    opened = evaluation.opened
    monkeypatch.setattr(evaluation, "opened", lambda *given: signal.raise_signal(signal.SIGINT) or opened(*given))
    ran = evaluate(*FEW)
    assert (ran.code, ran.folder.exists()) == (130, False)


def test_what_is_written_when_writing_fails(evaluate, monkeypatch):
    """6 comes before 7 and 5."""
    from cam_cli.errors import OutputFailed
    from cam_cli.outputs.rows import RowBook

    def full(book, row):
        raise OutputFailed("cannot write out/rows.jsonl: No space left on device")

    monkeypatch.setattr(RowBook, "add", full)
    ran = evaluate(*FEW, "--fail-under", "gt_known_loc=1")
    assert (ran.code, ran.error) == (6, "error[OutputFailed]: cannot write out/rows.jsonl: No space left on device")


def test_the_output_folder(evaluate, camtool, tmp_path):
    assert evaluate(*FEW).code == 0
    ran = evaluate(*FEW)
    assert (ran.code, ran.error) == (
        6, "error[OutputRefused]: out holds another run's results; --resume completes it if it is the same run, "
        "--overwrite replaces them, or choose another -o",
    )  # fmt: skip
    (tmp_path / "out/mine.txt").write_text("mine")
    (tmp_path / "out/curves/mine.csv").write_text("mine")
    assert evaluate("--metrics", "top1_accuracy", "--overwrite").code == 0
    assert files(tmp_path / "out") == [
        "curves/mine.csv", "exports.jsonl", "metrics.json", "mine.txt", "per_image.csv", "report.html", "report.json",
        "report.md", "rows.jsonl", "run.json",
    ]  # fmt: skip
    assert camtool("gradcam", "pics/a.png", "-m", NETWORK, "-o", "out", "--overwrite").code == 0
    assert files(tmp_path / "out") == [
        "a.gradcam.png",
        "curves/mine.csv",
        "mine.txt",
        "results.csv",
        "results.jsonl",
        "run.json",
    ]


@pytest.mark.parametrize(
    "name", ["rows.jsonl", "report.json", "report.md", "report.html", "metrics.json", "per_image.csv"]
)
def test_somebodys_own_file_is_not_replaced_and_that_is_said_at_once(evaluate, tmp_path, name):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    ran = evaluate(*FEW)
    assert ran.code == 6
    assert f"out/{name} exists and no run recorded it; --overwrite replaces it" in ran.error
    assert files(tmp_path / "out") == [name]
    assert "model " not in ran.err
    assert evaluate(*FEW, "--overwrite").code == 0


def test_what_is_read_is_not_written_over(evaluate, tmp_path):
    (tmp_path / "cells").mkdir()
    for name in ROWS:
        (tmp_path / "cells" / name).write_bytes((tmp_path / "pics" / name).read_bytes())
    evaluate(*FEW, out="old")
    (tmp_path / "old/more.csv").write_text((tmp_path / "data.csv").read_text().replace("pics/", "../pics/"))
    (tmp_path / "old/labels.txt").write_text("red\ngreen\nblue\n")
    refused = [
        ("--baseline", "old", "-o", "old", "--overwrite"),
        ("--labels", "old/labels.txt", "-o", "old", "--overwrite"),
        ("--exclude", "old/labels.txt", "-o", "old", "--overwrite"),
        ("--images", "pics", "-o", "pics"),
    ]
    for given in refused:
        ran = evaluate(*given, out="new")
        assert (ran.code, "holds what is read here" in ran.error) == (6, True), ran.err
    ran = evaluate("--overwrite", data="old/more.csv", out="old")
    assert (ran.code, "-o old holds what is read here (old/more.csv)" in ran.error) == (6, True)
    assert evaluate(*FEW, data="old/more.csv", out="new").code == 0
    table(tmp_path / "inside.csv", ROWS)
    (tmp_path / "inside.csv").write_text((tmp_path / "inside.csv").read_text().replace("pics/", "new/pics/"))
    (tmp_path / "new/pics").mkdir()
    for name in ROWS:
        (tmp_path / "new/pics" / name).write_bytes((tmp_path / "pics" / name).read_bytes())
    ran = evaluate("--overwrite", data="inside.csv", out="new")  # its pictures lie there
    assert (ran.code, "-o new holds what is read here" in ran.error) == (6, True)


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (
            ("--metrics", "gt_known"),
            4,
            "error[MetricUnknown]: no metric is called 'gt_known'; did you mean gt_known_loc",
        ),
        (("--metrics", ""), 4, "error[MetricUnknown]: no metric is called ''"),
        (("--metrics", "gt_known_loc,"), 4, "error[MetricUnknown]: no metric is called ''"),
        (("--metrics", "pxap"), 2, "error[UsageError]: --metrics pxap cannot be computed: the data have no masks"),
        (
            ("--protocol", "wsl"),
            2,
            "--protocol takes camtool, wsol, ilsvrc, cam2016, gradcam2017, torchray, oquab2015, voc07",
        ),
        (
            ("--threshold", "1"),
            2,
            "--threshold takes a fraction from 0 to below 1, otsu or calibrated:DATASET, not '1'",
        ),
        (("--threshold", "-0.1"), 2, "--threshold takes a fraction"),
        (("--threshold", "nan"), 2, "--threshold takes a fraction"),
        (("--threshold", "Otsu"), 2, "--threshold takes a fraction"),
        (("--tolerance", "inf"), 2, "--tolerance takes a number of pixels, not inf"),
        (("--tolerance", "-1"), 2, "Invalid value for '--tolerance'"),
        (("--tolerance-in", "model"), 2, "Invalid value for '--tolerance-in'"),
        (("--class", "all"), 2, "Invalid value for '--class' / '-c': 'all' is not one of 'top', 'truth'"),
        (("--resamples", "-1"), 2, "Invalid value for '--resamples'"),
        (("--by", "camra"), 2, "data.csv has no column 'camra'; did you mean camera?"),
        (("--dataset-format", "coco"), 3, "error["),
        (("--dataset-format", "cook"), 2, "no dataset format is called 'cook'"),
        (("--images", "none"), 3, "error[InputMissing]: none: no such file or folder; check the path"),
        (("--class-map", "voc-from-imagenat"), 3, "no such class map; did you mean voc-from-imagenet?"),
        (("--exclude", "none.txt"), 3, "error[InputMissing]: --exclude none.txt: No such file or directory"),
        (("--method", "cam:x=1"), 2, "cam has no parameter 'x'"),
        (("--method", "gradkam"), 4, "error[MethodUnknown]: no method is called 'gradkam'; did you mean gradcam"),
        (("--layer", "frist", "--method", "gradcam"), 4, "error[LayerUnknown]"),
        (("--fail-under", "corloc"), 2, "--fail-under takes [ALIAS/METHOD:]METRIC=X, not 'corloc'"),
        (("--fail-under", "rgb/gradcam:corloc=0"), 2, "no run is called rgb/gradcam (there are rgb/cam)"),
        (("--max-drop", "0.1"), 2, "--max-drop compares with an earlier evaluation; add --baseline DIR"),
        (("--limit", "0"), 2, "Invalid value for '--limit'"),
        (("--max-failures", "x"), 2, "--max-failures takes a number (3) or a percentage (2%), not 'x'"),
        (("--batch-size", "0"), 2, "--batch-size takes a positive number or auto, not '0'"),
        (("--device", "gpu"), 2, "--device takes auto, cpu, cuda, cuda:N or mps, not 'gpu'"),
    ],
)
def test_what_is_refused_and_leaves_nothing_behind(evaluate, arguments, code, told):
    ran = evaluate(*arguments)
    assert (ran.code, told in ran.error) == (code, True), ran.err
    assert not ran.folder.exists()
    assert ran.ran.out == b""


@pytest.mark.parametrize(
    ("lines", "code", "told"),
    [
        ([], 3, "no dataset of a known format"),
        (["path,class"], 3, "error[Input"),
        (["path,klass", "pics/a.png,red"], 3, "error[DatasetUnreadable]"),
        (["path,class,boxes", "pics/a.png,red,1 2 3"], 3, "broken.csv, row 2"),
        (["path,class", "pics/a.png,red", "pics/a.png,red"], 3, "broken.csv, row 3"),
        (
            ["path,class", "x/a.png,red"],
            3,
            "none of its 1 images is there, the first being ./x/a.png; name their root with",
        ),
        (
            ["path,class", "pics/a.png,purple"],
            4,
            "the model knows none of the 1 classes of broken.csv (purple); say which",
        ),
        (
            ["path,class", "pics/a.png,red", "pics/b.png,Red"],
            4,
            "'Red' and 'red' of broken.csv are one class of the model",
        ),
    ],
)
def test_broken_tables(evaluate, tmp_path, lines, code, told):
    (tmp_path / "broken.csv").write_text("\n".join(lines) + "\n")
    ran = evaluate("--metrics", "top1_accuracy", data="broken.csv")
    assert (ran.code, told in ran.error) == (code, True), ran.err
    assert not ran.folder.exists()


def test_odd_data_are_evaluated_all_the_same(evaluate, tmp_path):
    """One image; one pixel; a name with everything in it; boxes outside, without area and reversed."""
    name = 'odd "é, <b>;\U0001f600 %.png'
    paint(tmp_path / "pics" / name, ("red", (0, 0, 1, 1), 255), width=1, height=1)
    quoted = '"pics/' + name.replace('"', '""') + '"'
    (tmp_path / "odd.csv").write_text(f"path,class,boxes\n{quoted},red,0 0 1 1;9 9 9 9;50 50 60 60;1 1 0 0\n")
    ran = evaluate("--metrics", "all", "--by", "class", "--save-maps", data="odd.csv")
    assert ran.code == 0, ran.err
    assert [row["id"] for row in ran.rows] == [f"pics/{name}"]
    assert all(one["ci95"] is None for one in ran.report["runs"][0]["metrics"])  # of one image nothing can be said
    assert ran.values()["gt_known_loc"] == 0  # the same everywhere: it says nothing about where
    assert name in (tmp_path / "out/per_image.csv").read_text().replace('""', '"')
    again = evaluate("--maps", "out/maps", "--predictions", "out/maps/predictions.csv", data="odd.csv", out="again")
    assert (again.code, again.values()["gt_known_loc"]) == (0, 0)


def test_the_reader_of_stdout_may_go(evaluate, tmp_path):
    """`| head`: everything is written all the same, and nothing complains."""
    evaluate("--metrics", "gt_known_loc", "--save-maps", out="one")
    command = [sys.executable, "-m", "cam_cli", "evaluate", "data.csv", "--maps", "one/maps", "--metrics"]
    command += ["gt_known_loc", "--json", "--quiet"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), **pipes) as ran:
        ran.stdout.close()
        assert ran.wait(60) == 0
        assert ran.stderr.read() == b""
    assert (tmp_path / "camtool-out/report.json").stat().st_size > 1000


def test_progress_of_a_second_stage_begins_at_0(evaluate, other, monkeypatch):
    from cam_cli.cli import console

    monkeypatch.setattr(console, "EVERY", 0.0)
    ran = evaluate("--threshold", other(100), "--metrics", "gt_known_loc_calibrated")
    so_far = [line.split()[2:5] for line in ran.err.splitlines() if line.startswith("so far")]
    assert so_far == [["1", "of", "1"], *([str(done), "of", "5"] for done in range(1, 6))]


def test_times_are_measured(evaluate):
    before = time.time()
    ran = evaluate(*FEW)
    timing = ran.report["timing"]
    assert 0 < timing["seconds"] < time.time() - before + 1
    assert timing["written"].endswith("+00:00")
    assert np.isfinite(timing["seconds"])
