"""From a spec to a loaded network, its layers and everything that stays the same for a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch

from cam_cli import __version__
from cam_cli.engine.allocator import keep_blocks
from cam_cli.engine.device import choose_device, default_batch
from cam_cli.engine.explain import Column, Explainer
from cam_cli.engine.selection import parse_selections, several
from cam_cli.errors import ImageTooLarge, ImageUnreadable, UsageError
from cam_cli.images.preprocess import read_picture
from cam_cli.methods import METHODS
from cam_cli.methods.method import Needs
from cam_cli.models import load
from cam_cli.models.head import find_head
from cam_cli.models.layers import Layer, Survey, survey
from cam_cli.outputs.naming import Naming
from cam_cli.specs import ExplainSpec
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
    torch.manual_seed(spec.run.seed)
    device = choose_device(spec.run.device)
    network = load(spec.model.model, spec.model.checkpoint)
    listener.note("model", f"{network.name} · {network.weights}")
    for text in network.notes:
        listener.warn(text)
    selections = parse_selections(spec.classes.classes, network.labels.find, len(network.labels.names))
    seen = survey(network)
    needs_head = any(Needs.HEAD in METHODS.load(name).needs for name in spec.method.methods)
    head = find_head(network) if needs_head else None
    columns = make_columns(spec, seen, head, listener)
    explainer = Explainer(
        network.module.to(device),
        network.labels,
        columns,
        selections,
        head,
        spec.method.fuse,
        spec.classes.min_prob or 0.0,
        device,
        spec.run.precision,
        network.activation,
    )
    parts = {"layer": len({column.label for column in columns}) > 1, "class": several(selections)}
    parts["method"] = len({column.name for column in columns}) > 1
    naming = Naming(frozenset(part for part, many in parts.items() if many), spec.output.name)
    auto = spec.run.batch_size == "auto"
    facts = {
        "model": {
            "name": network.name, "source": network.source, "weights": network.weights, "sha256": network.weights_sha256
        },
        "layers": [
            {"method": column.name, "layers": [asdict(layer) for layer in column.layers]} for column in columns
        ],
        "preprocessing": {**asdict(network.recipe), "fit": spec.geometry.fit},
        "device": str(device),
        "precision": spec.run.precision,
    }  # fmt: skip
    return Ready(
        explainer,
        naming,
        network.recipe,
        max((round(layer.stride) for column in columns for layer in column.layers), default=1),
        default_batch(device) if auto else int(spec.run.batch_size),
        spec.run.workers or os.cpu_count() or 1,
        facts,
    )


def make_columns(spec: ExplainSpec, seen: Survey, head: Head | None, listener: Listener) -> tuple[Column, ...]:
    """A column for every method and layer, side by side; a method that reads the head has the head's layer."""
    columns = []
    for name in dict.fromkeys(spec.method.methods):
        method = METHODS.load(name)()
        if Needs.HEAD in method.needs:
            assert head is not None
            ((layer,),) = seen.choose(head.layer)
            columns.append(Column(name, method, (layer,), head.layer))
            listener.note("layer", f"{described(layer)}: what the head pools")
        elif spec.method.layers:
            for text in dict.fromkeys(spec.method.layers):
                for group in seen.choose(text):
                    paths = "+".join(layer.path for layer in group)
                    columns.append(Column(name, method, group, paths if set(text) & set("*?[") else text))
                    listener.note("layer", " + ".join(map(described, group)))
        else:
            columns.append(Column(name, method, (seen.default,), seen.default.path))
            listener.note("layer", f"{described(seen.default)}: {seen.why}")
    if spec.method.layers and all(Needs.HEAD in column.method.needs for column in columns):
        raise UsageError(
            f"--layer has no meaning for {columns[0].name}, whose layer is the one the head pools; drop it"
        )
    return tuple(columns)


def described(layer: Layer) -> str:
    return f"{layer.path} ({layer.kind}, {layer.channels}×{layer.rows}×{layer.cols}, stride {layer.stride:g})"


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
