"""`run.json`: what was run, with what, and how it went."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Protocol

from cam_cli.errors import OutputFailed

from . import atomic
from .folder import RUN, Folder

SCHEMA = "camtool.run/1"


class Told(Protocol):
    """How a run goes. finished: whether it did everything it was to do."""

    finished: bool

    @property
    def seconds(self) -> float: ...

    def counts(self) -> dict[str, int]: ...


@contextmanager
def described(folder: Folder | None, run: Mapping[str, Any], told: Told) -> Iterator[None]:
    """Writes the `run.json` of an open folder when the run begins, and again when it ends, however that is. Raises
    OutputFailed, but not instead of an error that ended the run."""
    if folder is None:
        yield
        return
    describe(folder, run, told.counts(), False, None)
    try:
        yield
    except BaseException:
        with suppress(OutputFailed):
            describe(folder, run, told.counts(), False, told.seconds)
        raise
    describe(folder, run, told.counts(), told.finished, told.seconds)


def describe(
    folder: Folder, run: Mapping[str, Any], counts: Mapping[str, int], finished: bool, seconds: float | None
) -> None:
    """Raises OutputFailed."""
    timing = {
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": seconds and round(seconds, 3),
        "since": folder.since,
    }
    whole = {"schema": SCHEMA, **run, "counts": counts, "finished": finished, "timing": timing}
    atomic.write(folder.path / RUN, (json.dumps(whole, indent=1) + "\n").encode())
