"""Everything that goes wrong in practice: one line, the right exit code, nothing lost, nothing half-written."""

import gzip
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from .test_explain import SAMPLES, environment, files


def one_line(ran, kind: str, code: int, says: str) -> None:
    """stderr is exactly one line, of that kind, saying that; nothing is on stdout."""
    assert ran.code == code, ran.err
    (line,) = [line for line in ran.err.splitlines() if not line.startswith(("model ", "layer ", "input ", "class "))]
    assert line.startswith(f"camtool: error[{kind}]: ")
    assert says in line
    assert ran.out == b""


def failed_alone(ran, kind: str, says: str) -> dict:
    """Two images, of which the first failed: exit 5, a record of it, the other one done."""
    assert ran.code == 5, ran.err
    bad, good = ran.records
    assert bad["maps"] == []
    assert bad["predictions"] == []
    assert bad["error"]["kind"] == kind
    assert says in bad["error"]["message"]
    assert good["error"] is None
    assert good["maps"][0]["files"]
    assert f"camtool: error[{kind}]: " in ran.err
    assert "camtool: error[ImagesFailed]: 1 of 2 images failed; the others are done" in ran.err
    assert not list(Path("out").rglob(".*")), "nothing half-written"
    return bad


# What was named on the command line


@pytest.mark.parametrize(
    ("arguments", "kind", "code", "says"),
    [
        (["missing.jpg"], "InputMissing", 3, "missing.jpg"),
        (["empty"], "InputEmpty", 3, "empty"),
        (["empty/*.png"], "InputEmpty", 3, "empty/*.png"),
        (["x.png", "--method", "gradcamm"], "MethodUnknown", 4, "did you mean gradcam"),
        (["x.png", "--model", "efficientnet_light0"], "ModelUnknown", 4, "did you mean efficientnet_lite0"),
        (["x.png", "--layer", "layer9"], "LayerUnknown", 4, "layer4"),
        (["x.png", "--layer", "blocks.6.0.bn9"], "LayerUnknown", 4, "did you mean blocks.6.0.bn"),
        (["x.png", "--layer", "classifier"], "LayerUnsuitable", 4, "classifier"),
        (["x.png", "--class", "expresso"], "ClassUnknown", 4, "did you mean espresso"),
        (["x.png", "--class", "crane"], "ClassUnknown", 4, "134"),
        (["x.png", "--class", "1000"], "ClassUnknown", 4, "0 to 999"),
        (["x.png", "--class", "n00000000"], "ClassUnknown", 4, "n00000000"),
        (["x.png", "--colormap", "jett"], "UsageError", 2, "inferno"),
        (["x.png", "--save", "overlay,heat"], "UsageError", 2, "did you mean heatmap"),
        (["x.png", "--fit", "stretch"], "UsageError", 2, "--fit"),
        (["x.png", "--size", "3"], "UsageError", 2, "--size"),
        (["x.png", "--range", "5:1"], "UsageError", 2, "LO < HI"),
        (["x.png", "--batch-size", "many"], "UsageError", 2, "many"),
        (["x.png", "--max-failures", "200%"], "UsageError", 2, "200%"),
        (["x.png", "--device", "abacus"], "UsageError", 2, "abacus"),
        (["x.png", "--device", "cuda:7"], "UsageError", 2, "cuda:7"),
        (["x.png", "--colour", "x"], "UsageError", 2, "--colour"),
        (["x.png", "--json", "-o", "-"], "UsageError", 2, "stdout"),
        (["x.png", "--class", "top3", "-o", "one.png"], "UsageError", 2, "folder"),
        (["x.png", "y.png", "-o", "one.png"], "UsageError", 2, "hold 2"),
        (["x.png", "-o", "one.jpg", "--format", "png"], "UsageError", 2, "--format jpg"),
        (["x.png", "-o", "one.png", "--save", "raw"], "UsageError", 2, "would hold npy"),
        (["x.png", "-o", ""], "UsageError", 2, "no name"),
        (["x.png", "--size", "100000"], "UsageError", 2, "--size"),
        (["x.png", "--save", "none,raw"], "UsageError", 2, "alone"),
        (["x.png", "--class", "nope"], "ClassUnknown", 4, "nope"),
        (["x.png", "-o", "x.png"], "OutputRefused", 6, "an input itself"),
        (["x.png", "-o", "note.txt"], "OutputRefused", 6, "is a file"),
        (["x.png", "-o", "note.txt/deeper"], "OutputRefused", 6, "is a file"),
        (["pictures", "-o", "pictures"], "OutputRefused", 6, "input folder"),
        (["x.png", "--checkpoint", "none.pth"], "InputMissing", 3, "none.pth"),
        (["-"], "InputEmpty", 3, "stdin"),
        (["table.csv"], "InputUnreadable", 3, "path"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_start(camtool, photo, tmp_path, arguments, kind, code, says):
    photo("x.png"), photo("y.png", seed=1), photo("pictures/z.png")
    (tmp_path / "empty").mkdir()
    (tmp_path / "note.txt").write_text("mine")
    (tmp_path / "table.csv").write_text("file,class\nx.png,3\n")
    before = files(tmp_path)
    one_line(camtool("gradcam", *arguments), kind, code, says)
    assert files(tmp_path) == before, "nothing was written"


@pytest.mark.parametrize("arguments", [["missing.jpg"], ["x.png", "-o", "note.txt"], ["x.png", "--method", "nope"]])
def test_what_is_wrong_at_once_is_said_before_torch_is_loaded(photo, tmp_path, arguments):
    photo("x.png")
    (tmp_path / "note.txt").write_text("mine")
    script = (
        "import sys\nfrom cam_cli.cli.app import app\nfrom cam_cli.cli.boundary import guarded\n"
        f"code = guarded(app, ['gradcam', *{arguments!r}])\nprint(code, 'torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert ran.stdout.split()[0] in "346"
    assert ran.stdout.split()[1] == "False"


# Pictures


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("in/a.jpg", b"", "empty"),
        ("in/a.jpg", b"this is no picture\n" * 9, "image"),
        ("in/a.jpg", (SAMPLES / "china.jpg").read_bytes()[:60_000], "truncated"),
        ("in/a.png", (SAMPLES / "coffee.png").read_bytes()[:60_000], "truncated"),
    ],
    ids=["zero bytes", "text", "truncated JPEG", "truncated PNG"],
)
def test_one_bad_picture_is_a_record(camtool, photo, name, data, says):
    photo("in/b.png")
    write(Path(name), data)
    bad = failed_alone(camtool("gradcam", "in", "-o", "out", "--json"), "ImageUnreadable", says)
    assert (bad["id"], bad["image"]) == (name[3:], name)
    assert files(Path("out")) == ["b.gradcam.png", "results.csv", "results.jsonl", "run.json"]


def test_a_file_without_permission(camtool, photo, monkeypatch):
    photo("in/a.png"), photo("in/b.png")
    import builtins

    real = builtins.open

    def guarded_open(path, *rest, **more):  # tests may run as root, whom chmod does not stop
        if str(path).endswith("in/a.png"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    monkeypatch.setattr(builtins, "open", guarded_open)
    failed_alone(camtool("gradcam", "in", "-o", "out", "--json"), "ImageUnreadable", "ermission")


def test_a_picture_over_max_pixels_is_refused_before_decoding(camtool, photo, monkeypatch):
    photo("in/a.png", 300, 200), photo("in/b.png", 30, 20)
    import cam_cli.images.decode as module

    decoded = []
    monkeypatch.setattr(module.cv2, "imdecode", lambda *a, real=cv2.imdecode: decoded.append(1) or real(*a))
    ran = camtool("gradcam", "in", "-o", "out", "--json", "--max-pixels", "1000")
    failed_alone(ran, "ImageTooLarge", "--max-pixels")
    assert len(decoded) == 1


def test_animated_pictures_use_their_first_frame_and_say_so(camtool, tmp_path):
    from PIL import Image

    frames = [Image.fromarray(np.full((40, 40, 3), value, np.uint8)) for value in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    ran = camtool("gradcam", "a.gif", "--save", "none", "--json")
    assert ran.code == 0
    assert "first_frame" in ran.records[0]["flags"]
    assert "a.gif: first_frame: the file holds several frames" in ran.err


def test_a_12_bit_picture_in_a_16_bit_file_is_not_dark(camtool, tmp_path):
    coffee = cv2.imread(str(SAMPLES / "coffee.png"))
    cv2.imwrite(str(tmp_path / "deep.png"), coffee.astype(np.uint16) * 16 + 8)
    cv2.imwrite(str(tmp_path / "twin.png"), coffee)
    deep, twin = camtool("gradcam", "deep.png", "twin.png", "--save", "raw", "-o", "out", "--json").records
    assert deep["flags"] == ["depth_guessed"]
    assert deep["predictions"][0]["index"] == twin["predictions"][0]["index"] == 967
    assert deep["predictions"][0]["probability"] == pytest.approx(twin["predictions"][0]["probability"], abs=0.02)
    raws = [np.load(f"out/{name}.gradcam.npy") for name in ("deep", "twin")]
    assert np.corrcoef(raws[0].ravel(), raws[1].ravel())[0, 1] > 0.999


# Names, folders


def test_names_with_unicode_spaces_and_newlines(camtool, photo):
    for name in ("in/ä b.png", "in/日本.png", "in/new\nline.png"):
        photo(name)
    ran = camtool("gradcam", "in", "-o", "out", "--print0")
    assert ran.code == 0, ran.err
    assert set(ran.out.decode().split("\0")) == {
        "out/ä b.gradcam.png", "out/日本.gradcam.png", "out/new\nline.gradcam.png", "",
    }  # fmt: skip
    assert camtool("gradcam", "in", "--save", "none", "--json").code == 0


@pytest.mark.parametrize("data", [gzip.compress(b"x" * 999, mtime=0), b"a.png\0b.png\0", b"%PDF-1.7\n\0\n\n"])
def test_stdin_that_is_no_list_is_one_error(camtool, data):
    one_line(camtool("gradcam", "-", stdin=data), "InputUnreadable", 3, "neither an image nor a list of paths")


def test_a_name_that_is_not_utf8(camtool, photo, tmp_path):
    photo("in/x.png")
    os.rename(b"in/x.png", b"in/\xff\xfe.png")
    ran = camtool("gradcam", "in", "-o", "out")
    assert (ran.code, ran.out) == (0, b"out/\xff\xfe.gradcam.png\n")
    assert (
        json.loads((tmp_path / "out/results.jsonl").read_bytes())["id"].encode("utf-8", "surrogateescape")
        == b"\xff\xfe.png"
    )


def test_same_stems_lose_nothing(camtool, photo):
    for name in ("in/a/x.png", "in/b/x.png", "in/b/x.jpg"):
        photo(name)
    ran = camtool("gradcam", "in", "-o", "out")
    assert ran.lines == ["out/a/x.gradcam.png", "out/b/x.jpg.gradcam.png", "out/b/x.png.gradcam.png"]


def test_a_symlink_loop_ends(camtool, photo, tmp_path):
    photo("in/a.png")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    ran = camtool("gradcam", "in", "-o", "out")
    assert (ran.code, ran.lines) == (0, ["out/a.gradcam.png"])


def test_the_output_folder_inside_the_input_folder(camtool, photo):
    photo("in/a.png")
    for again in ((), ("--overwrite",)):
        ran = camtool("gradcam", "in", "-o", "in/out", *again)
        assert (ran.code, ran.lines) == (0, ["in/out/a.gradcam.png"])
    ran = camtool("gradcam", "in/out")
    assert (ran.code, ran.out) == (3, b"")
    assert "results of camtool" in ran.err


# The output folder


def test_a_second_run_into_the_same_folder(camtool, photo, tmp_path):
    photo("a.png"), photo("b.png")
    assert camtool("gradcam", "a.png", "-o", "out").code == 0
    (tmp_path / "out/mine.txt").write_text("mine")
    before = {name: (tmp_path / "out" / name).read_bytes() for name in files(tmp_path / "out")}
    one_line(camtool("gradcam", "b.png", "-o", "out"), "OutputRefused", 6, "--overwrite")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in files(tmp_path / "out")} == before
    ran = camtool("gradcam", "b.png", "-o", "out", "--overwrite", "--layer", "nope")
    assert ran.code == 4
    assert "a.gradcam.png" in files(tmp_path / "out"), "a run that cannot start replaces nothing"
    assert camtool("gradcam", "b.png", "-o", "out", "--overwrite").code == 0
    assert files(tmp_path / "out") == ["b.gradcam.png", "mine.txt", "results.csv", "results.jsonl", "run.json"]


def test_the_scratch_folder_is_replaced_and_nothing_else_in_it(camtool, photo, tmp_path):
    photo("in/a.png"), photo("in/deep/c.png"), photo("b.png")
    assert camtool("gradcam", "in").code == 0
    (tmp_path / "camtool-out/notes.md").write_text("mine")
    assert camtool("gradcam", "b.png").code == 0
    assert files(tmp_path / "camtool-out") == ["b.gradcam.png", "notes.md", "results.csv", "results.jsonl", "run.json"]
    assert not (tmp_path / "camtool-out/deep").exists()


def test_a_strangers_file_is_not_replaced(camtool, photo, tmp_path):
    photo("a.png")
    write(Path("out/a.gradcam.png"), b"precious")
    ran = camtool("gradcam", "a.png", "-o", "out")
    assert ran.code == 6
    assert "error[OutputRefused]" in ran.err
    assert Path("out/a.gradcam.png").read_bytes() == b"precious"


def test_a_recorded_name_cannot_lead_out_of_the_folder(camtool, photo, tmp_path):
    photo("a.png")
    assert camtool("gradcam", "a.png", "-o", "out").code == 0
    victim = tmp_path / "victim.png"
    victim.write_bytes(b"precious")
    record = json.loads((tmp_path / "out/results.jsonl").read_text())
    for evil in ("../victim.png", str(victim), "x/../../victim.png"):
        record["maps"][0]["files"]["overlay"] = evil
        (tmp_path / "out/results.jsonl").write_text(json.dumps(record) + "\n{torn")
        assert camtool("gradcam", "a.png", "-o", "out", "--overwrite").code == 0
        assert victim.read_bytes() == b"precious"


def test_links_do_not_lead_out_of_the_folder(camtool, photo, tmp_path):
    photo("in/sub/a.png")
    write(tmp_path / "elsewhere/secret", b"precious")
    assert camtool("gradcam", "in", "-o", "out").code == 0
    record = json.loads((tmp_path / "out/results.jsonl").read_text())
    record["maps"][0]["files"]["overlay"] = "link/secret"
    (tmp_path / "out/results.jsonl").write_text(json.dumps(record) + "\n")
    (tmp_path / "out/link").symlink_to(tmp_path / "elsewhere")
    camtool("gradcam", "in", "-o", "out", "--overwrite")
    assert (tmp_path / "elsewhere/secret").read_bytes() == b"precious"
    (tmp_path / "out2").mkdir()
    (tmp_path / "out2/sub").symlink_to(tmp_path / "elsewhere")
    ran = camtool("gradcam", "in", "-o", "out2")
    assert ran.code == 6
    assert files(tmp_path / "elsewhere") == ["secret"]


@pytest.mark.parametrize("name", ["results.csv", "results.jsonl", "run.json"])
@pytest.mark.parametrize("folder", ["out", "camtool-out"])
def test_a_strangers_table_is_not_replaced(camtool, photo, name, folder):
    photo("a.png")
    write(Path(folder) / name, b'{"mine": 1}')
    ran = camtool("gradcam", "a.png", *(() if folder == "camtool-out" else ("-o", folder)))
    one_line(ran, "OutputRefused", 6, name)
    assert (Path(folder) / name).read_bytes() == b'{"mine": 1}'


def test_a_strangers_file_in_the_scratch_folder_is_not_replaced(camtool, photo):
    photo("a.png")
    write(Path("camtool-out/a.gradcam.png"), b"precious")
    assert camtool("gradcam", "a.png").code == 6
    assert Path("camtool-out/a.gradcam.png").read_bytes() == b"precious"


@pytest.mark.parametrize("source", [["one"], ["on*/*.png"], ["-"], ["one/a.png"]])
def test_a_result_never_replaces_its_input(camtool, photo, source):
    picture = photo("one/a.png")
    before = picture.read_bytes()
    ran = camtool("gradcam", *source, "-o", "one/a.png", stdin=b"one/a.png\n")
    one_line(ran, "OutputRefused", 6, "an input itself")
    assert picture.read_bytes() == before


def test_pictures_in_the_output_folder_are_not_removed_first(camtool, photo):
    photo("a.png")
    assert camtool("gradcam", "a.png").code == 0
    ran = camtool("gradcam", "camtool-out/a.gradcam.png")
    one_line(ran, "OutputRefused", 6, "lie in the output folder")
    assert Path("camtool-out/a.gradcam.png").exists()


def test_a_folder_that_somebody_emptied_can_be_overwritten(camtool, photo):
    import shutil

    photo("in/sub/a.png")
    assert camtool("gradcam", "in", "-o", "out").code == 0
    shutil.rmtree("out/sub")
    assert camtool("gradcam", "in", "-o", "out", "--overwrite").code == 0


def test_a_picture_that_the_format_cannot_hold_is_a_record(camtool, photo):
    photo("in/a.png", 17000, 20), photo("in/b.png")
    ran = camtool("gradcam", "in", "-o", "out", "--format", "webp", "--fit", "squash", "--json")
    failed_alone(ran, "ImageUnwritable", "--format png")
    assert files(Path("out")) == ["b.gradcam.webp", "results.csv", "results.jsonl", "run.json"]


def test_a_name_that_becomes_too_long_is_a_record(camtool, photo):
    photo("in/" + "a" * 240 + ".png"), photo("in/b.png")
    ran = camtool("gradcam", "in", "-o", "out", "--save", "raw,heatmap", "--json")
    failed_alone(ran, "ImageUnwritable", "too long")
    assert not [name for name in files(Path("out")) if name.startswith("a")], "its shorter names are gone too"
    photo("long/" + "字" * 75 + ".png")
    assert camtool("gradcam", "long", "-o", "out2").code == 0


def test_a_template_that_makes_one_name_twice_loses_nothing(camtool, photo):
    photo("in/q.png"), photo("in/q1.png")
    ran = camtool("gradcam", "in", "-o", "out", "--class", "top11", "--name", "{stem}{class}")
    assert ran.code == 6
    assert "two results" in ran.err


def test_the_same_class_or_layer_twice_is_one_map(camtool, photo):
    photo("a.png")
    ran = camtool(
        "gradcam", "a.png", "-c", "espresso", "-c", "967", "-c", "top", "-c", "top2",
        "-l", "blocks.[0-1]", "-l", "blocks.1", "-o", "out", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    names = [one["files"]["overlay"] for one in ran.records[0]["maps"]]
    assert names == [
        f"a.gradcam.{layer}.{part}.png" for layer in ("blocks.0", "blocks.1") for part in ("967-espresso", "1", "2")
    ]


def test_scores_that_are_not_finite_are_flagged(camtool, photo, tmp_path):
    from cam_cli.models.efficientnet_lite import efficientnet_lite0

    photo("a.png")
    state = efficientnet_lite0().state_dict()
    state["classifier.bias"][7] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    ran = camtool("gradcam", "a.png", "--checkpoint", "nan.pth", "--json", "-o", "out", "-v", "--legend")
    assert ran.code == 0, ran.err
    assert ran.records[0]["flags"] == ["scores_not_finite"]
    assert len(ran.records[0]["maps"]) == 1


@pytest.mark.parametrize("options", [["--size", "160"], ["--fit", "keep"]])
def test_a_network_of_one_size_is_refused_before_the_first_image(camtool, photo, tmp_path, options):
    from torchvision.models import VisionTransformer

    photo("a.png"), photo("b.png")
    torch.manual_seed(0)
    torch.save(VisionTransformer(224, 16, 12, 12, 768, 3072).state_dict(), tmp_path / "vit.pth")
    arguments = ["--model", "vit_b_16", "--checkpoint", "vit.pth", "--layer", "conv_proj", "--save", "none"]
    assert camtool("gradcam", "a.png", *arguments).code == 0
    ran = camtool("gradcam", "a.png", "b.png", *arguments, *options)
    assert ran.code == 4
    assert "error[ModelFailed]" in ran.err
    assert "vit_b_16 does not take an input of" in ran.err
    assert "(its own is 224×224)" in ran.err


@pytest.mark.parametrize(
    ("tta", "says"),
    [
        ("best", "vit_b_16 does not take 320×320; use --tta flip,spread"),
        ("flip,best,mirror", "--tta takes none, flip, scales, spread, best, or several with commas, not 'mirror'"),
    ],
)
def test_tta_that_cannot_be(camtool, photo, tmp_path, tta, says):
    from torchvision.models import VisionTransformer

    photo("a.png")
    torch.manual_seed(0)
    torch.save(VisionTransformer(224, 16, 12, 12, 768, 3072).state_dict(), tmp_path / "vit.pth")
    options = ["--model", "vit_b_16", "--checkpoint", "vit.pth", "--layer", "conv_proj", "--tta", tta]
    ran = camtool("gradcam", "a.png", *options)
    assert ran.code == 2
    assert says in ran.err.partition("error[UsageError]: ")[2]


@pytest.mark.parametrize("when", ["folder", "file", "record"])
def test_writing_fails(camtool, photo, monkeypatch, when):
    """No space, no permission: exit 6, one line, no draft left behind."""
    photo("a.png")
    import cam_cli.outputs.atomic as atomic
    import cam_cli.outputs.folder as folder

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    if when == "folder":
        monkeypatch.setattr(folder.Path, "mkdir", fail)
    elif when == "file":
        monkeypatch.setattr(atomic.os, "replace", fail)
    else:
        import cam_cli.outputs.lines as lines

        monkeypatch.setattr(lines, "memoryview", fail, raising=False)
    ran = camtool("gradcam", "a.png", "-o", "out")
    assert ran.code == 6
    assert "error[OutputFailed]" in ran.err
    assert "No space left on device" in ran.err
    assert not list(Path().rglob("*.part"))


def test_an_unwritable_folder(camtool, photo, tmp_path, monkeypatch):
    photo("a.png")
    (tmp_path / "locked").mkdir()
    import cam_cli.outputs.folder as folder

    # tests may run as root, whom permissions do not stop
    monkeypatch.setattr(folder.os, "access", lambda path, mode: Path(path).name != "locked")
    one_line(camtool("gradcam", "a.png", "-o", "locked/out"), "OutputRefused", 6, "no permission")


# Checkpoints


class Payload:
    def __reduce__(self):
        return os.system, ("touch executed",)


def test_a_malicious_pickle_is_never_executed(camtool, photo, tmp_path):
    photo("a.png")
    with (tmp_path / "evil.pth").open("wb") as file:
        pickle.dump({"classifier.weight": Payload()}, file)
    torch.save({"classifier.weight": Payload()}, tmp_path / "evil2.pth")
    for name in ("evil.pth", "evil2.pth"):
        one_line(camtool("gradcam", "a.png", "--checkpoint", name), "CheckpointUnsafe", 3, name)
    assert not (tmp_path / "executed").exists()


def test_wrong_shapes_are_explained(camtool, photo, tmp_path):
    from cam_cli.models.efficientnet_lite import efficientnet_lite0

    photo("a.png")
    state = efficientnet_lite0().state_dict()
    state["conv_head.weight"] = torch.zeros(7, 320, 1, 1)
    torch.save(state, tmp_path / "odd.pth")
    ran = camtool("gradcam", "a.png", "--checkpoint", "odd.pth")
    one_line(ran, "CheckpointMismatch", 3, "conv_head.weight")
    assert "7×320×1×1" in ran.err


# The installation


def test_opencv_without_libgl_says_what_to_install(photo, tmp_path):
    photo("a.png")
    (tmp_path / "cv2.py").write_text(
        "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')"
    )
    ran = subprocess.run(
        [sys.executable, "-m", "cam_cli", "gradcam", "a.png"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("camtool: error[LibraryMissing]: libGL.so.1")
    assert "apt-get install libgl1" in line


def test_a_bug_says_that_it_is_one_and_debug_shows_where(camtool, photo, monkeypatch):
    photo("a.png")
    import cam_cli.outputs.overlay as overlay

    def broken(*_):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(overlay, "overlay", broken)
    ran = camtool("gradcam", "a.png", "-o", "out")
    assert ran.code == 1
    assert ran.err.splitlines()[-1].startswith(
        "camtool: error[Bug]: ZeroDivisionError: division by zero; this is a mistake"
    )
    assert "Traceback" not in ran.err
    assert "in broken" in camtool("gradcam", "a.png", "-o", "out2", "--debug").err


def test_max_failures(camtool, photo, tmp_path):
    photo("in/a.png"), photo("in/b.png"), write(tmp_path / "in/c.png", b"")
    for allowed, code in (("0", 5), ("1", 0), ("40%", 0), ("30%", 5)):
        assert camtool("gradcam", "in", "--save", "none", "--max-failures", allowed).code == code


def test_all_images_failed(camtool, tmp_path):
    write(tmp_path / "in/c.png", b"")
    ran = camtool("gradcam", "in", "-o", "out", "--json")
    assert ran.code == 5
    assert ran.records[0]["error"]["kind"] == "ImageUnreadable"


def test_cam_refuses_a_network_without_a_pooled_head(camtool, photo, tmp_path):
    from torchvision.models import vgg11

    photo("a.png")
    torch.save(vgg11(num_classes=3).state_dict(), tmp_path / "vgg.pth")
    ran = camtool("cam", "a.png", "--model", "vgg11", "--checkpoint", "vgg.pth")
    assert ran.code == 4
    assert "error[MethodUnsuitable]" in ran.err
    assert "camtool gradcam" in ran.err
    ran = camtool("gradcam", "a.png", "--model", "vgg11", "--checkpoint", "vgg.pth", "--save", "none", "--json")
    assert ran.code == 0, ran.err
    assert ran.records[0]["maps"][0]["grid"] == {"rows": 14, "cols": 14}


def test_a_layer_for_cam_alone_has_no_meaning(camtool, photo):
    photo("a.png")
    one_line(camtool("explain", "a.png", "--method", "cam", "-l", "layer3"), "UsageError", 2, "drop it")
