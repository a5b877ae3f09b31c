"""Does a network end in global pooling and one linear layer, so that class activation maps are exact? Found by value.

Zhou et al. 2016 (arXiv:1512.04150): with features f_k pooled by the mean and scores S_c = Σ_k w_k^c mean(f_k) + b_c,
the map is M_c = Σ_k w_k^c f_k and S_c = mean(M_c) + b_c. Oquab et al. 2015 pool class maps by the maximum, others by
log-sum-exp. Names and types of modules say little (functional ReLU and pooling leave no module), so a pass on noise
compares numbers: which layer's output, pooled, is the input of the linear layer that puts out the scores, or the scores
themselves?
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from cam_cli.capture import observe
from cam_cli.errors import MethodUnsuitable
from cam_cli.types import Head

from .network import Network, Specimen
from .pooling import log_sum_exp
from .scores import raw_scores
from .stages import Grid, GridReader

IMAGES = 2  # one could agree by chance of symmetry; two do not
TOLERANCE = 1e-4  # of the largest value compared
WORKS = (
    "use `camtool gradcam`, a model that has such a head (efficientnet_lite0, ResNets …), or "
    "`camtool train DATASET -m {name}`, which gives this one such a head"
)


@dataclass(frozen=True)
class Pooled:
    """One layer's output reduced to what the search compares; keys are (rectified, pooling), values (images, c)."""

    path: str
    grid: Grid
    vectors: dict[tuple[bool, str], Tensor]


@dataclass(frozen=True)
class Linear:
    """One linear map as it ran on vectors: `output = input @ weights.T + bias`."""

    path: str
    input: Tensor
    output: Tensor
    weights: Tensor
    bias: Tensor | None


