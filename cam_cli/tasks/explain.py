"""`cam`, `gradcam`, `explain` and `localize`: plan, load, then images in, files and records out.

The plan needs no torch, so that a wrong path or a taken output folder is said at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any, BinaryIO

from cam_cli.errors import UsageError
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
from cam_cli.outputs.folder import RESULTS
from cam_cli.outputs.kind import Kind, Sheet, Style, parse_range
from cam_cli.outputs.naming import Naming
from cam_cli.outputs.run import described
from cam_cli.outputs.share import write_share
from cam_cli.specs import ExplainSpec
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import Explanation, Failure, LeftOut

from .course import Course
from .keeper import Keeper
from .listener import Listener
from .resuming import begin, check_facts, check_spec, gathered
from .summary import Summary, counted
from .versions import versions


@dataclass(frozen=True)
class Plan:
    """What can be known before the model is loaded. listing: of the whole run, also in a shard; listed: what `run.json`
    says of it. boxes: how they are found, where they are. ids: of --ids-from."""

    listing: Listing
    listed: dict[str, Any]
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
    folder, size = plan.destination.folder, ready.flow.batch_size
    facts = {**ready.facts, "batch_size": size, "listing": plan.listed, "versions": versions()}
    if folder:
        check_facts(folder, facts, listener)
    side_by_side = bool(ready.naming.several & {"method", "layer"})
    threshold = plan.boxes.threshold if plan.boxes else ""
    labels, model, whole = ready.labels, ready.facts["models"][0], plan.listing.whole
    setting = make_setting(spec.export, labels, whole, model, plan.ids, side_by_side, threshold)
    listing, part = plan.listing, spec.run.part
    if part.count > 1:
        listing = listing.pick(part.places(len(listing), size))
        listener.note("shard", f"{part}: {len(listing)} of {counted(len(plan.listing), 'image')}")
    aliases = [one["alias"] for one in ready.facts["models"]]
    summary = Summary(len(listing), len(aliases), plan.destination.name)
    finisher = Finisher(
        plan.kinds, ready.naming, parse_range(spec.output.range), plan.destination, plan.boxes, spec.export.masks
    )
    if folder:
        folder.open()
    with described(folder, {"command": list(spec.arguments), "spec": spec.as_json(), **facts}, summary):
        if folder and part.count > 1:
            write_share(folder, labels if spec.export.formats else None, whole)
        with gathered(folder, RESULTS, listing.ids, aliases) as known:
            summary.before = len(known)
            begin(listener, summary)
            course = Course[Explanation | LeftOut | Failure](ready.flow, aliases, known, part)
            exports = Exports.open(spec.export, setting, folder)
            with Book.open(folder, spec.classes.only is not None) as book, exports:
                keeper = Keeper(folder, book, exports, summary, listener)
                for place, written in course.run(listing, finisher, stop):
                    if written is None:
                        keeper.again(known[place])
                    else:
                        keeper.put(written, course.whole(place))
                keeper.finish()
            known.remove()
        summary.stopped = stop.is_set()
        summary.finished = not summary.stopped
    return summary


def outline(spec: ExplainSpec, stdin: BinaryIO) -> dict[str, Any]:
    """What a run would do, and what it costs: passes of the network over one image. Raises as `make_plan`."""
    plan = make_plan(spec, stdin)
    models = [choice.alias for choice in spec.model.choices()]
    methods = list(spec.method.methods) or ["cam where it is exact, else gradcam"]
    return {
        "images": len(plan.listing),
        **({} if spec.run.shard is None else {"shard": spec.run.shard}),
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
    boxes = boxes_of(spec, kinds)
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
    listed = {"images": len(listing), "sha256": listing.digest(truth)}
    if destination.folder:
        check_spec(destination.folder, spec, listed)
    return Plan(listing, listed, truth, kinds, boxes, destination, ids)


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


def boxes_of(spec: ExplainSpec, kinds: Mapping[str, Kind]) -> BoxSpec | None:
    """How boxes are found, where there are any: of the options, or because a kind draws them."""
    return spec.boxes or (BoxSpec() if any(kind.boxed for kind in kinds.values()) else None)


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
