"""`evaluate`: plan, load, then images to rows, and rows to a report with its gates.

The plan needs no torch: a wrong name, a broken dataset, a taken folder are said at once.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from itertools import chain
from threading import Event
from typing import Any

from cam_cli.datasets.dataset import Dataset
from cam_cli.engine.judged import Judged
from cam_cli.engine.scorer import Scorer
from cam_cli.errors import ImageUnwritable
from cam_cli.outputs.exports.files import Files
from cam_cli.outputs.folder import ROWS, named
from cam_cli.outputs.known import Known
from cam_cli.outputs.maps import MapKeeper
from cam_cli.outputs.rows import RowBook
from cam_cli.outputs.run import described
from cam_cli.specs.evaluate import EvaluateSpec
from cam_cli.types import Failure

from .baseline import REPORT
from .bench import Bench, Lineup, from_files
from .course import Course
from .evaluation import Plan, make_plan
from .gates import check_runs
from .listener import Listener, Muted
from .numbers import Numbers, make_rules, recalibrated
from .outcome import Outcome
from .resuming import begin, check_facts, gathered
from .summary import counted
from .versions import versions

Row = dict[str, Any]


def evaluate(spec: EvaluateSpec, listener: Listener, stop: Event) -> Outcome:
    """One run of `spec`. Tells `listener` as it goes; `stop` ends it after the images in hand, and then there is no
    report.

    Raises what planning and loading raise, and OutputFailed and OutputRefused while writing. That images failed or a
    gate fell is not raised here: see `check_gates` and `check_failures`.
    """
    plan = make_plan(spec)
    plan.tell(listener)
    bench = make_bench(spec, plan.dataset, plan.numbers, listener)
    names, size, part = bench.lineup.names, bench.flow.batch_size, spec.run.part
    check_runs(plan.gates, bench.lineup.runs)
    facts = {**bench.lineup.as_json(), "batch_size": size, "listing": plan.listed, "versions": versions()}
    check_facts(plan.folder, facts, listener)
    if plan.calibration:
        facts["calibrated"] = calibrated(spec, plan, plan.calibration, listener, stop)
    numbers = numbers_of(spec, plan, bench.lineup, facts.get("calibrated"))
    if part.count > 1:
        count = len(plan.dataset.truths)
        plan = replace(plan, dataset=plan.dataset.part(part.places(count, size)))
        listener.note("shard", f"{part}: {len(plan.dataset.truths)} of {counted(count, 'image')}")
    ids = [truth.item.id for truth in plan.dataset.truths]
    outcome = Outcome(len(ids), len(names), str(plan.folder.path))
    if stop.is_set():  # in the middle of choosing a threshold: there is nothing to keep
        outcome.stopped = True
        return outcome
    plan.folder.open()
    run = {"command": list(spec.arguments), "spec": spec.as_json(), **facts}
    with described(plan.folder, run, outcome), closing(Files(plan.folder, "none")) as files:
        with gathered(plan.folder, ROWS, ids, list(names)) as known, RowBook(plan.folder.path) as book:
            outcome.before = len(known)
            begin(listener, outcome)
            maps = MapKeeper(plan.folder, len(bench.lineup.runs) > 1) if spec.report.save_maps else None
            with closing(rows_of(plan.dataset, bench, numbers, stop, known, maps)) as rows:
                for place, row in rows:
                    done = known[place] if row is None else row
                    book.add(done)
                    for name in named(done):
                        files.note(name)
                    outcome.add(done)
                    if row is not None:
                        listener.judged(row["image"], row["error"])
            known.remove()
        outcome.stopped = stop.is_set()
        if not outcome.stopped:
            conclude(spec, plan, bench.lineup, numbers, run["versions"], files, outcome)
    return outcome


def numbers_of(
    spec: EvaluateSpec, plan: Plan, lineup: Lineup, chosen: Mapping[str, tuple[float, str]] | None
) -> dict[str, Numbers]:
    """Of every run and baseline what is computed. chosen: of each its calibrated threshold, and on what data."""
    numbers = dict.fromkeys(chain.from_iterable(lineup.names.values()), plan.numbers)
    if chosen is None:
        return numbers
    return {run: recalibrated(own, make_rules(spec, (chosen[run][0], chosen[run][1]))) for run, own in numbers.items()}


def conclude(
    spec: EvaluateSpec,
    plan: Plan,
    lineup: Lineup,
    numbers: Mapping[str, Numbers],
    versions: Mapping[str, str],
    files: Files,
    outcome: Outcome,
) -> None:
    """The report, once all rows are there; none of no rows. Raises OutputFailed, OutputRefused."""
    if outcome.total:
        from .closing import close

        report = close(spec, plan, lineup, numbers, versions, files, outcome.seconds)
        outcome.report = plan.folder.path / REPORT
        outcome.gates, outcome.runs = report["gates"], report["runs"]
    files.settle()
    outcome.finished = True


def make_bench(spec: EvaluateSpec, dataset: Dataset, numbers: Numbers, listener: Listener) -> Bench:
    if spec.metric.maps is not None:
        return from_files(spec, dataset, listener)

    from .judges import from_models  # torch from here on

    return from_models(spec, dataset, numbers.asking, listener)


def rows_of(
    dataset: Dataset,
    bench: Bench,
    numbers: Mapping[str, Numbers],
    stop: Event,
    known: Known,
    keeper: MapKeeper | None = None,
) -> Generator[tuple[int, Row | None]]:
    """The rows of an evaluation, image by image and of each image model by model, in the order of the data, with their
    places; None where it is known. Where maps are kept, a row names their files."""
    lineup = bench.lineup
    drawn = frozenset(run["run"] for run in lineup.runs)
    metrics = {run: own.metrics for run, own in numbers.items()}
    scorer = Scorer(metrics, bench.truths, lineup.names, drawn, keeper is not None)

    def finish(outcome: Judged | Failure) -> Row:
        row = scorer(outcome)
        if keeper is None or row["error"]:
            return row
        try:
            return row | {"files": kept(outcome, keeper)}
        except ImageUnwritable as error:
            return scorer(Failure.of(outcome.item, error))

    def kept(outcome: Judged | Failure, keeper: MapKeeper) -> list[str]:
        assert isinstance(outcome, Judged)
        item = outcome.item
        labels, runs = bench.truths[item.model][item.id].labels, lineup.names[item.model]
        return [name for run in runs if run in drawn for name in keeper.put(item.id, run, outcome.found[run], labels)]

    course = Course[Judged | Failure](bench.flow, list(lineup.names), known)
    items = (replace(truth.item, place=place) for place, truth in enumerate(dataset.truths))
    yield from course.run(items, finish, stop)


def calibrated(
    spec: EvaluateSpec, plan: Plan, dataset: Dataset, listener: Listener, stop: Event
) -> dict[str, tuple[float, str]]:
    """`calibrate`, unless the run that is completed has done so."""
    before = (plan.folder.before or {}).get("calibrated")
    if before is None:
        return calibrate(spec, plan, dataset, listener, stop)
    return {run: (float(threshold), str(where)) for run, (threshold, where) in before.items()}


def calibrate(
    spec: EvaluateSpec, plan: Plan, dataset: Dataset, listener: Listener, stop: Event
) -> dict[str, tuple[float, str]]:
    """Of every run and baseline the threshold at which most boxes of `dataset` are right, and what that was: the same
    models over other data, of which nothing else is kept."""
    from .reporting import Tally

    numbers = plan.calibrating
    bench = make_bench(spec, dataset, numbers, Muted(listener))
    names = bench.lineup.names
    own = dict.fromkeys(chain.from_iterable(names.values()), numbers)
    listener.begin(len(dataset.truths) * len(names))
    rows = []
    with closing(rows_of(dataset, bench, own, stop, Known.nothing())) as made:
        for _, row in made:
            assert row is not None
            rows.append(row)
            listener.judged(row["image"], row["error"])
    found: dict[str, tuple[float, str]] = {}
    for model, runs in names.items():
        for run in runs:
            tally = Tally(run, [row for row in rows if row["model"] == model], numbers, 0, spec.run.seed)
            value = tally.values["gt_known_loc_best"]
            threshold = value.computed_with["threshold"] or 0.0
            found.setdefault(run, (float(threshold), f"{dataset.path} (n = {value.n})"))
    for run, (threshold, where) in found.items() if not stop.is_set() else ():
        listener.note("chosen", f"threshold {threshold:.2f} for {run}, on {where}")
    return found
