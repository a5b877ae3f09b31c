"""A file that grows by whole lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from cam_cli.errors import OutputFailed


class Lines:
    """Every line is with the system before the next is made, so that a run that is cut off leaves what it did: at worst
    its last line is torn. append: goes on behind what is there, `start` bytes."""

    def __init__(self, path: Path, append: bool = False):
        """Raises OutputFailed."""
        self.path = path
        try:
            self.file = path.open("ab" if append else "wb", buffering=0)
            self.start = self.file.tell()
            if self.start:
                self.start += self.file.write(b"\n")  # what is there may end in a torn line
        except OSError as error:
            raise OutputFailed(f"cannot write {path}: {error.strerror or error}") from error

    def add(self, lines: bytes) -> None:
        """Raises OutputFailed, also where the file is no longer the one at its path: what is written would be lost."""
        try:
            left = memoryview(lines)
            while left:
                left = left[self.file.write(left) :]
            there = os.path.samestat(os.stat(self.path), os.fstat(self.file.fileno()))
        except FileNotFoundError:
            there = False
        except OSError as error:
            raise OutputFailed(f"cannot write {self.path}: {error.strerror or error}") from error
        if not there:
            raise OutputFailed(f"{self.path} was moved or removed during the run; complete it with --resume")

    def close(self) -> None:
        self.file.close()


def whole_lines(path: Path, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Each line of a file from byte `start` on, with where it begins; none where there is no file. A torn last line is
    left out. Raises OSError."""
    if not path.exists():
        return
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield start, line
            start += len(line)
