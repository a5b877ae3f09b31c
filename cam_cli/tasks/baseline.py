"""An earlier evaluation to compare with, image by image: --baseline."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cam_cli.errors import ReportUnreadable, UsageError
from cam_cli.metrics.statistics import difference
from cam_cli.outputs.rows import read_rows

from .numbers import Numbers
from .reporting import Reporter, Tally, bounds, common, figure

REPORT, SCHEMA = "report.json", "camtool.report/1"
RULES = ("threshold", "tolerance", "tolerance_in", "interpolation", "by_class", "class")
"""What of a report's protocol two evaluations must share, or their rows say different things."""


@dataclass(frozen=True)
class Earlier:
    """An evaluation's folder as it was written. report: its `report.json`."""

    folder: str
    report: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, folder: str) -> Earlier:
        """Raises ReportUnreadable."""
        path = Path(folder, REPORT)
        try:
            report = json.loads(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            why = getattr(error, "strerror", None) or error
            raise ReportUnreadable(
                f"--baseline {folder}: {path} cannot be read ({why}); name an output folder of `camtool evaluate`"
            ) from error
        if not isinstance(report, dict) or report.get("schema") != SCHEMA:
            raise ReportUnreadable(f"--baseline {folder}: {path} is no report of `camtool evaluate`")
        return cls(folder, report, list(read_rows(folder)))

    def check(self, protocol: Mapping[str, Any], ids: Sequence[str]) -> None:
        """Raises UsageError where it was computed by other rules, or has none of the images."""
        for rule in RULES:
            before, now = self.report["protocol"].get(rule), protocol.get(rule)
            if before != now:
                raise UsageError(
                    f"--baseline {self.folder} was computed with {rule} {before}, this run with {now}; use the same"
                )
        if not {row["id"] for row in self.rows} & set(ids):
            raise UsageError(f"--baseline {self.folder} has none of these images; evaluate the same data")

    def changes(self, reporter: Reporter, numbers: Mapping[str, Numbers]) -> Iterator[dict[str, Any]]:
        """Of each run that it has too (its only run, where both have one), every number: now less before, on the images
        that both have."""
        theirs = {run["run"]: run for run in self.report["runs"]}
        for run in reporter.runs:
            before = theirs.get(run["run"])
            if before is None and len(theirs) == len(reporter.runs) == 1:
                (before,) = theirs.values()
            if before is None:
                continue
            mine, old = common(
                reporter.rows_of(run["model"]), [row for row in self.rows if row["model"] == before["model"]]
            )
            now = Tally(run["run"], mine, numbers[run["run"]], reporter.resamples, reporter.seed)
            then = Tally(
                before["run"], old, had(numbers[run["run"]], old, before["run"]), reporter.resamples, reporter.seed
            )
            for name, value in now.values.items():
                known = then.values.get(name)
                change = None if known is None else difference(value, known)
                yield {
                    "run": run["run"],
                    "metric": name,
                    "before": None if known is None else figure(float(known.values[0])),
                    "after": figure(float(value.values[0])),
                    "difference": None if change is None else figure(change.value),
                    "ci95": None if change is None else bounds(change.interval),
                    "n": 0 if known is None else min(value.n, known.n),
                    "higher_is_better": reporter.metric(name).higher_is_better,
                    "baseline": self.folder,
                }


def had(numbers: Numbers, rows: Sequence[Mapping[str, Any]], run: str) -> Numbers:
    """The numbers that an earlier run kept rows of."""
    kept = set(rows[0]["runs"][run]["rows"]) if rows else set()
    return Numbers({key: metric for key, metric in numbers.metrics.items() if key in kept}, numbers.wanted, {})
