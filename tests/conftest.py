"""The command in process, and pictures to run it on."""

import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: on tiny tensors its threads only wait

import cv2
import numpy as np
import pytest
from hypothesis import settings

from cam_cli.cli.app import app
from cam_cli.cli.boundary import guarded

SAMPLES = Path(__file__).resolve().parents[1] / "sample_images"
settings.register_profile("patient", deadline=None)  # a busy machine is no bug
settings.load_profile("patient")


@dataclass
class Ran:
    """code: the exit code; out: stdout, bytes; err: stderr, text."""

    code: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.decode().splitlines()

    @property
    def records(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def camtool(tmp_path, monkeypatch, capfdbinary) -> Callable[..., Ran]:
    """`camtool(*arguments, stdin=b"")` as the console script runs it, in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfdbinary.readouterr()
        code = guarded(app, [str(one) for one in arguments])
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return Ran(code, captured.out, captured.err.decode())

    return run


@pytest.fixture
def photo(tmp_path) -> Callable[..., Path]:
    """`photo("a/b.png", width, height)` writes a small seeded picture below the working folder; returns its path."""

    def make(name: str, width: int = 64, height: int = 48, seed: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
        path.write_bytes(cv2.imencode(path.suffix, picture)[1].tobytes())
        return path

    return make
