"""The output folder: whose it is, what of it a run may replace, and its `run.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

from cam_cli.errors import OutputFailed, OutputRefused, UsageError
from cam_cli.images.walk import is_run

from . import atomic

SCRATCH = "camtool-out"
RESULTS, TABLE, RUN = "results.jsonl", "results.csv", "run.json"
ROWS, LEFT_OUT, SHARD = "rows.jsonl", "left_out.jsonl", "shard.json"
EXPORTED = "exports.jsonl"
"""The names of the files that exports wrote, a JSON string a line: no record names them."""
EARLIER = "earlier.jsonl"
"""What earlier runs had done, while a run with --resume writes the other files anew: see `known`."""


@dataclass
class Folder:
    """An output folder that this run may write.

    names: those written so far, where a template makes them and so could make one twice; else None.
    before: the `run.json` of the run that this one completes, if it does.
    since: in nanoseconds; files changed before are not ours to replace. Known once it is open, or where a run that was
    cut off began before.
    """

    path: Path
    names: set[str] | None = None
    before: Mapping[str, Any] | None = None
    since: int | None = None

    @classmethod
    def check(cls, path: str | None, overwrite: bool, templated: bool, resume: bool = False) -> Folder:
        """Looks, and touches nothing. Raises OutputRefused where the path is a file, where it holds another run and
        neither `overwrite` nor `resume` is given (the scratch folder, also `path` None, needs none), or where it cannot
        be written."""
        if overwrite and resume:
            raise UsageError("--resume completes what is there, --overwrite replaces it; choose one")
        folder = Path(path or SCRATCH)
        scratch = folder == Path(SCRATCH)
        there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists() or one.is_symlink())
        if not there.is_dir():
            raise OutputRefused(f"the output folder cannot be {folder}: {there} is a file; choose another -o")
        if not os.access(there, os.W_OK | os.X_OK):
            raise OutputRefused(
                f"the output folder {folder} cannot be written: no permission in {there}; choose another -o"
            )
        run = read_run(folder)
        if run is not None and not (overwrite or resume or scratch):
            raise OutputRefused(
                f"{folder} holds another run's results; --resume completes it if it is the same run, --overwrite "
                "replaces them, or choose another -o"
            )
        strange = [name for name in (RUN, RESULTS, TABLE, ROWS, EXPORTED) if (folder / name).exists() and run is None]
        if strange and not overwrite:
            raise OutputRefused(
                f"{folder / strange[0]} exists and no run recorded it; --overwrite replaces it, or choose another -o"
            )
        cut_off = run is not None and not run.get("finished")
        since = 0 if overwrite else began(run) if run and (resume or cut_off) else None
        return cls(folder, set() if templated else None, run if resume else None, since)

    def open(self) -> None:
        """Makes the folder. An earlier run's recorded files go, unless this one completes it, and so does what was half
        written when one was killed; nothing else does. Raises OutputFailed."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if self.before is None and is_run(str(self.path)):
                clear(self.path)
            tidy(self.path)
            if self.since is None:
                self.since = now(self.path) if any(self.path.iterdir()) else 0
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
        self.claim(name)
        if self.since != 0 and os.path.exists(path) and not (self.since and path.lstat().st_ctime_ns >= self.since):
            raise OutputRefused(f"{path} exists and no run recorded it; --overwrite replaces it, or choose another -o")
        return path

    def claim(self, name: str) -> None:
        """Raises OutputRefused where this run has given a name twice."""
        if self.names is not None:
            if name in self.names:
                raise OutputRefused(f"--name gives two results the name {name}; separate its parts")
            self.names.add(name)


def read_run(folder: Path) -> dict[str, Any] | None:
    """The `run.json` of a folder, None where there is none of ours; one that cannot be understood is empty."""
    if not is_run(str(folder)):
        return None
    try:
        run = json.loads((folder / RUN).read_bytes())
    except (OSError, ValueError, RecursionError):
        run = {}
    return run if isinstance(run, dict) else {}


def began(run: Mapping[str, Any]) -> int | None:
    """Since when the files of a run are its own; None where it does not say."""
    timing = run.get("timing")
    since = timing.get("since") if isinstance(timing, dict) else None
    return since if isinstance(since, int) else None


def now(folder: Path) -> int:
    """The time by the clock that stamps the files of `folder`, in nanoseconds, once it has moved on: every file that is
    there was changed before. Raises OSError."""
    draft = atomic.draft_beside(folder / RUN)
    try:
        draft.touch()
        begin = found = draft.stat().st_ctime_ns
        while found == begin:  # some milliseconds; a second where the file system counts those
            os.utime(draft)
            found = draft.stat().st_ctime_ns
        return found
    finally:
        draft.unlink(missing_ok=True)


def within(folder: Path, path: Path) -> bool:
    """Whether `path`, links followed, lies in `folder`."""
    return path.parent == folder or path.parent.resolve().is_relative_to(folder.resolve())


def clear(folder: Path) -> None:
    """Removes what the run recorded in `folder` wrote, then the folders this leaves empty. A recorded name that leads
    out of the folder, by itself or through a link, is not followed."""
    parents = set()
    for name in chain(recorded(folder / RESULTS), recorded(folder / EARLIER), exported(folder / EXPORTED)):
        if inside := below(folder, name):
            inside.unlink(missing_ok=True)
            parents |= set(PurePosixPath(name).parents)
    for name in (RESULTS, TABLE, ROWS, LEFT_OUT, SHARD, EARLIER, EXPORTED, RUN):
        (folder / name).unlink(missing_ok=True)
    for parent in sorted(parents, key=lambda one: -len(one.parts)):
        if parent.parts:
            with suppress(OSError):  # not empty, or gone
                (folder / parent).rmdir()


def below(folder: Path, name: str) -> Path | None:
    """The path of a recorded name; None for one that leads out of the folder, by itself or through a link."""
    inside = PurePosixPath(name)
    if inside.is_absolute() or ".." in inside.parts or "\0" in name or not within(folder, folder / inside):
        return None
    return folder / inside


def tidy(folder: Path) -> None:
    """Removes what was half written when a run was killed. Raises OSError."""
    for place, _, names in os.walk(folder):
        for name in names:
            if atomic.DRAFT.fullmatch(name):
                Path(place, name).unlink(missing_ok=True)


def named(record: Mapping[str, Any]) -> Iterator[str]:
    """The files of a result, or of a row of `evaluate`, each once: names below the output folder. Raises KeyError,
    TypeError, AttributeError for a foreign record."""
    names = [str(name) for one in record.get("maps", ()) for name in one["files"].values()]
    yield from dict.fromkeys([*names, *map(str, record.get("files", ()))])


def recorded(results: Path) -> Iterator[str]:
    """The file names in a `results.jsonl`; a torn or foreign line has none."""
    if not results.exists():
        return
    with results.open(encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            try:
                yield from named(json.loads(line))
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
