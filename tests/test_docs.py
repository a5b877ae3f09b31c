"""The README says what the tool does: its transcripts are run, its tables compared."""

import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path
from runpy import run_path
from types import SimpleNamespace

import pytest

from cam_cli import specs
from cam_cli.errors import CamtoolError
from cam_cli.methods import METHODS
from cam_cli.outputs import KINDS
from cam_cli.outputs.schema import error_kinds
from cam_cli.specs.learning import LearningSpec
from cam_cli.specs.protocols import PROTOCOLS
from cam_cli.specs.train import HeadSpec, TrainDataSpec, TrainOutputSpec
from cam_cli.types import IMAGE_FLAGS, MAP_FLAGS
from tests.cli.test_explain import environment

TOP = Path(__file__).resolve().parents[1]
README = (TOP / "README.md").read_text()
RECORDS = (TOP / "docs/records.md").read_text()


def transcript() -> list[tuple[str, str]]:
    """Each command of the README's console blocks with what it printed."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        found += [tuple(part.split("\n", 1)) for part in block.removeprefix("$ ").split("\n$ ")]
    return [(command, output.rstrip("\n")) for command, output in found]


@pytest.mark.parametrize(("command", "output"), transcript(), ids=[command for command, _ in transcript()])
def test_transcripts(command, output, tmp_path):
    if "jq" in command and not shutil.which("jq"):
        command = command.replace("jq -r '[.id,.predictions[0].name]|@tsv'", f"{sys.executable} -c '{JQ}'")
    shutil.copytree(TOP / "sample_images", tmp_path / "sample_images")
    (tmp_path / "camtool").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cam_cli "$@"\n')
    (tmp_path / "camtool").chmod(0o755)
    where = environment() | {"PATH": f"{tmp_path}:{environment()['PATH']}"}
    ran = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=where, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.rstrip("\n") == output


JQ = (
    'import json, sys\nfor line in sys.stdin:\n record = json.loads(line)\n print(record["id"], '
    'record["predictions"][0]["name"], sep="\\t")'
)


def test_the_readme_names_every_method_and_kind():
    for name in (*METHODS, *KINDS):
        assert f"`{name}`" in README, name


def test_the_page_of_records_says_what_every_flag_means():
    for flags, of in ((IMAGE_FLAGS, "image"), (MAP_FLAGS, "map")):
        for name, meaning in flags.items():
            assert f"| `{name}` | {of} | {meaning} |" in RECORDS, name


def test_the_readme_fits():
    assert len(README.splitlines()) <= 150


def test_exit_codes_of_the_page_of_records_are_those_of_the_errors():
    codes, left = set(), [CamtoolError]
    while left:
        one = left.pop()
        codes.add(one.exit_code)
        left += one.__subclasses__()
    assert codes <= {int(code) for code in re.findall(r"^\| (\d+) \|", RECORDS, re.MULTILINE)}


def test_every_error_kind_stands_in_the_tree_of_the_errors_module():
    import cam_cli.errors

    for kind in error_kinds():
        assert re.search(rf"\b{kind}\b", cam_cli.errors.__doc__), kind


@pytest.mark.parametrize("pattern", ["camtool gradcam", "pytest"])
def test_ci_runs_the_readmes_own_lines(pattern):
    assert len(re.findall(rf"^pip install .*{pattern}", README, re.MULTILINE)) == 1
    assert re.search(rf"eval \"\$\(line '?{pattern}'?\)\"", (TOP / ".ci/run").read_text())


@pytest.mark.parametrize("name", ["methods", "metrics"])
def test_pages_of_the_registries_are_what_their_scripts_write(name):
    script = run_path(str(TOP / f"docs/make/{name}.py"))
    assert (TOP / f"docs/{name}.md").read_text() == script["page"](), f"run docs/make/{name}.py"


def test_the_page_of_evaluate_names_every_protocol():
    page = (TOP / "docs/evaluate.md").read_text()
    assert f"`--protocol {'|'.join([name for name in PROTOCOLS if name != 'camtool'])}`" in page


def flags(*modules):
    """Of every option that these modules of specs declare, how it may be spelt."""
    for module in modules:
        for group in vars(module).values():
            for one in fields(group) if is_dataclass(group) else ():
                if "option" in one.metadata:
                    yield [flag for text in one.metadata["option"].flags for flag in text.split("/")]


def test_the_page_of_train_names_its_options_and_none_that_is_not_there():
    page = (TOP / "docs/train.md").read_text()
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", page))
    for group in (TrainDataSpec, HeadSpec, LearningSpec, TrainOutputSpec):
        for spellings in flags(SimpleNamespace(group=group)):
            if spellings[0] not in ("--dataset-format", "--images"):  # of datasets.md
                assert named & set(spellings), spellings
    modules = [importlib.import_module(f"cam_cli.specs.{one.name}") for one in pkgutil.iter_modules(specs.__path__)]
    known = {flag for spellings in flags(specs, *modules) for flag in spellings}
    assert named <= known, named - known


@pytest.mark.parametrize("page", [TOP / "README.md", *sorted((TOP / "docs").glob("*.md"))], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