@dataclass
class Trace:
    """What one pass left behind, in the order modules finished. tail: types of those with weights after the last grid.

    What is kept is cloned or reduced: a later layer may write over an output.
    """

    grids: GridReader = field(default_factory=lambda: GridReader(IMAGES))
    features: list[Pooled] = field(default_factory=list)
    linears: list[Linear] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    def visit(self, path: str, module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return
        grid = self.grids(path, tuple(output.shape))
        if grid:
            self.features.append(Pooled(path, grid, pooled(output, grid)))
            self.tail.clear()
        elif next(module.parameters(recurse=False), None) is not None:
            self.tail.append(type(module).__name__)
        if inputs and isinstance(inputs[0], Tensor) and is_linear(module, output):
            vectors = inputs[0].flatten(1).clone(), output.flatten(1).clone()
            self.linears.append(Linear(path, *vectors, *coefficients(module)))


def find_head(network: Network | nn.Module, size: int | None = None) -> Head:
    """The head of a network that has one, by a pass on two noise images at its native size (or `size` px).

    Raises MethodUnsuitable with what the network ends in and what works instead, ModelFailed.
    """
    specimen = Specimen.of(network, size)
    trace = Trace()
    scores = raw_scores(observe(specimen.module, specimen.noise(IMAGES), trace.visit))
    if maps := match(scores, trace.features):
        layer, rectified, pooling = maps
        weights = scores.new_ones(1, 1) if scores.shape[1] == 1 else None
        return both_sides(Head(layer.path, layer.grid.channels_last, rectified, pooling, weights, None))
    for linear in reversed(trace.linears):
        if agree(linear.output, scores) and (found := match(linear.input, trace.features)):
            layer, rectified, pooling = found
            at = (layer.path, layer.grid.channels_last, rectified, pooling)
            return both_sides(Head(*at, linear.weights, linear.bias, linear.path))
    if head := smoothly_pooled(specimen, scores, trace.features):
        return head
    raise MethodUnsuitable(
        f"cam needs global pooling and one linear layer at the end, {specimen.name} has {ending(trace)}; "
        + WORKS.format(name=specimen.name)
    )


def head_in(module: nn.Module, head: Head) -> Head:
    """`head`, found in a network, with the weights that `module` has in the same place: a network of that architecture
    with other weights. On its device."""
    if head.linear is None:
        return head
    weights, bias = coefficients(module.get_submodule(head.linear))
    return both_sides(replace(head, weights=weights, bias=bias))


def coefficients(module: nn.Module) -> tuple[Tensor, Tensor | None]:
    """Copies of the weights (k, c) and the bias (k,) of a linear layer or a 1×1 convolution."""
    assert isinstance(module.weight, Tensor)
    bias = module.bias.detach().clone() if isinstance(module.bias, Tensor) else None
    return module.weight.detach().flatten(1).clone(), bias


def both_sides(head: Head) -> Head:
    """The head of one logit as that of two classes, as `read_scores` reads them: weights −w and w, bias −b and b."""
    if head.weights is None or len(head.weights) > 1:
        return head
    bias = None if head.bias is None else torch.cat([-head.bias, head.bias])
    return replace(head, weights=torch.cat([-head.weights, head.weights]), bias=bias)


def match(vector: Tensor, features: list[Pooled]) -> tuple[Pooled, bool, str] | None:
    """The latest layer that pools to `vector` (images, c) as it is, else the latest whose ReLU does; with how."""
    for rectified in (False, True):
        for layer in reversed(features):
            for pooling in ("mean", "max"):
                if agree(layer.vectors[rectified, pooling], vector):
                    return layer, rectified, pooling
    return None


def smoothly_pooled(specimen: Specimen, scores: Tensor, features: list[Pooled]) -> Head | None:
    """The head of scores (images, k) that are (1/r) log mean exp(r M_c) of the latest layer M of k channels for which
    one r fits them all, if one does. One more pass, on the same noise, keeps the maps of such layers."""
    wanted = [one for one in features if one.grid.channels == scores.shape[1]]
    kept: dict[str, Tensor] = {}

    def visit(path: str, module: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        layer = next((one for one in wanted if one.path == path), None)
        if layer and isinstance(output, Tensor):
            kept[path] = in_cells(output, layer.grid).clone()

    if wanted:
        observe(specimen.module, specimen.noise(IMAGES), visit)
    for layer in reversed(wanted):
        cells = kept[layer.path].mT.double()
        temperature = fitting(cells.flatten(0, 1), scores.flatten().double())
        if temperature and agree(log_sum_exp(cells, temperature), scores.double()):
            weights = scores.new_ones(1, 1) if scores.shape[1] == 1 else None
            at = (layer.path, layer.grid.channels_last, False, "lse", weights, None)
            return both_sides(Head(*at, temperature=temperature))
    return None


def fitting(cells: Tensor, pooled: Tensor) -> float | None:
    """The r at which (1/r) log mean exp(r x) over the row of `cells` (n, m) whose values differ most is the entry of
    `pooled` (n,) for it, by halving: it grows with r, from the mean to the maximum. None where it is not between."""
    row = int((cells.amax(1) - cells.mean(1)).argmax())
    values, wanted = cells[row], pooled[row]
    if not values.mean() < wanted < values.amax():
        return None
    unit = float(values.amax() - values.mean())
    low, high = 1e-4 / unit, 1e4 / unit
    for _ in range(60):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if log_sum_exp(values, middle) < wanted else (low, middle)
    return low


def agree(one: Tensor, other: Tensor) -> bool:
    """Are two float tensors the same up to rounding, and not just zero?"""
    if one.shape != other.shape:
        return False
    scale = other.abs().max()
    return bool(scale > 0) and bool((one - other).abs().max() <= TOLERANCE * scale)


def pooled(features: Tensor, grid: Grid) -> dict[tuple[bool, str], Tensor]:
    """(b, c, u, v), (b, u, v, c) or tokens (b, n, c) to (b, c): mean and maximum over the grid, of the features and of
    their ReLU."""
    cells = in_cells(features, grid)
    largest = cells.amax(1)
    return {
        (False, "mean"): cells.mean(1),
        (False, "max"): largest,
        (True, "mean"): cells.relu().mean(1),
        (True, "max"): largest.relu(),
    }


def in_cells(features: Tensor, grid: Grid) -> Tensor:
    """(b, c, u, v), (b, u, v, c) or tokens (b, n, c) to the cells of the grid, (b, cells, c)."""
    return features.flatten(2).mT if not grid.channels_last else features.flatten(1, -2)[:, grid.prefix or 0 :]


def is_linear(module: nn.Module, output: Tensor) -> bool:
    """Is it a linear map of one vector an image: a Linear on (b, c), or a 1×1 convolution on a 1×1 grid?"""
    if isinstance(module, nn.Linear):
        return output.ndim == 2 and len(output) == IMAGES
    plain = isinstance(module, nn.Conv2d) and module.groups == 1 and module.kernel_size == (1, 1)
    return plain and output.shape[0] == IMAGES and output.shape[2:] == (1, 1)


def ending(trace: Trace) -> str:
    """What a network that was refused ends in, for the message."""
    kinds = trace.tail
    if trace.features and trace.features[-1].grid.prefix:
        return "a class token, or another way to read its tokens"
    if kinds and len(kinds) > 1 and set(kinds) == {"Linear"}:
        return f"{len(kinds)} fully connected layers after its last grid"
    if 1 < len(kinds) <= 4:
        return f"{', '.join(kinds[:-1])} and {kinds[-1]} after its last grid"
    return f"{len(kinds)} layers with weights after its last grid" if kinds else "none that could be found"
