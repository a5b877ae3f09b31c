"""What a run did, counted as it goes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from cam_cli.errors import ImagesFailed
from cam_cli.specs.run import RunSpec


@dataclass
class Tally:
    """What is counted of any run. With several models, an image counts once for each.

    images: those that were to be done; where: the output folder or file, for people. before: results of earlier runs
    that stood, which are in the other counts too.
    """

    images: int
    models: int
    where: str
    before: int = 0
    done: int = 0
    failed: int = 0
    flagged: int = 0
    finished: bool = False
    stopped: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> int:
        return self.images * self.models

    @property
    def noun(self) -> str:
        """What is counted, for people."""
        return "image" if self.models == 1 else "result"

    @property
    def through(self) -> int:
        """Those that need nothing more."""
        return self.done

    @property
    def not_done(self) -> int:
        return self.total - self.through - self.failed

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def pace(self) -> float:
        """Results a second, of this run."""
        return (self.through - self.before) / max(self.seconds, 1e-9)

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("total", "done", "failed", "flagged")}


@dataclass
class Summary(Tally):
    """Of images that are explained. right, wrong: of all that have a truth; left_out: those that --only passed by, in
    no other count but these two."""

    maps: int = 0
    boxes: int = 0
    right: int = 0
    wrong: int = 0
    left_out: int = 0

    def judge(self, correct: bool | None) -> None:
        self.right += correct is True
        self.wrong += correct is False

    def add(self, record: dict[str, Any]) -> None:
        self.judge(record["correct"])
        self.done += record["error"] is None
        self.failed += record["error"] is not None
        self.maps += len(record["maps"])
        self.boxes += sum(len(one["boxes"] or ()) for one in record["maps"])
        self.flagged += bool(record["flags"] or any(one["flags"] for one in record["maps"]))

    def leave(self, correct: bool | None) -> None:
        self.left_out += 1
        self.judge(correct)

    @property
    def through(self) -> int:
        return self.done + self.left_out

    def counts(self) -> dict[str, int]:
        names = ("maps", "boxes", "right", "wrong", "left_out")
        return super().counts() | {name: getattr(self, name) for name in names}


def counted(number: int, noun: str) -> str:
    many = "es" if noun.endswith(("x", "s")) else "s"
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{many}"


def check_failures(run: RunSpec, summary: Summary) -> None:
    """Raises ImagesFailed when more images failed than --max-failures allows."""
    if summary.failed > run.failures_allowed(summary.done + summary.failed):
        rest = "; the others are done" if summary.done else ""
        raise ImagesFailed(f"{summary.failed} of {counted(summary.done + summary.failed, summary.noun)} failed{rest}")
