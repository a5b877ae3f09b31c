"""What a layer with a spatial grid is, and which layers stand for the stages of a network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

STAGES = 4  # layer1 … layer4
POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d, nn.LPPool2d, nn.FractionalMaxPool2d)

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A module whose output has a grid, at the network's native square input.

    path: dotted. kind: its type's name. channels, rows, cols: of the output. stride: input pixels from a cell
    to the next, to a power of two.
    channels_last: the output is (b, u, v, c), not (b, c, u, v). pooling: it only pools.
    stage: `layer1` … `layer4` where it stands for one.
    """

    path: str
    kind: str
    channels: int
    rows: int
    cols: int
    stride: int
    channels_last: bool
    pooling: bool
    stage: str | None = None


@dataclass(frozen=True)
class Grid:
    """How a 4-D output is laid out."""

    rows: int
    cols: int
    channels: int
    channels_last: bool


def grid_of(shape: Shape, images: int) -> Grid | None:
    """The grid of an output of this shape for `images` square inputs; None when it has none or a single cell.

    At a square input the two equal sides are the grid: (b, c, n, n), or (b, n, n, c) as in Swin.
    """
    if len(shape) != 4 or shape[0] != images:
        return None
    _, one, two, three = shape
    if two == three > 1:
        return Grid(two, three, one, channels_last=False)
    return Grid(one, two, three, channels_last=True) if one == two > 1 else None


def stages(model: nn.Module, layers: tuple[Layer, ...]) -> dict[str, Layer]:
    """The stages among `layers` (in the order they finish).

    A grid's stage is the last non-pooling module of that grid none of whose ancestors puts out another grid; plain
    Sequential containers do not count as ancestors. "The last module of that grid" alone would pick half of the next
    block (its convolutions before the stride), or one branch of a block.
    """
    grids = {layer.path: (layer.rows, layer.cols) for layer in layers}
    ends: dict[tuple[int, int], Layer] = {}
    last: Layer | None = None
    for layer in layers:
        grid = grids[layer.path]
        if layer.pooling or any(grids.get(path, grid) != grid for path in blocks_around(model, layer.path)):
            continue
        ends[grid] = last = layer
    if last is None:
        return {}
    sizes = sorted(grid for grid in ends if grid >= grids[last.path])
    return {f"layer{STAGES - back}": ends[grid] for back, grid in enumerate(sizes[:STAGES])}


def blocks(model: nn.Module, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The building blocks among `layers`: of at least two weight matrices or kernels, and themselves in nothing but
    plain Sequential containers."""
    modules = dict(model.named_modules())
    return tuple(
        layer
        for layer in layers
        if type(modules[layer.path]) is not nn.Sequential
        and sum(one.ndim > 1 for one in modules[layer.path].parameters()) > 1
        and set(blocks_around(model, layer.path)) <= {""}
    )


def blocks_around(model: nn.Module, path: str) -> Iterator[str]:
    """The paths of the ancestors of `path`, the model itself and plain Sequential aside."""
    while path := path.rpartition(".")[0]:
        if type(model.get_submodule(path)) is not nn.Sequential:
            yield path


def pools(module: nn.Module) -> bool:
    """Does it only pool? By type, by name for those that are not torch's own; a plain Sequential by its last child."""
    if type(module) is nn.Sequential:
        return len(module) > 0 and pools(module[-1])
    return isinstance(module, POOLING) or (
        "Pool" in type(module).__name__ and not any(True for _ in module.parameters())
    )
