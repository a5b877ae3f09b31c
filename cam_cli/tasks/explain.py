"""`cam`, `gradcam`, `explain` and `localize`: plan, load, then images in, files and records out.

The plan needs no torch, so that a wrong path or a taken output folder is said at once.
"""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event
from typing import Any, BinaryIO

from cam_cli.errors import ImagesFailed, UsageError
from cam_cli.images.intensity import Intensity
from cam_cli.images.listing import Listing
from cam_cli.images.recipe import asked
from cam_cli.images.sources import list_images
from cam_cli.images.truth import Called, read_truth
from cam_cli.methods.choice import Choice
from cam_cli.outputs import KINDS
from cam_cli.outputs.book import Book
from cam_cli.outputs.destination import Destination, choose, spare_images, spare_inputs
from cam_cli.outputs.exporting import Exports, make_setting
from cam_cli.outputs.exports import EXPORTS
from cam_cli.outputs.exports.ids import Ids
from cam_cli.outputs.finishing import Finisher
from cam_cli.outputs.kind import Kind, Sheet, Style, parse_range
from cam_cli.outputs.naming import Naming
from cam_cli.outputs.run import describe
from cam_cli.specs import ExplainSpec
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import LeftOut

from .listener import Listener
from .versions import versions


@dataclass
class Summary:
    """What a run did, counted as it goes; with several models, an image counts once for each. images: those listed;
    where: the output folder or file, for people.

    right, wrong: of all that have a truth; left_out: those that --only passed by, in no other count but these two.
    """

    images: int
    models: int
    where: str
    done: int = 0
    failed: int = 0
    flagged: int = 0
    maps: int = 0
    boxes: int = 0
    right: int = 0
    wrong: int = 0
    left_out: int = 0
    stopped: bool = False
    started: float = field(default_factory=time.monotonic)

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

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def total(self) -> int:
        return self.images * self.models

    @property
    def noun(self) -> str:
        """What is counted, for people."""
        return "image" if self.models == 1 else "result"

    @property
    def not_done(self) -> int:
        return self.total - self.done - self.failed - self.left_out

    def counts(self) -> dict[str, int]:
        names = ("total", "done", "failed", "flagged", "maps", "boxes", "right", "wrong", "left_out")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Plan:
    """What can be known before the model is loaded. boxes: how they are found, where they are. ids: of --ids-from."""

    listing: Listing
    truth: Called | None
    kinds: dict[str, Kind]
    boxes: BoxSpec | None
    destination: Destination
    ids: Ids | None


def explain(spec: ExplainSpec, listener: Listener, stop: Event, stdin: BinaryIO) -> Summary:
    """One run of `spec`. Tells `listener` as it goes; `stop` ends it after the images in hand.

    Raises what planning and loading raise, and OutputFailed and OutputRefused while writing. That images failed is not
    raised here: see `check_failures`.
    """
    plan = make_plan(spec, stdin)
    for text in plan.listing.notes:
        listener.note("input", text)

    from .explainer import make_ready  # torch from here on

    ready = make_ready(spec, listener, plan.listing, plan.truth)
    maps_only = not any(isinstance(kind, Sheet) for kind in plan.kinds.values())
    if plan.destination.single and ready.naming.several and maps_only:
        raise UsageError(f"-o {spec.output.output} names one result, the options ask for several; name a folder")
    side_by_side = bool(ready.naming.several & {"method", "layer"})
    threshold = plan.boxes.threshold if plan.boxes else ""
    labels, model = ready.labels, ready.facts["models"][0]
    setting = make_setting(spec.export, labels, plan.listing.whole, model, plan.ids, side_by_side, threshold)
    summary = Summary(len(plan.listing), ready.models, plan.destination.name)
    folder = plan.destination.folder
    run = {"command": list(spec.arguments), "spec": spec.as_json(), **ready.facts, "versions": versions()}
    if folder:
        folder.open()
        describe(folder, run, summary.counts(), None)
    listener.begin(summary.total)
    finisher = Finisher(
        plan.kinds, ready.naming, parse_range(spec.output.range), plan.destination, plan.boxes, spec.export.masks
    )
    results = ready.flow.run(plan.listing, finisher, stop)
    exports = Exports.open(spec.export, setting, folder)
    with Book.open(folder) as book, exports, closing(results):
        try:
            for written in results:
                if isinstance(written, LeftOut):
                    summary.left_out += 1
                    summary.judge(written.correct)
                    listener.left_out(written.item.path, written.correct)
                    continue
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


