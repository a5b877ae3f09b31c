"""What a layer with a spatial grid is, and which layers stand for the stages of a network."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass
from math import isqrt, log

from torch import nn

STAGES = 4  # layer1 … layer4
PREFIX = 16  # tokens before the picture's, at most: class, distillation, registers
POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d, nn.LPPool2d, nn.FractionalMaxPool2d)

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """A module whose output has a grid, at the network's native square input.

    path: dotted. kind: its type's name. channels, rows, cols: of the output. stride: input pixels from a cell
    to the next, to a power of two except among tokens.
    channels_last: the output is (b, u, v, c), not (b, c, u, v). pooling: it only pools.
    stage: `layer1` … `layer4` where it stands for one.
    prefix: None for a grid; of a layer of tokens (b, n, c), the picture's row by row, how many others come before.
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
    prefix: int | None = None

    def cells(self, shape: Shape, size: Sequence[int]) -> tuple[int, int]:
        """Rows and columns of an output of this layer, of `shape`, for an input of `size` (height, width) pixels."""
        if self.prefix is not None:
            return arranged(shape[1] - self.prefix, *size)
        return (shape[1], shape[2]) if self.channels_last else (shape[2], shape[3])


@dataclass(frozen=True)
class Grid:
    """How an output is laid out. prefix: as in `Layer`."""

    rows: int
    cols: int
    channels: int
    channels_last: bool
    prefix: int | None = None


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


def tokens_of(shape: Shape, images: int, sides: Collection[int]) -> Grid | None:
    """The grid behind an output of tokens (b, n, c) for `images` square inputs; None when it has none.

    sides: of the square grids seen before it. The picture's tokens are as many as the cells of one of them, up to
    PREFIX others before them; or as many as those of a grid halved some times, as where patches are merged.
    """
    if len(shape) != 3 or shape[0] != images or shape[2] == 1:
        return None
    _, count, channels = shape
    if fitting := [side for side in sides if 0 <= count - side**2 <= PREFIX]:
        side = max(fitting)
    elif count == (side := isqrt(count)) ** 2 > 1 and any(side in halves(one) for one in sides):
        pass
    else:
        return None
    return Grid(side, side, channels, channels_last=True, prefix=count - side**2)


class GridReader:
    """Reads the grids behind the outputs of one pass over `images` square inputs, shown in the order modules finish."""

    def __init__(self, images: int):
        self.images = images
        self.sides: set[int] = set()
        self.rows: dict[str, set[int]] = {}

    def __call__(self, path: str, shape: Shape) -> Grid | None:
        """The grid of a module's output; None for one without, an attention matrix among them: (b, heads, n, n) beside
        modules that put out n rows."""
        parent = path.rpartition(".")[0]
        if len(shape) == 3:
            self.rows.setdefault(parent, set()).add(shape[1])
            return tokens_of(shape, self.images, self.sides)
        grid = grid_of(shape, self.images)
        if grid is None or grid.rows in self.rows.get(parent, ()):
            return None
        self.sides.add(grid.rows)
        return grid


def halves(side: int) -> Iterator[int]:
    """side/2, side/4, …, rounded up: the sides of a grid whose cells are merged two by two."""
    while side > 2:
        side = -(-side // 2)
        yield side


def arranged(cells: int, height: int, width: int) -> tuple[int, int]:
    """Rows and columns of `cells` square patches of an input of height × width.

    Of all rows · columns = cells, those whose ratio is nearest to the input's. That is the true one: rounded to whole
    patches, r / c is off from height / width by less than a factor of 1 + 1/r or 1 + 1/c, and any other pair of the
    same product by at least the square of both.
    """
    pairs = [(rows, cells // rows) for rows in range(1, cells + 1) if cells % rows == 0]
    return min(pairs, key=lambda pair: abs(log(pair[0] / pair[1] * width / height)))


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


def blocks(model: nn.Module, layers: tuple[Layer, ...], finished: Container[str]) -> tuple[Layer, ...]:
    """The building blocks among `layers`: of at least two weight matrices or kernels, and themselves in nothing that
    has `finished` in a pass (by path), plain Sequential containers aside."""
    modules = dict(model.named_modules())
    return tuple(
        layer
        for layer in layers
        if type(modules[layer.path]) is not nn.Sequential
        and sum(one.ndim > 1 for one in modules[layer.path].parameters()) > 1
        and not any(path in finished for path in blocks_around(model, layer.path))
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


def normalises(module: nn.Module) -> bool:
    """Is it a normalisation? By the name of its type; a matrix among its weights says that it is more than that."""
    return "Norm" in type(module).__name__ and all(parameter.ndim < 2 for parameter in module.parameters())
