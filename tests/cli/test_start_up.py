"""Help and lists are quick: they load nothing heavy."""

import json
import re
import subprocess
import sys

import pytest

from tests.cli.test_explain import environment

HEAVY = ["torch", "torchvision", "numpy", "cv2", "PIL", "timm", "transformers", "safetensors"]


def loaded(arguments: list[str], heavy: list[str], folder) -> list[str]:
    script = (
        "import sys, json\nfrom cam_cli.cli.app import app\nfrom cam_cli.cli.boundary import guarded\n"
        f"code = guarded(app, {arguments!r})\nassert code == 0, code\n"
        f"print('\\n' + json.dumps([name for name in {heavy!r} if name in sys.modules]))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment(), cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["gradcam", "--help"],
        ["localize", "--help"],
        ["train", "--help"],
        ["--version"],
        ["methods"],
        ["classes", "dog"],
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded(arguments, tmp_path):
    assert loaded(arguments, HEAVY, tmp_path) == []


def test_the_default_model_needs_no_torchvision(photo, tmp_path):
    photo("a.png")
    assert loaded(["gradcam", "a.png"], ["torchvision", "timm", "transformers", "safetensors"], tmp_path) == []


def test_every_command_has_help_with_its_options(camtool):
    commands = ["cam", "gradcam", "explain", "localize", "train", "layers", "models", "methods", "classes", "schema"]
    top = camtool("--help")
    assert top.code == 0
    for command in commands:
        assert command in top.out.decode()
        ran = camtool(command, "--help")
        assert ran.code == 0
        assert b"Usage" in ran.out
    text = camtool("gradcam", "--help").out.decode()
    for flag in ("-m", "-c", "-l", "-o", "-q", "-v", "-0", "--fit", "--save", "--max-failures"):
        assert re.search(rf"[\s,]{flag}\s", text), flag
    assert "[default: camtool-out]" in text


def test_no_command_shows_the_help(camtool):
    ran = camtool()
    assert (ran.code, ran.err) == (2, "")
    assert b"Usage" in ran.out
