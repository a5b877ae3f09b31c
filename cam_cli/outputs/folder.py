"""The output folder: whose it is, what of it a run may replace, and its `run.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath

from cam_cli.errors import OutputFailed, OutputRefused
from cam_cli.images.walk import is_run

from . import atomic

SCRATCH = "camtool-out"
RESULTS, TABLE, RUN = "results.jsonl", "results.csv", "run.json"
EXPORTED = "exports.jsonl"
"""The names of the files that exports wrote, a JSON string a line: no record names them."""


@dataclass(frozen=True)
class Folder:
    """An output folder that this run may write.

    replace: whether files that no run recorded may be replaced. names: those written so far, where a template makes
    them and so could make one twice; else None.
    """

    path: Path
    replace: bool
    names: set[str] | None = None

    @classmethod
    def check(cls, path: str | None, overwrite: bool, templated: bool) -> Folder:
        """Looks, and touches nothing. Raises OutputRefused where the path is a file, where it holds another run and
        `overwrite` is not given (the scratch folder, also `path` None, needs none), or where it cannot be written."""
        folder = Path(path or SCRATCH)
        scratch = folder == Path(SCRATCH)
        there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists() or one.is_symlink())
        if not there.is_dir():
            raise OutputRefused(f"the output folder cannot be {folder}: {there} is a file; choose another -o")
        if not os.access(there, os.W_OK | os.X_OK):
            raise OutputRefused(
                f"the output folder {folder} cannot be written: no permission in {there}; choose another -o"
            )
        run = is_run(str(folder))
        if run and not (overwrite or scratch):
            raise OutputRefused(
                f"{folder} holds another run's results; --overwrite replaces them, or choose another -o"
            )
        strange = [name for name in (RUN, RESULTS, TABLE, EXPORTED) if (folder / name).exists() and not run]
        if strange and not overwrite:
            raise OutputRefused(f"{folder / strange[0]} exists and is of no run of camtool; choose another -o")
        return cls(folder, overwrite, set() if templated else None)

    def open(self) -> None:
        """Makes the folder. An earlier run's recorded files go, nothing else does. Raises OutputFailed."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if is_run(str(self.path)):
                clear(self.path)
        except OSError as error:
            raise OutputFailed(f"cannot write the output folder {self.path}: {error.strerror or error}") from error

    def write(self, name: str, data: bytes | Iterable[bytes]) -> str:
        """Writes one result atomically; returns its path as a person would type it. Raises as `admit`, and
        ImageUnwritable, OutputFailed."""
        path = self.admit(name)
        atomic.write(path, data)
        return str(path)

    def admit(self, name: str) -> Path:
        """The path for one result.

        Raises OutputRefused where a file of that name is there that no run recorded, where this run has given a name
        twice, or where a link leads out of the folder.
        """
        path = self.path / name
        if not within(self.path, path):
            raise OutputRefused(f"{path.parent} leads out of {self.path}; remove the link, or choose another -o")
        if self.names is not None:
            if name in self.names:
                raise OutputRefused(f"--name gives two results the name {name}; separate its parts")
            self.names.add(name)
        if not self.replace and os.path.exists(path):
            raise OutputRefused(f"{path} exists and no run recorded it; --overwrite replaces it, or choose another -o")
        return path


def within(folder: Path, path: Path) -> bool:
    """Whether `path`, links followed, lies in `folder`."""
    return path.parent.resolve().is_relative_to(folder.resolve())


def clear(folder: Path) -> None:
    """Removes what the run recorded in `folder` wrote, then the folders this leaves empty. A recorded name that leads
    out of the folder, by itself or through a link, is not followed."""
    parents = set()
    for name in chain(recorded(folder / RESULTS), exported(folder / EXPORTED)):
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts or "\0" in name or not within(folder, folder / inside):
            continue
        (folder / inside).unlink(missing_ok=True)
        parents |= set(inside.parents)
    for name in (RESULTS, TABLE, EXPORTED, RUN):
        (folder / name).unlink(missing_ok=True)
    for parent in sorted(parents, key=lambda one: -len(one.parts)):
        if parent.parts:
            with suppress(OSError):  # not empty, or gone
                (folder / parent).rmdir()


def recorded(results: Path) -> Iterator[str]:
    """The file names in a `results.jsonl`; a torn or foreign line has none."""
    if not results.exists():
        return
    with results.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            try:
                for one in json.loads(line)["maps"]:
                    yield from map(str, one["files"].values())
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                continue


def exported(names: Path) -> Iterator[str]:
    """The file names in an `exports.jsonl`; a torn or foreign line has none."""
    if not names.exists():
        return
    with names.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            with suppress(ValueError, RecursionError):
                yield str(json.loads(line))
