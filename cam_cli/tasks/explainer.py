"""From a spec to a loaded network, its layers and everything that stays the same for a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from cam_cli.choice import ModelChoice
from cam_cli.engine.allocator import keep_blocks
from cam_cli.engine.augment import Augmentation, augmentations
from cam_cli.engine.beside import Beside
from cam_cli.engine.column import Column
from cam_cli.engine.device import choose_device
from cam_cli.engine.explain import Explainer
from cam_cli.engine.flow import Flow
from cam_cli.engine.selection import several
from cam_cli.errors import ImageTooLarge, ImageUnreadable, ModelFailed, OutOfMemory, UsageError
from cam_cli.images.intensity import Intensity
from cam_cli.images.listing import Listing
from cam_cli.images.preprocess import View, read_pictures
from cam_cli.images.recipe import asked, recipe_for
from cam_cli.images.truth import Called
from cam_cli.methods.method import Method, Needs
from cam_cli.models import load, resolved
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import Layer, Survey, outputs_at, survey
from cam_cli.models.network import Network
from cam_cli.models.quicker import quicker
from cam_cli.outputs.naming import Naming
from cam_cli.specs import ExplainSpec, GeometrySpec
from cam_cli.types import Explanation, Failure, Head, ImageItem, LeftOut, Picture, Recipe

from .classes import Classes, make_classes
from .columns import default_method, make_columns, make_methods
from .flow import Reader, make_flow
from .listener import Listener

WORTH = 16  # images from which on a network is made quicker: that takes about as long as six of them


@dataclass(frozen=True)
class Ready:
    """A run that can start. models: how many. facts: what `run.json` says of models, device. labels: of the first
    model."""

    flow: Flow[Explanation | LeftOut | Failure]
    models: int
    naming: Naming
    facts: dict[str, Any]
    labels: Labels


@dataclass(frozen=True)
class Prepared:
    """One model of a run. seen: its layers. several: the parts of file names that it needs. facts: what `run.json` says
    of it."""

    explainer: Explainer
    seen: Survey
    view: View
    several: frozenset[str]
    facts: dict[str, Any]


def make_ready(spec: ExplainSpec, listener: Listener, listing: Listing, truth: Called | None) -> Ready:
    """Loads the models and resolves methods, layers and classes; truth: what the images' classes are called. Raises
    what those raise."""
    keep_blocks()
    device = choose_device(spec.run.device)
    methods = make_methods(spec.method.methods, spec.method.smooth)
    resolve = lambda network: make_classes(spec.classes, network, listing, truth)  # noqa: E731
    count, choices = len(listing), map(resolved, spec.model.choices())
    models = [prepare(spec, choice, methods, device, listener, resolve, count) for choice in choices]
    parts = frozenset[str]().union(*(one.several for one in models), ["model"] if len(models) > 1 else [])
    beside = Beside[Explanation | LeftOut | Failure](tuple(one.explainer for one in models))
    read = reader(spec.geometry, tuple(one.view for one in models))
    heavy, free = any(one.explainer.heavy for one in models), spec.output.name is None
    return Ready(
        make_flow(read, beside, spec.run, device, count, heavy=heavy, free=free),
        len(models),
        Naming(parts, spec.output.name),
        {"models": [one.facts for one in models], "device": str(device), "precision": spec.run.precision},
        models[0].explainer.reading.labels,
    )


def prepare(
    spec: ExplainSpec,
    choice: ModelChoice,
    methods: Mapping[str, Method],
    device: torch.device,
    listener: Listener,
    resolve: Callable[[Network], Classes],
    images: int,
) -> Prepared:
    """Loads one model and resolves what the options mean for it; `resolve` says which of its classes are wanted.
    images: about how many passes over one the run takes, which decides whether the network is made quicker first."""
    network = load(choice)
    recipe = recipe_for(network.recipe, spec.geometry)
    listener.note("model", " · ".join(dict.fromkeys((choice.alias, network.name, network.weights))))
    for text in network.notes:
        listener.warn(text)
    classes = resolve(network)
    classes.tell(listener)
    seen = survey(network)
    if not methods:
        name, why = default_method(spec, network)
        listener.note("method", f"{name}: {why}")
        methods = make_methods((name,), spec.method.smooth)
    headed = [name for name, method in methods.items() if Needs.HEAD in method.needs]
    if headed and spec.classes.score == "probability":
        raise UsageError(f"--score probability: {headed[0]} is exact for logits alone; use gradcam, or drop it")
    head = find_head(network) if headed else None
    columns = make_columns(methods, spec.method.layers, seen, head)
    tokens = seen.attended if any(Needs.ATTENTION in column.method.needs for column in columns) else None
    sizes = shapes(network, recipe, spec.geometry.fit, seen)
    for column in columns:
        where = " + ".join(described(layer, sizes) for layer in column.layers) or column.name
        listener.note("layer", f"{where}: {column.why}")
    near = alike(spec, methods, seen)
    watched = {layer.path for column in columns for layer in column.layers} | {layer.path for layer in near}
    explainer = Explainer(
        tuned(seen, columns, watched, images, spec.run.precision, device),
        classes.reading,
        tuple(columns),
        classes.selections,
        moved(head, device),
        spec.method.fuse,
        spec.classes.min_prob,
        device,
        spec.run.precision,
        spec.classes.score,
        classes.against,
        classes.truths,
        spec.classes.only,
        changes(spec, network, recipe, seen),
        near,
        spec.run.seed,
        tokens,
        listener.progress,
        classes.grouping,
    )
    parts = {"method": len(methods) > 1, "layer": len(columns) > len(methods), "class": several(classes.selections)}
    facts = {
        "alias": choice.alias,
        "name": network.name,
        "source": network.source,
        "weights": network.weights,
        "sha256": network.weights_sha256,
        "layers": [
            {"method": one.name, "layers": [{**asdict(layer), **grid(layer, sizes)} for layer in one.layers]}
            for one in columns
        ],
        "spread_over": [layer.path for layer in explainer.alike],
        "preprocessing": {
            **asdict(recipe),
            "fit": spec.geometry.fit,
            **{f"{name}_asked": value for name, value in asked(spec.geometry).items()},
        },
    }
    view = View(choice.alias, recipe, stride_of(seen))
    return Prepared(explainer, seen, view, frozenset(part for part, many in parts.items() if many), facts)


def tuned(
    seen: Survey, columns: Sequence[Column], watched: Set[str], images: int, precision: str, device: torch.device
) -> torch.nn.Module:
    """The network as it runs: made quicker where that pays, in bfloat16 where that is asked of a CPU, on its device."""
    needs = [column.method.needs for column in columns]
    module = seen.specimen.module
    if images >= WORTH or any(Needs.PASSES in need for need in needs):
        module = quicker(seen.specimen, watched, fold=not any(Needs.BIASES in need for need in needs))
    if precision == "bf16" and device.type == "cpu":
        module = (deepcopy(module) if module is seen.specimen.module else module).bfloat16()
    return module.to(device)


def stride_of(seen: Survey) -> int:
    """Of the network's last stage, whatever layers are asked for: what `--fit keep` rounds to."""
    return max((layer.stride for layer in seen.stages.values()), default=1)


