"""What an evaluation came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cam_cli.errors import GateFailed, ImagesFailed
from cam_cli.specs.run import RunSpec

from .summary import Tally, counted

Json = dict[str, Any]


@dataclass
class Outcome(Tally):
    """report: the path of `report.json`, None where the run was stopped before there was one. gates: its entries.
    runs: what to tell people."""

    report: Path | None = None
    gates: list[Json] = field(default_factory=list)
    runs: list[Json] = field(default_factory=list)

    def add(self, row: Mapping[str, Any]) -> None:
        self.done += row["error"] is None
        self.failed += row["error"] is not None
        drawn = [run["drawn"] for run in row["runs"].values()]
        self.flagged += bool(row["flags"] or any(one["flags"] for one in drawn if one))


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
