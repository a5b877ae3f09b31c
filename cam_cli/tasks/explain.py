"""`cam`, `gradcam` and `explain`: plan, load, then images in, files and records out.

The plan needs no torch, so that a wrong path or a taken output folder is said at once.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from typing import Any, BinaryIO

from cam_cli.errors import ImagesFailed, UsageError
from cam_cli.images.listing import Listing
from cam_cli.images.sources import list_images
from cam_cli.methods import METHODS
from cam_cli.outputs import KINDS
from cam_cli.outputs.book import Book
from cam_cli.outputs.destination import Destination, choose, spare_images, spare_inputs
from cam_cli.outputs.exporting import Exports, make_setting
from cam_cli.outputs.exports import EXPORTS
from cam_cli.outputs.exports.truth import Truth
from cam_cli.outputs.finishing import Finisher
from cam_cli.outputs.kind import Kind, Sheet, Style, parse_range
from cam_cli.outputs.naming import Naming
from cam_cli.outputs.run import describe
from cam_cli.specs import ExplainSpec, OutputSpec

from .listener import Listener


@dataclass
class Summary:
    """What a run did, counted as it goes. total: images listed; where: the output folder or file, for people."""

    total: int
    where: str
    done: int = 0
    failed: int = 0
    flagged: int = 0
    maps: int = 0
    stopped: bool = False
    started: float = field(default_factory=time.monotonic)

    def add(self, record: dict[str, Any]) -> None:
        self.done += record["error"] is None
        self.failed += record["error"] is not None
        self.maps += len(record["maps"])
        self.flagged += bool(record["flags"] or any(one["flags"] for one in record["maps"]))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def counts(self) -> dict[str, int]:
        names = ("total", "done", "failed", "flagged", "maps")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Plan:
    """What can be known before the model is loaded."""

    listing: Listing
    kinds: dict[str, Kind]
    destination: Destination
    truth: Truth | None = None


def explain(spec: ExplainSpec, listener: Listener, stop: Event, stdin: BinaryIO) -> Summary:
    """One run of `spec`. Tells `listener` as it goes; `stop` ends it after the images in hand.

    Raises what planning and loading raise, and OutputFailed and OutputRefused while writing. That images failed is not
    raised here: see `check_failures`.
    """
    plan = make_plan(spec, stdin)
    for text in plan.listing.notes:
        listener.note("input", text)

    from cam_cli.engine.pipeline import stream

    from .explainer import make_explainer, reader, versions  # torch from here on

    ready = make_explainer(spec, listener)
    maps_only = not any(isinstance(kind, Sheet) for kind in plan.kinds.values())
    if plan.destination.single and ready.naming.several and maps_only:
        raise UsageError(f"-o {spec.output.output} names one result, the options ask for several; name a folder")
    side_by_side = bool(ready.naming.several & {"method", "layer"})
    setting = make_setting(
        spec.export, ready.explainer.labels, plan.listing.whole, ready.facts["model"], plan.truth, side_by_side
    )
    summary = Summary(len(plan.listing), plan.destination.name)
    folder = plan.destination.folder
    run = {"command": list(spec.arguments), "spec": spec.as_json(), **ready.facts, "versions": versions()}
    if folder:
        folder.open()
        describe(folder, run, summary.counts(), None)
    listener.begin(len(plan.listing))
    results = stream(
        plan.listing,
        read=reader(spec, ready),
        explain=ready.explainer,
        finish=Finisher(plan.kinds, ready.naming, parse_range(spec.output.range), plan.destination),
        batch_size=ready.batch_size,
        workers=ready.workers,
        stop=stop,
    )
    exports = Exports.open(spec.export, setting, folder)
    with Book.open(folder) as book, exports, closing(results):
        try:
            for written in results:
                book.add(written.record)
                exports.add(written.record)
                summary.add(written.record)
                listener.result(written.record, written.paths, written.data)
            for text in exports.finish():
                listener.note("export", text)
        finally:
            summary.stopped = stop.is_set()
            if folder:
                describe(folder, run, summary.counts(), summary.seconds)
    return summary


def make_plan(spec: ExplainSpec, stdin: BinaryIO) -> Plan:
    """Reads the options that name things, lists the images, and looks at where results go; touches nothing."""
    for name in spec.method.methods:
        METHODS.entry(name)
    for name in spec.export.formats:
        EXPORTS.entry(name)
    kinds = make_kinds(spec.output)
    parse_range(spec.output.range)
    Naming(frozenset(), spec.output.name)
    destination = choose(spec.output, [kind.suffix for kind in kinds.values()], bool(spec.export.formats))
    spare_inputs(destination, spec.inputs)
    output = str(destination.folder.path) if destination.folder else None
    listing = list_images(spec.inputs, output=output, stdin=stdin, nul=spec.run.nul)
    spare_images(destination, listing.paths)
    listing = listing.take(spec.run.limit, spec.run.sample, spec.run.seed)
    if destination.single and len(listing) != 1:
        raise UsageError(
            f"-o {spec.output.output} takes the result of one image, the inputs hold {len(listing)}; name a folder"
        )
    truth = Truth.read(spec.export.ids_from) if spec.export.ids_from is not None else None
    if truth:
        truth.check_images(listing.ids)
    return Plan(listing, kinds, destination, truth)


def make_kinds(spec: OutputSpec) -> dict[str, Kind]:
    """The kinds of `--save`, in its order. Raises UsageError."""
    names = [name.strip() for text in spec.save for name in text.split(",")]
    if "none" in names:
        if len(names) > 1:
            raise UsageError("--save none stands alone")
        names = []
    style = Style.of(spec)
    return {name: KINDS.load(name)(style) for name in names}


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def check_failures(spec: ExplainSpec, summary: Summary) -> None:
    """Raises ImagesFailed when more images failed than --max-failures allows."""
    if summary.failed > spec.run.failures_allowed(summary.done + summary.failed):
        rest = "; the others are done" if summary.done else ""
        raise ImagesFailed(f"{summary.failed} of {counted(summary.done + summary.failed, 'image')} failed{rest}")
