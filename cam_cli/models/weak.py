"""A network of score maps: a trunk of a classifier, adaptation layers, one map a class, pooled.

Oquab et al., CVPR 2015 ("Is object localization for free?"): the fully connected layers of a classifier become 1×1
convolutions, the last of which puts out one score map a class, and the score is the map's maximum. With the mean in
its place it is CAM (Zhou et al. 2016). Whatever pools it, the class map is the score map, so `cam` is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cam_cli.capture import run_until

from .description import Cut, HeadShape
from .pooling import pooling
from .stages import arranged


class Centred(nn.Module):
    """(x − mean) / spread. mean: (c, 1, 1), of each channel; spread: one number for all of them."""

    mean: Tensor
    spread: Tensor

    def __init__(self, mean: Tensor, spread: Tensor):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def forward(self, grid: Tensor) -> Tensor:
        return (grid - self.mean) / self.spread


class MapHead(nn.Module):
    """A grid (b, c, u, v) to scores (b, k), logits. adapt: 1×1 convolution, ReLU and dropout, as often as there are
    sizes. scores: a 1×1 convolution to the class maps. pool: maps to scores. centre: what comes first while it learns,
    None before and after."""

    centre: Centred | None

    def __init__(self, channels: int, shape: HeadShape):
        super().__init__()
        self.register_module("centre", None)
        layers: list[nn.Module] = []
        for size in shape.adapt:
            layers += [nn.Conv2d(channels, size, 1), nn.ReLU(), nn.Dropout(shape.dropout)]
            channels = size
        self.adapt = nn.Sequential(*layers)
        self.scores = nn.Conv2d(channels, shape.classes, 1)
        self.pool = pooling(shape.pool, shape.temperature)

    def forward(self, grid: Tensor) -> Tensor:
        if self.centre is not None:
            grid = self.centre(grid)
        scores: Tensor = self.pool(self.scores(self.adapt(grid)))
        return scores

    def settle(self) -> None:
        """Puts what `centre` does into the first convolution, W (x − m) / s + b = (W / s) x + (b − (W / s) m), so that
        the maps stay and the head is what its shape says. On a CPU."""
        if self.centre is None:
            return
        first = next(one for one in self.modules() if isinstance(one, nn.Conv2d))
        assert first.bias is not None
        weights = first.weight.detach().double() / self.centre.spread.double()
        with torch.no_grad():
            first.weight.copy_(weights)
            first.bias.copy_(first.bias.double() - (weights * self.centre.mean.double()).sum((1, 2, 3)))
        self.centre = None


class WeakNetwork(nn.Module):
    """float32 (b, 3, h, w) -> scores (b, k), logits.

    The trunk runs as far as its cut and never finishes, so in a pass it puts out nothing of its own: its layers have
    the stages and grids that they have in the network it was.
    """

    def __init__(self, trunk: nn.Module, cut: Cut, shape: HeadShape):
        super().__init__()
        self.trunk, self.cut = trunk, cut
        self.head = MapHead(cut.channels, shape)

    def forward(self, images: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(images))
        return scores

    def features(self, images: Tensor) -> Tensor:
        """The grid at the cut, (b, c, u, v)."""
        return grid_at(self.trunk, self.cut, images)


class Trunk(nn.Module):
    """A network as far as its cut, by itself: images to the grid there."""

    def __init__(self, network: nn.Module, cut: Cut):
        super().__init__()
        self.network, self.cut = network, cut

    def forward(self, images: Tensor) -> Tensor:
        return grid_at(self.network, self.cut, images)


def grid_at(network: nn.Module, cut: Cut, images: Tensor) -> Tensor:
    return as_grid(run_until(network, images, cut.layer, cut.call), cut, images.shape[2:])


def as_grid(output: Tensor, cut: Cut, size: Sequence[int]) -> Tensor:
    """The output of a cut's layer, for images of `size` (h, w), as (b, c, u, v)."""
    if cut.prefix is not None:
        tokens = output[:, cut.prefix :]
        output = tokens.reshape(len(tokens), *arranged(tokens.shape[1], *size), -1)
    if cut.channels_last or cut.prefix is not None:
        output = output.permute(0, 3, 1, 2)
    return output.relu() if cut.rectified else output


def drop(network: nn.Module, paths: Sequence[str]) -> list[nn.Module]:
    """Puts identities in the place of the modules at `paths`; returns those modules. Raises AttributeError for a path
    that is not there."""
    return [put(network, path, nn.Identity()) for path in paths]


def put(network: nn.Module, path: str, module: nn.Module) -> nn.Module:
    """Puts a module at a path, and returns what was there."""
    there = network.get_submodule(path)
    parent, _, name = path.rpartition(".")
    network.get_submodule(parent)._modules[name] = module
    return there
