"""Rows to a report: every number is a fold over what was kept of each image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import isfinite
from typing import Any

import numpy as np

from cam_cli.datasets.dataset import natural
from cam_cli.metrics.metric import Metric, Value
from cam_cli.metrics.statistics import difference, interval, weightings
from cam_cli.outputs.record import number

from .numbers import Numbers

Json = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]
BY_CLASS = "class"


@dataclass(frozen=True)
class Tally:
    """The numbers of one run (or baseline) over some rows of its model. resamples, seed: of the bootstrap. label: the
    class that they are about, None for all."""

    run: str
    rows: Rows
    numbers: Numbers
    resamples: int
    seed: int
    label: str | None = None

    @cached_property
    def values(self) -> dict[str, Value]:
        """By name, what of a metric is wanted."""
        weights = weightings(len(self.rows), self.resamples, self.seed)
        found: dict[str, Value] = {}
        for key, metric in self.numbers.metrics.items():
            reduced = metric.reduce(self.kept(key), weights)
            found |= {name: reduced[name] for name in self.numbers.of(metric) if name in reduced}
        return {name: found[name] for name in self.numbers.wanted if name in found}

    def kept(self, key: str) -> list[Any]:
        """What a metric kept of each image."""
        kept = [row["runs"][self.run]["rows"][key] for row in self.rows]
        if self.label is None:
            return kept
        metric = self.numbers.metrics[key]
        return [None if row is None else metric.about(row, self.label) for row in kept]

    def curves(self) -> Iterator[Json]:
        for key, metric in self.numbers.metrics.items():
            for name, curve in metric.curves(self.kept(key)).items():
                yield {
                    "curve": name,
                    "x": [number(float(x)) for x in curve.x],
                    "y": [number(float(y)) for y in curve.y],
                    "x_name": curve.x_name,
                    "y_name": curve.y_name,
                }


@dataclass(frozen=True)
class Reporter:
    """What the rows of an evaluation amount to. numbers: by run and baseline. runs: of each, in order, what
    `report.json` says beside its numbers. baselines: their names. by: columns whose values every number is repeated
    for."""

    rows: Rows
    numbers: Mapping[str, Numbers]
    runs: Sequence[Json]
    baselines: Sequence[str]
    by: Sequence[str]
    resamples: int
    seed: int

    @cached_property
    def tallies(self) -> dict[str, Tally]:
        """By run."""
        return {run["run"]: self.tally(run["run"], self.rows_of(run["model"])) for run in self.runs}

    def tally(self, run: str, rows: Rows) -> Tally:
        return Tally(run, rows, self.numbers[run], self.resamples, self.seed)

    def rows_of(self, model: str) -> Rows:
        return [row for row in self.rows if row["model"] == model]

    def runs_json(self) -> Iterator[Json]:
        beside = {
            model: {name: self.tally(name, self.rows_of(model)).values for name in self.baselines}
            for model in dict.fromkeys(run["model"] for run in self.runs)
        }
        for run in self.runs:
            tally = self.tallies[run["run"]]
            yield {
                **run,
                "metrics": [
                    self.metric_json(name, value, {one: known[name] for one, known in beside[run["model"]].items()})
                    for name, value in tally.values.items()
                ],
                "curves": list(tally.curves()),
                "groups": list(self.groups_json(run)),
            }

    def metric_json(self, name: str, value: Value, baselines: Mapping[str, Value]) -> Json:
        metric = self.metric(name)
        if metric.group == "classification":  # which no map changes
            baselines = {}
        return {
            "metric": name,
            "group": metric.group,
            **summary(value),
            "higher_is_better": metric.higher_is_better,
            "oracle": "oracle" in str(value.computed_with.get("chosen_on", "")),
            "computed_with": plain(value.computed_with),
            "baselines": {
                one: {key: summary(other)[key] for key in ("value", "ci95")} for one, other in baselines.items()
            },
        }

    def metric(self, name: str) -> Metric:
        metrics = next(iter(self.numbers.values())).metrics
        return next(metric for metric in metrics.values() if name in metric.names)

    def groups_json(self, run: Json) -> Iterator[Json]:
        rows = self.rows_of(run["model"])
        for column in self.by:
            members: dict[str, list[Mapping[str, Any]]] = {}
            for row in rows:
                for value in row["labels"] if column == BY_CLASS else [row["columns"].get(column, "")]:
                    members.setdefault(value, []).append(row)
            for value in sorted(members, key=natural):
                mine = members[value]
                by_class = column == BY_CLASS
                values = self.of_class(run, value, mine) if by_class else self.tally(run["run"], mine).values
                metrics = [{"metric": name, **summary(found)} for name, found in values.items()]
                yield {"column": column, "value": value, "images": len(mine), "metrics": metrics}

    def of_class(self, run: Json, label: str, mine: Rows) -> dict[str, Value]:
        """The numbers of one class, in which others play no part: over its images, and where a number ranks images over
        all, for those without the class are what it is told from. mine: the rows that have it."""
        name, numbers, found = run["run"], self.numbers[run["run"]], dict[str, Value]()
        for rows, ranks in ((mine, False), (self.rows_of(run["model"]), True)):
            found |= Tally(name, rows, numbers.ranking(ranks), self.resamples, self.seed, label).values
        return {one: found[one] for one in numbers.wanted if one in found}

    def comparisons_json(self) -> Iterator[Json]:
        """Every two runs, on the same resamples of the same images."""
        for one, other in combinations(self.runs, 2):
            mine, theirs = (self.tallies[run["run"]].values for run in (one, other))
            for name in mine:
                change = difference(mine[name], theirs[name])
                yield {
                    "metric": name,
                    "a": one["run"],
                    "b": other["run"],
                    "difference": figure(change.value),
                    "ci95": bounds(change.interval),
                    "n": min(mine[name].n, theirs[name].n),
                }


def summary(value: Value) -> Json:
    return {"value": figure(float(value.values[0])), "ci95": bounds(interval(value)), "n": value.n}


def figure(value: float) -> float | int | None:
    """A number of a report: to nine digits, none where it is not defined."""
    return number(value, 9) if isfinite(value) else None


def bounds(ends: tuple[float, float] | None) -> list[float | int | None] | None:
    return None if ends is None else [figure(end) for end in ends]


def plain(value: Any) -> Any:
    """NumPy's scalars and tuples as JSON has them."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return figure(value) if isinstance(value, float) else value


def common(rows: Iterable[Mapping[str, Any]], others: Iterable[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    """The rows of the images that both have, in the order of the first."""
    known = {row["id"]: row for row in others}
    mine = [row for row in rows if row["id"] in known]
    return mine, [known[row["id"]] for row in mine]
