"""A warm process for all tests, and a folder with what a small run needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .small import make
from .warm import Warm


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()


@pytest.fixture
def small(tmp_path, monkeypatch) -> Path:
    """The working folder, with 22 pictures and one broken."""
    make(tmp_path, 22)
    monkeypatch.chdir(tmp_path)
    return tmp_path
