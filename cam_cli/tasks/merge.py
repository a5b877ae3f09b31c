"""`merge`: shards in, and out what one run over all images would have left."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Any

from cam_cli.errors import OutputRefused, ShardUnfit
from cam_cli.outputs import atomic
from cam_cli.outputs.book import Book
from cam_cli.outputs.exporting import Exports, make_setting
from cam_cli.outputs.exports.files import Files
from cam_cli.outputs.exports.ids import Ids
from cam_cli.outputs.folder import RESULTS, ROWS, Folder, named
from cam_cli.outputs.record import LEFT_OUT_SCHEMA
from cam_cli.outputs.rows import RowBook
from cam_cli.outputs.run import described
from cam_cli.outputs.share import Share, interleaved
from cam_cli.specs import ExplainSpec
from cam_cli.specs.evaluate import EvaluateSpec
from cam_cli.specs.merge import MergeSpec
from cam_cli.specs.run import RunSpec

from .bench import Lineup
from .evaluate import conclude, numbers_of
from .evaluation import make_plan
from .explain import boxes_of, make_kinds
from .keeper import Keeper
from .listener import Listener
from .outcome import Outcome
from .shares import complete, whole_spec
from .summary import Summary


def merge(spec: MergeSpec, listener: Listener, stop: Event) -> tuple[RunSpec, Summary | Outcome]:
    """Joins the shards of a run. Returns how the run was to go, by which failures are judged, and what it came to.
    Tells `listener` as one run would; `stop` ends it.

    Raises InputMissing, ShardUnfit, OutputRefused, OutputFailed, and for an evaluation what reading its data raises.
    """
    shares = complete([Share.read(path) for path in spec.shards])
    spare(spec, shares)
    for text in (f"{share.shard}: {share.path}" for share in shares):
        listener.note("shard", text)
    whole = whole_spec(spec, shares, listener)
    if isinstance(whole, EvaluateSpec):
        return whole.run, join_rows(whole, shares, listener, stop)
    return whole.run, join_results(whole, shares, listener, stop)


def spare(spec: MergeSpec, shares: list[Share]) -> None:
    """Raises OutputRefused where the output folder is that of a shard."""
    output = Path(spec.joined.output or "").resolve()
    for share in shares:
        if share.path.resolve() == output:
            raise OutputRefused(f"-o {spec.joined.output} is shard {share.shard} itself; choose another")


def join_results(whole: ExplainSpec, shares: list[Share], listener: Listener, stop: Event) -> Summary:
    folder = Folder.check(whole.output.output, whole.output.overwrite, False)
    run, boxes, ids = shares[0].run, boxes_of(whole, make_kinds(whole)), whole.export.ids_from
    setting = make_setting(
        whole.export,
        shares[0].labels,
        shares[0].whole,
        run["models"][0],
        None if ids is None else Ids.read(ids),
        threshold=boxes.threshold if boxes else "",
    )
    images, models = run["listing"]["images"], len(run["models"])
    summary = Summary(images, models, str(folder.path))
    folder.open()
    with described(folder, joined(run, whole), summary):
        listener.begin(summary.total, "joining")
        exports = Exports.open(whole.export, setting, folder)
        with Book.open(folder, whole.classes.only is not None) as book, exports:
            keeper = Keeper(folder, book, exports, summary, listener)
            for share, record in interleaved(shares, RESULTS, images, models, run["batch_size"]):
                if stop.is_set():
                    break
                paths = tuple(str(place(folder, share, name)) for name in named(record))
                keeper.add(record, share.path)
                if record["schema"] == LEFT_OUT_SCHEMA:
                    listener.left_out(record["image"], record["correct"])
                else:
                    listener.result(record, paths, None)
            keeper.finish()
        summary.stopped = stop.is_set()
        summary.finished = not summary.stopped
    return summary


def join_rows(whole: EvaluateSpec, shares: list[Share], listener: Listener, stop: Event) -> Outcome:
    """The data are read again, for the report says what they hold."""
    plan, run = make_plan(whole), shares[0].run
    if plan.listed != run["listing"]:
        raise ShardUnfit(f"{whole.dataset} is not what the shards went through: it has changed; run them again")
    plan.tell(listener)
    lineup = Lineup.of(run, whole.metric.baselines)
    numbers = numbers_of(whole, plan, lineup, run.get("calibrated"))
    images, models = run["listing"]["images"], len(lineup.names)
    outcome = Outcome(images, models, str(plan.folder.path))
    plan.folder.open()
    with described(plan.folder, joined(run, whole), outcome), closing(Files(plan.folder, "none")) as files:
        listener.begin(outcome.total, "joining")
        with RowBook(plan.folder.path) as book:
            for share, row in interleaved(shares, ROWS, images, models, run["batch_size"]):
                if stop.is_set():
                    break
                for name in named(row):
                    place(plan.folder, share, name)
                    files.note(name)
                book.add(row)
                outcome.add(row)
                listener.judged(row["image"], row["error"])
        outcome.stopped = stop.is_set()
        if not outcome.stopped:
            conclude(whole, plan, lineup, numbers, run["versions"], files, outcome)
    return outcome


def joined(run: Mapping[str, Any], whole: ExplainSpec | EvaluateSpec) -> dict[str, Any]:
    """What `run.json` says of the whole: what those of its shards say, which is the same."""
    own = ("schema", "counts", "finished", "timing")
    kept = {key: value for key, value in run.items() if key not in own}
    return {**kept, "command": list(whole.arguments), "spec": whole.as_json()}


def place(folder: Folder, share: Share, name: str) -> Path:
    """A shard's file, put into the whole: a hard link where there can be one. Raises ShardUnfit where it is gone,
    OutputRefused, OutputFailed."""
    original = share.path / name
    if not original.is_file():
        raise ShardUnfit(f"{original} is gone; complete shard {share.shard} with --resume")
    path = folder.admit(name)
    atomic.place(path, str(original), link=True)
    return path
