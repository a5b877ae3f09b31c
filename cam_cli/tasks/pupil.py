"""The network that is to learn: a classifier loaded, cut at a layer, and given a head of score maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from cam_cli.capture import forward
from cam_cli.choice import TRAINED, ModelChoice
from cam_cli.engine.device import choose_device, worthwhile
from cam_cli.engine.forward import Forward
from cam_cli.engine.seed import seed_of
from cam_cli.errors import LayerUnsuitable, ModelFailed, UsageError
from cam_cli.images.recipe import recipe_for
from cam_cli.models import load, resolved
from cam_cli.models.cutting import cut_at
from cam_cli.models.description import FETCHING, Backbone, Cut, Description, HeadShape, is_plain
from cam_cli.models.layers import Layer, Survey, survey
from cam_cli.models.network import Network
from cam_cli.models.scores import read_scores
from cam_cli.models.weak import Trunk, WeakNetwork
from cam_cli.specs.train import TrainSpec
from cam_cli.training.shots import Camera, Changes
from cam_cli.types import Recipe

from .explainer import stride_of
from .lesson import Lesson
from .listener import Listener

ENLARGED = 10 / 7  # of the model's own size, where nobody asks for another: 320 px for 224


@dataclass(frozen=True)
class Pupil:
    """network: on its device. source: the classifier, as it was loaded. layer: where it was cut. recipe: of the files
    that come of it. stride: input pixels from a cell of the last grid to the next. elastic: whether it takes inputs of
    other sizes."""

    network: WeakNetwork
    source: Network
    backbone: Backbone
    layer: Layer
    cut: Cut
    recipe: Recipe
    stride: int
    elastic: bool
    device: torch.device
    precision: str
    shape: HeadShape

    @cached_property
    def trunk(self) -> Forward:
        return Forward(Trunk(self.network.trunk, self.cut), self.device, self.precision, read_scores)

    @property
    def batch(self) -> int:
        """Images a pass whose result is kept."""
        return worthwhile(self.device, self.precision)

    @cached_property
    def seen(self) -> Survey:
        return survey(self.network, self.source.recipe.size)

    def camera(self, spec: TrainSpec) -> Camera:
        return Camera.of(self.recipe, spec.geometry)

    def changes(self, spec: TrainSpec) -> Changes:
        found = Changes.of(spec.learning, self.recipe.size, self.stride, spec.run.seed)
        return found if self.elastic else found.unscaled

    def described(self, lesson: Lesson, more: dict[str, Any]) -> Description:
        return Description(
            lesson.classes,
            "softmax" if lesson.competing else "sigmoid",
            self.recipe,
            self.backbone,
            self.cut,
            self.shape,
            more,
        )


def make_pupil(spec: TrainSpec, lesson: Lesson, listener: Listener) -> Pupil:
    """Raises what loading, surveying and cutting raise, UsageError, LayerUnsuitable."""
    device = choose_device(spec.run.device)
    choice = resolved(spec.model.only)
    if choice.name == TRAINED:
        raise UsageError(
            f"{choice.checkpoint} is a network of `camtool train` itself; name the classifier to start from"
        )
    check_arguments(choice)
    source = load(choice)
    listener.note("model", " · ".join(dict.fromkeys((source.name, source.weights))))
    for text in source.notes:
        if not text.startswith("class names"):  # its own classes are not asked for
            listener.warn(text)
    seen = survey(source)
    layer, why = chosen(spec.head.layer, seen)
    cut = cut_at(source, layer)
    recipe, elastic = sized(spec, source, cut, seen, listener)
    shape = HeadShape(
        len(lesson.classes), spec.head.sizes, spec.head.dropout, spec.head.pool, float(spec.head.temperature)
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(spec.run.seed, "first weights"))
        network = WeakNetwork(source.module, cut, shape).eval()
    pupil = Pupil(
        network.to(device),
        source,
        Backbone(source.name, source.source, source.weights_sha256, choice.arguments),
        layer,
        cut,
        recipe,
        stride_of(seen),
        elastic,
        device,
        arithmetic(spec, device),
        shape,
    )
    rows, cols = grid(source, cut, recipe.size)
    listener.note("layer", f"{layer.path} ({layer.kind}, {layer.channels}×{rows}×{cols} at {recipe.size} px): {why}")
    listener.note("head", told(shape))
    return pupil


def check_arguments(choice: ModelChoice) -> None:
    """Raises UsageError for arguments that the file would not be built with again."""
    for name, value in choice.arguments:
        if not is_plain(value) or any(word in name.casefold() for word in FETCHING):
            raise UsageError(
                f"--model-arg {name}: the file of a training keeps numbers, texts and lists of them, and nothing that "
                "loads something; drop it, or write a factory of your own"
            )


def chosen(text: str | None, seen: Survey) -> tuple[Layer, str]:
    """Where the trunk ends, and why. Raises UsageError for several layers, and what `Survey.choose` raises."""
    if text is None:
        layer = seen.default
        return layer, "last grid before pooling" if layer.prefix is None else "last tokens that the scores read"
    groups = seen.choose(text)
    if len(groups) != 1 or len(groups[0]) != 1:
        raise UsageError(f"--layer {text} names several layers; a trunk ends at one")
    return groups[0][0], f"--layer {text}"


def sized(spec: TrainSpec, source: Network, cut: Cut, seen: Survey, listener: Listener) -> tuple[Recipe, bool]:
    """How pictures are shown, and whether the trunk takes other sizes. Raises UsageError, ModelFailed."""
    geometry, own = spec.geometry, source.recipe.size
    stride = stride_of(seen)
    elastic = takes(source, cut, own + stride)
    size = geometry.size
    if size is None:
        wanted = max(1, round(own * ENLARGED / stride)) * stride
        size = wanted if elastic and geometry.fit == "squash" and takes(source, cut, wanted) else own
    elif size != own and not takes(source, cut, size):
        raise ModelFailed(
            f"{source.name} does not take an input of {size}×{size} (its own is {own}×{own}); drop --size"
        )
    if not elastic and spec.learning.factors != (1.0, 1.0):
        listener.note("size", f"{source.name} takes {own}×{own} alone, so --scales has no effect")
    recipe = recipe_for(source.recipe, replace(geometry, size=size if size != own else None))
    if geometry.fit == "squash":
        recipe = replace(recipe, resize=recipe.size, squash=True)
    return recipe, elastic


def takes(source: Network, cut: Cut, size: int) -> bool:
    try:
        grid(source, cut, size)
    except (ModelFailed, LayerUnsuitable):
        return False
    return True


def grid(source: Network, cut: Cut, size: int) -> tuple[int, int]:
    """Rows and columns of the trunk's grid at that size. Raises ModelFailed."""
    trunk = Trunk(source.module, cut).eval()
    device = next((one.device for one in trunk.parameters()), torch.device("cpu"))
    images = torch.zeros(1, len(source.recipe.mean), size, size, device=device)
    with torch.no_grad():
        found = forward(trunk, images)
    return int(found.shape[2]), int(found.shape[3])


def arithmetic(spec: TrainSpec, device: torch.device) -> str:
    """What `--precision auto` is."""
    if spec.run.precision != "auto":
        return spec.run.precision
    half = device.type == "cuda" and not spec.learning.freeze and torch.cuda.is_bf16_supported()
    return "bf16" if half else "fp32"


def told(shape: HeadShape) -> str:
    """A head, for people."""
    return " → ".join(parts(shape))


def parts(shape: HeadShape) -> Iterator[str]:
    for size in shape.adapt:
        yield f"{size} channels"
    yield f"{shape.classes} score map{'s' * (shape.classes > 1)}"
    yield f"lse of temperature {shape.temperature:g}" if shape.pool == "lse" else shape.pool