def outline(spec: ExplainSpec, stdin: BinaryIO) -> dict[str, Any]:
    """What a run would do, and what it costs: passes of the network over one image. Raises as `make_plan`."""
    plan = make_plan(spec, stdin)
    models = [choice.alias for choice in spec.model.choices()]
    methods = list(spec.method.methods) or ["cam where it is exact, else gradcam"]
    return {
        "images": len(plan.listing),
        "models": ", ".join(models),
        "methods": ", ".join(methods),
        "layers": ", ".join(spec.method.layers) or "as the methods choose",
        "classes": ", ".join(spec.classes.classes),
        "saved": ", ".join([*plan.kinds, *spec.export.formats]) or "nothing",
        "output": plan.destination.name,
        "passes": f"{len(plan.listing) * len(models)}, and what the methods themselves ask",
    }


def make_plan(spec: ExplainSpec, stdin: BinaryIO) -> Plan:
    """Reads the options that name things, lists the images, and looks at where results go; touches nothing."""
    for text in spec.method.methods:
        Choice.parse(text)
    for name in spec.export.formats:
        EXPORTS.entry(name)
    kinds = make_kinds(spec)
    boxes = spec.boxes or (BoxSpec() if any(kind.boxed for kind in kinds.values()) else None)
    if spec.export.formats:
        check_export(spec, boxes)
    parse_range(spec.output.range)
    Intensity.parse(spec.geometry.intensity)
    asked(spec.geometry)
    Naming(frozenset(), spec.output.name)
    destination = choose(spec.output, [kind.suffix for kind in kinds.values()], bool(spec.export.formats))
    spare_inputs(destination, spec.inputs)
    output = str(destination.folder.path) if destination.folder else None
    listing = list_images(spec.inputs, output=output, stdin=stdin, nul=spec.run.nul)
    spare_images(destination, listing.paths)
    truth = None if spec.classes.truth is None else read_truth(spec.classes.truth, listing)
    listing = listing.take(spec.run.limit, spec.run.sample, spec.run.seed)
    if destination.single and len(listing) != 1:
        raise UsageError(
            f"-o {spec.output.output} takes the result of one image, the inputs hold {len(listing)}; name a folder"
        )
    if destination.single and "crop" in kinds and boxes and boxes.most != 1:
        raise UsageError(f"-o {spec.output.output} takes one crop, --boxes {boxes.boxes} may find more; name a folder")
    ids = Ids.read(spec.export.ids_from) if spec.export.ids_from is not None else None
    if ids:
        ids.check_images(listing.ids)
    return Plan(listing, truth, kinds, boxes, destination, ids)


def make_kinds(spec: ExplainSpec) -> dict[str, Kind]:
    """The kinds of `--save`, in its order, and of `--crop`. Raises UsageError."""
    names = [name.strip() for text in spec.output.save for name in text.split(",")]
    if "none" in names:
        if len(names) > 1:
            raise UsageError("--save none stands alone")
        names = []
    if spec.boxes and spec.boxes.crop:
        names.append("crop")
    if spec.boxes and "crop" not in names and spec.boxes.around(1):
        raise UsageError("--margin is around what --crop writes; add --crop, or drop it")
    style = Style.of(spec.output, spec.boxes)
    return {name: KINDS.load(name)(style) for name in names}


def check_export(spec: ExplainSpec, boxes: BoxSpec | None) -> None:
    """Raises UsageError where there are no boxes, where several models have their own, or where boxes would not be
    instances of the class they name."""
    if boxes is None:
        raise UsageError("--export needs boxes, and this command makes none; use camtool localize")
    if len(spec.model.models) > 1:
        raise UsageError(f"--export holds boxes of one model, not of {len(spec.model.models)}; run it once for each")
    for text in spec.classes.classes:
        if text.casefold().startswith("not:"):
            raise UsageError(f"--class {text}: --export has no word for what speaks against a class; drop one of them")


def counted(number: int, noun: str) -> str:
    many = "es" if noun.endswith(("x", "s")) else "s"
    return f"{number} {noun}" if number == 1 else f"{number} {noun}{many}"


def check_failures(spec: ExplainSpec, summary: Summary) -> None:
    """Raises ImagesFailed when more images failed than --max-failures allows."""
    if summary.failed > spec.run.failures_allowed(summary.done + summary.failed):
        rest = "; the others are done" if summary.done else ""
        raise ImagesFailed(f"{summary.failed} of {counted(summary.done + summary.failed, summary.noun)} failed{rest}")
