"""A warm process for all tests, a folder with what a small run needs, and what commands leave when nothing happens."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .small import COMMANDS, FAILED, content, make
from .warm import Warm


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()


@pytest.fixture(scope="session")
def unbroken(warm, tmp_path_factory) -> Callable[[str], Path]:
    """The output folder of a command of COMMANDS that ran without a fault, made once; its stdout lies beside it."""
    folder = tmp_path_factory.mktemp("unbroken")
    make(folder, 22)

    def run(name: str) -> Path:
        found = folder / name
        if not found.exists():
            if name == "maps":
                shutil.copytree(run("evaluate"), folder / "whole")
            over = warm(folder, *COMMANDS[name], "-o", name, "--json")
            assert over.code == FAILED, over.err
            (folder / f"{name}.stdout").write_text(over.out)
        return found

    return run


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    """The working folder, with 22 pictures and one broken."""
    make(tmp_path, 22)
    monkeypatch.chdir(tmp_path)
    return tmp_path


SLOW = ("only", "maps")


@pytest.fixture(params=[pytest.param(one, marks=pytest.mark.slow) if one in SLOW else one for one in COMMANDS])
def name(request) -> str:
    return request.param


@pytest.fixture
def command(name, small, unbroken) -> tuple[str, ...]:
    if name == "maps":
        shutil.copytree(unbroken("evaluate"), small / "whole")
    return COMMANDS[name]


@pytest.fixture
def whole(name, unbroken) -> dict[str, object]:
    return content(unbroken(name))
