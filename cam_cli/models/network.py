"""A loaded network with everything a run must know about it, and what a source of networks offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from cam_cli.capture import observe
from cam_cli.choice import ModelChoice
from cam_cli.errors import ModelFailed
from cam_cli.types import Recipe

from .labels import Labels

RGB, GREY = 3, 1  # channels of a network's input


@dataclass(frozen=True)
class Network:
    """A classifier ready to explain.

    name: as the person typed it. source: the entry of `SOURCES` that built it.
    module: eval mode, float32, CPU; takes (b, c, h, w) float32, c 3 (RGB) or 1 (grey), gives logits (b, k) as
    `read_scores` reads them.
    weights: where they came from, for people. weights_sha256: hex, of the weight file.
    notes: what had to be assumed, one sentence each, to be said on stderr.
    activation: what turns logits into probabilities: softmax, or sigmoid (several labels, or a single logit).
    """

    name: str
    source: str
    module: nn.Module
    recipe: Recipe
    labels: Labels
    weights: str
    weights_sha256: str
    notes: tuple[str, ...] = ()
    activation: str = "softmax"


@dataclass(frozen=True)
class Weights:
    """A network with weights of its source's own. text: where they came from, for people; sha256: hex, of the file."""

    module: nn.Module
    text: str
    sha256: str


@dataclass(frozen=True)
class Blueprint:
    """What a source knows of a model before there are weights.

    construct: the bare network for so many classes, None for its own count. classes: that count; None: see what it puts
    out. own: the network with the source's own weights; raises WeightsUnavailable. recipe: of those weights, and said
    to be `described` where it is assumed of others. labels: of those weights, None where nobody knows.
    activation: where the model itself says. prepare: see `fit`. notes: what had to be assumed.
    """

    source: str
    construct: Callable[[int | None], nn.Module]
    own: Callable[[], Weights]
    classes: int | None
    recipe: Recipe
    described: str
    labels: Labels | None = None
    activation: str | None = None
    prepare: Callable[[dict[str, Tensor], list[str]], dict[str, Tensor]] = lambda state, own: state
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """How one source resolves names: `knows` a name, lists its `names`, and has a `blueprint` of what was chosen."""

    knows: Callable[[str], bool]
    names: Callable[[], list[str]]
    blueprint: Callable[[ModelChoice], Blueprint]


@dataclass(frozen=True)
class Specimen:
    """What a look inside needs: a module, what to call it in messages, and the side of its native square input (px)."""

    module: nn.Module
    size: int
    name: str
    channels: int

    @classmethod
    def of(cls, network: Network | nn.Module, size: int | None) -> Specimen:
        """From a Network (at its recipe's size unless `size` is given), or from a bare module and its `size`."""
        if isinstance(network, Network):
            return cls(network.module, size or network.recipe.size, network.name, len(network.recipe.mean))
        if size is None:
            raise TypeError("a bare module needs the size of its native input")
        return cls(network, size, type(network).__name__, channels_of(network, size))

    def noise(self, images: int) -> Tensor:
        """float32 (images, channels, size, size): standard normal noise from a fixed seed of its own (the global
        generator stays as it is), on the module's device."""
        generator = torch.Generator().manual_seed(0)
        made = torch.randn(images, self.channels, self.size, self.size, generator=generator)
        anchor = next(self.module.parameters(), made)
        return made.to(anchor.device, anchor.dtype if anchor.dtype.is_floating_point else None)


def suited(network: Network) -> Network:
    """`network` with one mean and one std a channel of its input: the average of its recipe's where it has three and
    the input is grey, which a note says. Raises ModelFailed for an input that is neither RGB nor grey."""
    recipe, channels = network.recipe, channels_of(network.module, network.recipe.size)
    if channels not in (RGB, GREY):
        raise ModelFailed(
            f"{network.name} takes pictures of {channels} channels; networks for RGB (3) and grey (1) are explained"
        )
    if len(recipe.mean) == channels:
        return network
    mean, std = (sum(numbers) / len(numbers) for numbers in (recipe.mean, recipe.std))
    note = f"{network.name} takes grey pictures: mean {mean:.3g} and std {std:.3g} are the averages of its recipe's"
    recipe = replace(recipe, mean=(mean,) * channels, std=(std,) * channels)
    return replace(network, recipe=recipe, notes=network.notes + (note,) * (channels == GREY))


def channels_of(module: nn.Module, size: int) -> int:
    """The input channels of the first convolution in the order modules are defined.

    Where that is neither RGB's nor grey's, or there is none, the stem may fold the picture first (space-to-depth in
    TResNet, a cosine transform in CSATv2, flat patches): then the one of the two that passes at `size` px, if one does.
    """
    first = next((one.in_channels for one in module.modules() if isinstance(one, nn.Conv2d)), None)
    if first in (RGB, GREY):
        return first
    passing = next((channels for channels in (RGB, GREY) if takes(module, channels, size)), None)
    return passing or first or RGB


def takes(module: nn.Module, channels: int, size: int) -> bool:
    """Does it run on a picture of so many channels?"""
    try:
        observe(module, Specimen(module, size, "", channels).noise(1), lambda *_: None)
    except ModelFailed:
        return False
    return True
