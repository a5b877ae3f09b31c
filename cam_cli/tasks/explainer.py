"""From a spec to a loaded network, its layers and everything that stays the same for a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from cam_cli import __version__
from cam_cli.engine.allocator import keep_blocks
from cam_cli.engine.augment import Augmentation, augmentations
from cam_cli.engine.device import choose_device, default_batch
from cam_cli.engine.explain import Column, Explainer
from cam_cli.engine.selection import parse_selections, several
from cam_cli.errors import ImageTooLarge, ImageUnreadable, MethodUnsuitable, ModelFailed, OutOfMemory, UsageError
from cam_cli.images.preprocess import read_picture
from cam_cli.methods import METHODS
from cam_cli.methods.method import Method, Needs, Summed
from cam_cli.methods.smoothed import EigenSmoothed
from cam_cli.models import load
from cam_cli.models.head import find_head
from cam_cli.models.layers import Layer, Survey, outputs_at, survey
from cam_cli.models.network import Network
from cam_cli.outputs.naming import Naming
from cam_cli.specs import ExplainSpec, GeometrySpec
from cam_cli.types import Failure, Head, ImageItem, Picture, Recipe

from .listener import Listener


@dataclass(frozen=True)
class Ready:
    """A run that can start. facts: what `run.json` says of model, layers and device. stride: of `--fit keep`."""

    explainer: Explainer
    naming: Naming
    recipe: Recipe
    stride: int
    batch_size: int
    workers: int
    facts: dict[str, Any]


def make_explainer(spec: ExplainSpec, listener: Listener) -> Ready:
    """Loads the model and resolves methods, layers and classes. Raises what those raise."""
    keep_blocks()
    device = choose_device(spec.run.device)
    network = load(spec.model.model, spec.model.checkpoint)
    listener.note("model", f"{network.name} · {network.weights}")
    for text in network.notes:
        listener.warn(text)
    selections = parse_selections(spec.classes.classes, network.labels.find, len(network.labels.names))
    for one in selections:
        for index in one.indices if len(one.indices) == 1 else ():
            listener.note("class", f"{one.text}: {network.labels.names[index]} ({index})")
    seen = survey(network)
    spec, head = settle(spec, network, listener)
    columns = make_columns(spec, seen, head)
    sizes = shapes(network, spec.geometry, seen)
    for column in columns:
        if column.layers:
            listener.note("layer", f"{' + '.join(described(layer, sizes) for layer in column.layers)}: {column.why}")
    explainer = Explainer(
        network.module.to(device),
        network.labels,
        tuple(columns),
        selections,
        moved(head, device),
        spec.method.fuse,
        spec.classes.min_prob,
        device,
        spec.run.precision,
        network.activation,
        changes(spec, network, seen),
        spec.run.seed,
        listener.progress,
    )
    parts = {"layer": len({column.label for column in columns}) > 1, "class": several(selections)}
    parts["method"] = len({column.name for column in columns}) > 1
    naming = Naming(frozenset(part for part, many in parts.items() if many), spec.output.name)
    facts = {
        "model": {
            "name": network.name, "source": network.source, "weights": network.weights, "sha256": network.weights_sha256
        },
        "layers": [
            {"method": one.name, "layers": [{**asdict(layer), **grid(layer, sizes)} for layer in one.layers]}
            for one in columns
        ],
        "preprocessing": {
            **asdict(network.recipe),
            "fit": spec.geometry.fit,
            **({"size_asked": spec.geometry.size, "source": "options"} if spec.geometry.size else {}),
        },
        "device": str(device),
        "precision": spec.run.precision,
    }  # fmt: skip
    auto = spec.run.batch_size == "auto"
    return Ready(
        explainer,
        naming,
        network.recipe,
        stride_of(seen),
        default_batch(device) if auto else int(spec.run.batch_size),
        spec.run.workers or os.cpu_count() or 1,
        facts,
    )


def settle(spec: ExplainSpec, network: Network, listener: Listener) -> tuple[ExplainSpec, Head | None]:
    """The spec with its methods named, and the network's head where one of them reads it. No --method: cam where it is
    exact and no --layer is asked for, else gradcam. Raises MethodUnsuitable for a method that lacks its head."""
    names = spec.method.methods
    if names:
        needs_head = any(Needs.HEAD in METHODS.load(name).needs for name in names)
        return spec, find_head(network) if needs_head else None
    name, why, head = "gradcam", "--layer names its layer", None
    if not spec.method.layers:
        try:
            name, why, head = "cam", "exact for this network", find_head(network)
        except MethodUnsuitable:
            why = "cam is not exact for this network"
    listener.note("method", f"{name}: {why}")
    return replace(spec, method=replace(spec.method, methods=(name,))), head


def stride_of(seen: Survey) -> int:
    """Of the network's last stage, whatever layers are asked for: what `--fit keep` rounds to."""
    return max((layer.stride for layer in seen.stages.values()), default=1)