def shapes(network: Network, recipe: Recipe, fit: str, seen: Survey) -> dict[str, tuple[int, int]]:
    """Rows and columns of all layers at the input size that the run uses, by module path; with keep, at an oblong one.

    Raises ModelFailed before the first image where the network does not take that size.
    """
    height = width = recipe.size
    if fit == "keep":
        stride = stride_of(seen)
        height = max(1, round(recipe.resize / stride)) * stride
        width = height + stride
    if height == width == network.recipe.size:
        return {layer.path: (layer.rows, layer.cols) for layer in seen.layers}
    try:
        outputs = outputs_at(network, height, width)
    except ModelFailed as error:
        if "alloc" in error.message:
            raise OutOfMemory(f"an input of {height}×{width} takes more memory than there is; lower --size") from error
        native = f"{network.recipe.size}×{network.recipe.size}"
        raise ModelFailed(
            f"{network.name} does not take an input of {height}×{width} (its own is {native}); drop --size, and use "
            f"--fit model, squash or pad ({error.message})"
        ) from error
    sizes = ((layer, outputs[layer.path]) for layer in seen.layers)
    return {layer.path: layer.cells(shape, (height, width)) for layer, shape in sizes if not isinstance(shape, str)}


def moved(head: Head | None, device: torch.device) -> Head | None:
    if head is None or head.weights is None:
        return head
    return replace(head, weights=head.weights.to(device))


def changes(spec: ExplainSpec, network: Network, recipe: Recipe, seen: Survey) -> tuple[Augmentation, ...]:
    """The inputs of --tta. Raises UsageError where the network takes one size only."""
    found = augmentations(spec.method.changes, stride_of(seen))
    side = recipe.size
    for height, width in {one.apply(torch.zeros(1, 1, side, side)).shape[2:] for one in found} - {(side, side)}:
        try:
            outputs_at(network, height, width)
        except ModelFailed as error:
            raise UsageError(
                f"--tta scales and best show the network other sizes, {network.name} does not take {height}×{width}; "
                f"use --tta flip,spread ({error.message})"
            ) from error
    return found


def alike(spec: ExplainSpec, methods: Mapping[str, Method], seen: Survey) -> tuple[Layer, ...]:
    """The layers of --tta spread and best. Raises UsageError where a method or the network has no cells."""
    if not {"spread", "best"} & set(spec.method.changes):
        return ()
    for name, method in methods.items():
        if Needs.ACTIVATIONS not in method.needs:
            raise UsageError(f"--tta spread and best need a layer's cells, {name} has none; use --tta flip")
    if not seen.steps:
        raise UsageError(
            f"--tta spread and best compare cells of a stage, {seen.specimen.name} has none; use --tta flip"
        )
    return seen.steps


def described(layer: Layer, sizes: dict[str, tuple[int, int]]) -> str:
    """A layer with its shape (channels, rows, columns) at the run's input size."""
    cells = "×".join(map(str, sizes[layer.path]))
    return f"{layer.path} ({layer.kind}, {layer.channels}×{cells}, stride {layer.stride})"


def grid(layer: Layer, sizes: dict[str, tuple[int, int]]) -> dict[str, int]:
    """Its rows and columns at the run's input size."""
    return dict(zip(("rows", "cols"), sizes[layer.path], strict=True))


def reader(spec: GeometrySpec, views: tuple[View, ...]) -> Reader:
    """What a reading thread does with one item of the listing: an outcome for every model."""

    intensity = Intensity.parse(spec.intensity)

    def read(item: ImageItem | Failure) -> tuple[Picture | Failure, ...]:
        if isinstance(item, Failure):
            return failures(item)
        try:
            return read_pictures(item, views, fit=spec.fit, intensity=intensity, max_pixels=spec.max_pixels)
        except (ImageUnreadable, ImageTooLarge) as error:
            return failures(Failure.of(item, error))

    def failures(one: Failure) -> tuple[Failure, ...]:
        return tuple(replace(one, item=replace(one.item, model=view.model)) for view in views)

    return read
