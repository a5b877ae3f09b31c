"""A loaded network with everything a run must know about it, and what a source of networks offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cam_cli.choice import ModelChoice
from cam_cli.types import Recipe

from .labels import Labels


@dataclass(frozen=True)
class Network:
    """A classifier ready to explain.

    name: as the person typed it. source: the entry of `SOURCES` that built it.
    module: eval mode, float32, CPU; takes (b, 3, h, w) float32, gives logits (b, k) as `read_scores` reads them.
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
    channels: int = 3

    @classmethod
    def of(cls, network: Network | nn.Module, size: int | None) -> Specimen:
        """From a Network (at its recipe's size unless `size` is given), or from a bare module and its `size`."""
        if isinstance(network, Network):
            return cls(network.module, size or network.recipe.size, network.name, len(network.recipe.mean))
        if size is None:
            raise TypeError("a bare module needs the size of its native input")
        return cls(network, size, type(network).__name__)

    def noise(self, images: int) -> Tensor:
        """float32 (images, channels, size, size): standard normal noise from a fixed seed of its own (the global
        generator stays as it is), on the module's device."""
        generator = torch.Generator().manual_seed(0)
        made = torch.randn(images, self.channels, self.size, self.size, generator=generator)
        anchor = next(self.module.parameters(), made)
        return made.to(anchor.device, anchor.dtype if anchor.dtype.is_floating_point else None)