def shapes(network: Network, geometry: GeometrySpec, seen: Survey) -> dict[str, Any]:
    """Shapes of all outputs at the input size that the run uses, by module path; with keep, at an oblong one.

    Raises ModelFailed before the first image where the network does not take that size.
    """
    size, stride = geometry.size or network.recipe.size, stride_of(seen)
    if geometry.fit == "keep":
        side = max(1, round((geometry.size or network.recipe.resize) / stride)) * stride
        height, width = side, side + stride
    else:
        height = width = size
    if height == width == network.recipe.size:
        return dict(seen.outputs)
    try:
        return outputs_at(network, height, width)
    except ModelFailed as error:
        if "alloc" in error.message:
            raise OutOfMemory(f"an input of {height}×{width} takes more memory than there is; lower --size") from error
        native = f"{network.recipe.size}×{network.recipe.size}"
        raise ModelFailed(
            f"{network.name} does not take an input of {height}×{width} (its own is {native}); drop --size, and use "
            f"--fit model, squash or pad ({error.message})"
        ) from error


def moved(head: Head | None, device: torch.device) -> Head | None:
    if head is None or head.weights is None:
        return head
    return replace(head, weights=head.weights.to(device))


def make_columns(spec: ExplainSpec, seen: Survey, head: Head | None) -> list[Column]:
    """A column for every method and layer, side by side, none twice; what reads the head has the head's layer."""
    columns: dict[tuple[str, str], Column] = {}
    for name in map(METHODS.canonical, spec.method.methods):
        method = METHODS.load(name)()
        groups: list[tuple[str, tuple[Layer, ...], str]]
        if spec.method.smooth:
            method = smoothed(name, method)
        if Needs.ACTIVATIONS not in method.needs:
            groups = [("", (), "")]
        elif Needs.HEAD in method.needs:
            assert head is not None
            groups = [(head.layer, group, "what the head pools") for group in seen.choose(head.layer)]
        elif spec.method.layers:
            groups = [
                ("+".join(layer.path for layer in group) if set(text) & set("*?[") else text, group, f"--layer {text}")
                for text in spec.method.layers
                for group in seen.choose(text)
            ]
        else:
            groups = [(seen.default.path, (seen.default,), "last grid before pooling")]
        for label, group, why in groups:
            columns.setdefault((name, label), Column(name, method, group, label, why))
    if spec.method.layers and not any(takes_layer(column.method) for column in columns.values()):
        name = spec.method.methods[0]
        raise UsageError(f"--layer has no meaning for {name}, which has none or takes the one the head pools; drop it")
    return list(columns.values())


def takes_layer(method: Method) -> bool:
    return Needs.ACTIVATIONS in method.needs and Needs.HEAD not in method.needs


def smoothed(name: str, method: Method) -> Method:
    """The method under --smooth eigen. Raises MethodUnsuitable for one whose map is no sum over channels."""
    if not isinstance(method, Summed):
        able = ", ".join(known for known in METHODS if issubclass(METHODS.load(known), Summed))
        raise MethodUnsuitable(f"--smooth eigen needs a map that is a sum over channels, {name}'s is not; use {able}")
    return EigenSmoothed(method)


def changes(spec: ExplainSpec, network: Network, seen: Survey) -> tuple[Augmentation, ...]:
    """The inputs of --tta. Raises UsageError where the network takes one size only."""
    found = augmentations(spec.method.changes, stride_of(seen))
    side = spec.geometry.size or network.recipe.size
    for height, width in {one.apply(torch.zeros(1, 1, side, side)).shape[2:] for one in found} - {(side, side)}:
        try:
            outputs_at(network, height, width)
        except ModelFailed as error:
            raise UsageError(
                f"--tta scales shows the network other sizes, {network.name} does not take {height}×{width}; use "
                f"--tta flip ({error.message})"
            ) from error
    return found


def described(layer: Layer, sizes: dict[str, Any]) -> str:
    """A layer with its shape (channels, rows, columns) at the run's input size."""
    cells = "{rows}×{cols}".format_map(grid(layer, sizes))
    return f"{layer.path} ({layer.kind}, {layer.channels}×{cells}, stride {layer.stride})"


def grid(layer: Layer, sizes: dict[str, Any]) -> dict[str, int]:
    """Its rows and columns at the run's input size."""
    shape = sizes[layer.path]
    rows, columns = shape[1:3] if layer.channels_last else shape[2:]
    return {"rows": rows, "cols": columns}


def reader(spec: ExplainSpec, ready: Ready) -> Callable[[ImageItem | Failure], Picture | Failure]:
    """What a reading thread does with one item of the listing."""

    def read(item: ImageItem | Failure) -> Picture | Failure:
        if isinstance(item, Failure):
            return item
        try:
            return read_picture(
                item,
                ready.recipe,
                fit=spec.geometry.fit,
                size=spec.geometry.size,
                stride=ready.stride,
                max_pixels=spec.geometry.max_pixels,
            )
        except (ImageUnreadable, ImageTooLarge) as error:
            return Failure.of(item, error)

    return read


def versions() -> dict[str, str]:
    """Of everything that can change a result and is loaded."""
    names = ("torch", "torchvision", "cv2", "numpy", "PIL")
    return {"camtool": __version__} | {
        name: str(sys.modules[name].__version__) for name in names if name in sys.modules
    }
