"""`evaluate`: plan, load, then images to rows, and rows to a report with its gates.

The plan needs no torch: a wrong name, a broken dataset, a taken folder are said at once.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

from cam_cli.datasets.dataset import Dataset
from cam_cli.engine.judged import Judged
from cam_cli.engine.scorer import Scorer
from cam_cli.errors import GateFailed, ImagesFailed
from cam_cli.outputs.exports.files import Files
from cam_cli.outputs.maps import MapKeeper
from cam_cli.outputs.rows import ROWS, RowBook
from cam_cli.outputs.run import describe
from cam_cli.specs.evaluate import EvaluateSpec
from cam_cli.types import Failure

from .bench import Bench, from_files
from .evaluation import Plan, make_plan
from .explain import counted
from .gates import check_runs
from .listener import Listener, Muted
from .numbers import Numbers, make_rules, recalibrated
from .versions import versions

Row = dict[str, Any]


@dataclass
class Outcome:
    """What an evaluation came to, counted as it goes; with several models, an image counts once for each.

    report: the path of `report.json`, None where the run was stopped before there was one. gates: its entries.
    numbers: of each run, what to tell people.
    """

    images: int
    models: int
    where: str
    done: int = 0
    failed: int = 0
    report: Path | None = None
    gates: list[Row] = field(default_factory=list)
    runs: list[Row] = field(default_factory=list)
    stopped: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def total(self) -> int:
        return self.images * self.models

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("total", "done", "failed")}


def evaluate(spec: EvaluateSpec, listener: Listener, stop: Event) -> Outcome:
    """One run of `spec`. Tells `listener` as it goes; `stop` ends it after the images in hand, and then there is no
    report.

    Raises what planning and loading raise, and OutputFailed and OutputRefused while writing. That images failed or a
    gate fell is not raised here: see `check_gates` and `check_failures`.
    """
    plan = make_plan(spec)
    plan.tell(listener)
    bench = make_bench(spec, plan.dataset, plan.numbers, listener)
    check_runs(plan.gates, bench.runs)
    numbers = dict.fromkeys(chain.from_iterable(bench.names.values()), plan.numbers)
    if plan.calibration:
        chosen = calibrate(spec, plan, plan.calibration, listener, stop)
        numbers = {run: recalibrated(own, make_rules(spec, chosen[run])) for run, own in numbers.items()}
    outcome = Outcome(len(plan.dataset.truths), len(bench.names), str(plan.folder.path))
    plan.folder.open()
    run = {"command": list(spec.arguments), "spec": spec.as_json(), **bench.facts, "versions": versions()}
    describe(plan.folder, run, outcome.counts(), None)
    with closing(Files(plan.folder, "none")) as files, RowBook.open(plan.folder.path) as book:
        files.note(ROWS)
        keeper = MapKeeper(files, len(bench.runs) > 1) if spec.report.save_maps else None
        listener.begin(outcome.total)
        with closing(rows_of(spec, plan.dataset, bench, numbers, stop, keeper)) as rows:
            for row in rows:
                book.add(row)
                outcome.done += row["error"] is None
                outcome.failed += row["error"] is not None
                listener.judged(row["image"], row["error"])
        outcome.stopped = stop.is_set()
        if not outcome.stopped:
            from .closing import close

            report = close(spec, plan, bench, numbers, files, outcome.seconds)
            outcome.report, outcome.gates, outcome.runs = (
                plan.folder.path / "report.json",
                report["gates"],
                report["runs"],
            )
    describe(plan.folder, run, outcome.counts(), outcome.seconds)
    return outcome


def make_bench(spec: EvaluateSpec, dataset: Dataset, numbers: Numbers, listener: Listener) -> Bench:
    if spec.metric.maps is not None:
        return from_files(spec, dataset, listener)

    from .judges import from_models  # torch from here on

    return from_models(spec, dataset, numbers.asking, listener)


def rows_of(
    spec: EvaluateSpec,
    dataset: Dataset,
    bench: Bench,
    numbers: Mapping[str, Numbers],
    stop: Event,
    keeper: MapKeeper | None = None,
) -> Generator[Row]:
    """The rows of an evaluation, image by image and of each image model by model, in the order of the data."""
    drawn = frozenset(run["run"] for run in bench.runs)
    metrics = {run: own.metrics for run, own in numbers.items()}
    scorer = Scorer(metrics, bench.truths, bench.names, drawn, keeper is not None)

    def finish(outcome: Judged | Failure) -> Row:
        row = scorer(outcome)
        if keeper and isinstance(outcome, Judged):
            labels = bench.truths[outcome.item.model][outcome.item.id].labels
            for run in bench.names[outcome.item.model]:
                if run in drawn:
                    keeper.put(outcome.item.id, run, outcome.found[run], labels)
        return row

    yield from bench.flow.run((truth.item for truth in dataset.truths), finish, stop)


def calibrate(
    spec: EvaluateSpec, plan: Plan, dataset: Dataset, listener: Listener, stop: Event
) -> dict[str, tuple[float, str]]:
    """Of every run and baseline the threshold at which most boxes of `dataset` are right, and what that was: the same
    models over other data, of which nothing else is kept."""
    from .reporting import Tally

    numbers = plan.calibrating
    bench = make_bench(spec, dataset, numbers, Muted(listener))
    own = dict.fromkeys(chain.from_iterable(bench.names.values()), numbers)
    listener.begin(len(dataset.truths) * len(bench.names))
    rows = []
    with closing(rows_of(spec, dataset, bench, own, stop)) as made:
        for row in made:
            rows.append(row)
            listener.judged(row["image"], row["error"])
    found: dict[str, tuple[float, str]] = {}
    for model, names in bench.names.items():
        for run in names:
            tally = Tally(run, [row for row in rows if row["model"] == model], numbers, 0, spec.run.seed)
            value = tally.values["gt_known_loc_best"]
            threshold = value.computed_with["threshold"] or 0.0
            found.setdefault(run, (float(threshold), f"{dataset.path} (n = {value.n})"))
    for run, (threshold, where) in found.items() if not stop.is_set() else ():
        listener.note("chosen", f"threshold {threshold:.2f} for {run}, on {where}")
    return found


def check_gates(outcome: Outcome) -> None:
    """Raises GateFailed where one fell; the table of what fell is with `gates_told`."""
    fallen = [gate for gate in outcome.gates if not gate["passed"]]
    if fallen:
        worst = fallen[0]
        name = f"{worst['run']}: {worst['gate']}"
        raise GateFailed(
            f"{len(fallen)} of {counted(len(outcome.gates), 'gate')} fell, first {name} ({worst['why']}); "
            f"see {outcome.report}"
        )


def check_failures(spec: EvaluateSpec, outcome: Outcome) -> None:
    """Raises ImagesFailed when more images failed than --max-failures allows."""
    if outcome.failed > spec.run.failures_allowed(outcome.done + outcome.failed):
        total = counted(outcome.done + outcome.failed, "image")
        raise ImagesFailed(f"{outcome.failed} of {total} failed; they count as wrong where they could have been right")
