"""What an evaluation came to."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cam_cli.errors import GateFailed, ImagesFailed
from cam_cli.specs.run import RunSpec

from .summary import counted

Json = dict[str, Any]


@dataclass
class Outcome:
    """Counted as it goes; with several models, an image counts once for each. before: rows of earlier runs that stood,
    which are in the other counts too.

    report: the path of `report.json`, None where the run was stopped before there was one. gates: its entries.
    runs: what to tell people.
    """

    images: int
    models: int
    where: str
    before: int = 0
    done: int = 0
    failed: int = 0
    flagged: int = 0
    report: Path | None = None
    gates: list[Json] = field(default_factory=list)
    runs: list[Json] = field(default_factory=list)
    finished: bool = False
    stopped: bool = False
    started: float = field(default_factory=time.monotonic)

    def add(self, row: Mapping[str, Any]) -> None:
        self.done += row["error"] is None
        self.failed += row["error"] is not None
        drawn = [run["drawn"] for run in row["runs"].values()]
        self.flagged += bool(row["flags"] or any(one["flags"] for one in drawn if one))

    @property
    def total(self) -> int:
        return self.images * self.models

    @property
    def noun(self) -> str:
        """What is counted, for people."""
        return "image" if self.models == 1 else "result"

    @property
    def not_done(self) -> int:
        return self.total - self.done - self.failed

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def pace(self) -> float:
        """Rows a second, of this run."""
        return (self.done - self.before) / max(self.seconds, 1e-9)

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("total", "done", "failed", "flagged")}


def check_gates(outcome: Outcome) -> None:
    """Raises GateFailed where a number is on the wrong side of its bar."""
    fallen = [gate for gate in outcome.gates if not gate["passed"]]
    if fallen:
        worst = fallen[0]
        name = f"{worst['run'] or 'no run'}: {worst['gate']}"
        raise GateFailed(
            f"{len(fallen)} of {counted(len(outcome.gates), 'gate')} fell, first {name} ({worst['why']}); "
            f"see {outcome.report}"
        )


def check_failures(run: RunSpec, outcome: Outcome) -> None:
    """Raises ImagesFailed when more images failed than --max-failures allows."""
    if outcome.failed > run.failures_allowed(outcome.done + outcome.failed):
        total = counted(outcome.done + outcome.failed, "image")
        raise ImagesFailed(f"{outcome.failed} of {total} failed; they count as wrong where they could have been right")
