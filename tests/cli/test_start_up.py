"""Help and lists are quick: they load nothing heavy."""

import json
import re
import subprocess
import sys

import pytest

from cam_cli.cli.commands import COMMANDS
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


def test_the_list_of_commands_needs_none_of_them(tmp_path):
    """Nor does one command need another."""
    own = ["cam_cli.specs", "cam_cli.cli.explain", "cam_cli.cli.train", "rich.progress"]
    assert loaded(["--help"], own, tmp_path) == []
    others = ["cam_cli.specs.evaluate", "cam_cli.specs.train", "cam_cli.tasks.train", "cam_cli.datasets.opening"]
    assert loaded(["gradcam", "--help"], others, tmp_path) == []


def test_no_command_loads_what_only_another_needs(photo, tmp_path):
    photo("a.png")
    others = ["cam_cli.specs.evaluate", "cam_cli.specs.train", "cam_cli.tasks.train", "cam_cli.datasets.opening"]
    assert loaded(["gradcam", "a.png"], others, tmp_path) == []


def test_a_run_collects_its_garbage_but_not_what_was_imported(photo, tmp_path):
    photo("a.png")
    script = (
        "import gc, sys\nfrom cam_cli.cli.app import main\nsys.argv[1:] = ['gradcam', 'a.png']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 100_000)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment(), cwd=tmp_path
    )
    assert ran.stdout.splitlines()[-1] == "True True", ran.stderr


def test_every_command_has_help_with_its_options(camtool):
    top = camtool("--help")
    assert top.code == 0
    for name, command in COMMANDS.items():
        assert name in top.out.decode()
        ran = camtool(name, "--help")
        assert ran.code == 0
        assert re.search(rb"Usage: .*\b" + name.encode() + rb"\b", ran.out)
        first = " ".join(command.help.partition("\n\n")[0].split())
        assert first in " ".join(ran.out.decode().split()), name
    text = camtool("gradcam", "--help").out.decode()
    for flag in ("-m", "-c", "-l", "-o", "-q", "-v", "-0", "--fit", "--save", "--max-failures"):
        assert re.search(rf"[\s,]{flag}\s", text), flag
    assert "[default: camtool-out]" in text


def test_no_command_shows_the_help(camtool):
    ran = camtool()
    assert (ran.code, ran.err) == (2, "")
    assert b"Usage" in ran.out
