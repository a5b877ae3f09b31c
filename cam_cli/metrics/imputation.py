"""Pixels filled in from their neighbours, so that a network sees no hole where they were."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

STENCIL = ((1.0, 2.0, 1.0), (2.0, 0.0, 2.0), (1.0, 2.0, 1.0))  # twelfths
RESIDUAL = 5e-7  # of the largest pixel: what no equation is off by more; the pixels are then right to some 1e-5
DIGITS = 1e-3  # what a round in float32 leaves of the residual
ROUNDS, ITERATIONS = 10, 1000  # some 2 and 12 are needed
DAMPING = 0.9  # of the smoother; fewest iterations on maps of a 7 × 7 grid, 0.8 is as good
LEAST = 1e-37  # for float32 divisions whose numerator is then 0 as well


def impute(image: Tensor, missing: Tensor) -> Tensor:
    """Fills in what is missing of an image (c, h, w), once for each of the masks bool (n, h, w), of which none may hold
    all pixels: float32 (n, c, h, w), what is not missing unchanged.

    Each missing pixel i becomes the weighted mean of its neighbours: Σ_j w_ij (x_i − x_j) = 0 over the up to 8
    neighbours j inside the image, w = 1/6 for those beside, above and below, 1/12 for the diagonal ones. Those missing
    are unknowns too. Rong, Leemann et al., ICML 2022, arXiv:2202.00449; tleemann/road_evaluation,
    road/imputations.py, whose noise is not added here.
    That code factorises a sparse matrix for each image and mask; this is the same solution by conjugate gradients, for
    all masks at once and without a matrix. The equations are symmetric and positive definite. They are solved in
    float32 for what is left of them in float64, until that is small.
    """
    count, (channels, height, width) = len(missing), image.shape
    pictures = image.expand(count, channels, height, width)
    holes = missing[:, None].expand_as(pictures)
    device = image.device if image.device.type != "mps" else torch.device("cpu")  # mps has no float64
    flat = (1, count * channels, height, width)  # one picture: a convolution goes channel by channel
    filled, hole = (values.reshape(flat).to(device, torch.float64) for values in (pictures, holes))
    filled = filled * (1 - hole)
    exact, grids = Grid(hole), coarser(innermost(hole.float()))
    goal = RESIDUAL * image.abs().max().item()
    for _ in range(ROUNDS):
        left = exact.times(filled).neg_()
        scale = left.abs().amax((2, 3), keepdim=True)
        if not scale.max() > goal:
            break
        scale.clamp_(min=LEAST)
        filled += scale * solved(grids, innermost((left / scale).float()))
    return torch.where(holes, filled.view_as(pictures).to(image), pictures)


class Grid:
    """The equations at one resolution. hole: float (1, m, h, w), 1 where a pixel is missing, else 0."""

    def __init__(self, hole: Tensor):
        self.hole = hole
        weights = torch.tensor(STENCIL, dtype=hole.dtype, device=hole.device) / 12
        self.kernel = -weights
        self.kernel[1, 1] = 1
        ones = torch.ones_like(hole[:, :1])
        self.outside = F.conv2d(ones, self.kernel[None, None], padding=1)
        """Of each pixel the weight of neighbours that lie outside the image."""
        self.inverse = hole / (1 - self.outside)

    def times(self, values: Tensor) -> Tensor:
        """Σ_j w_ij (x_i − x_j) of every missing pixel i; 0 for the others."""
        kernel = self.kernel.expand(values.shape[1], 1, 3, 3)
        difference = F.conv2d(values, kernel, padding=1, groups=values.shape[1])
        return difference.addcmul_(values, self.outside, value=-1).mul_(self.hole)


def coarser(hole: Tensor) -> list[Grid]:
    """Grids of half the resolution each, down to where nothing is missing: a cell is where all its pixels are."""
    grids = [Grid(hole)]
    while min(hole.shape[2:]) > 2:
        hole = innermost(-F.max_pool2d(-padded(hole, 1.0), 2))
        if not hole.any():
            break
        grids.append(Grid(hole))
    return grids


def solved(grids: list[Grid], right: Tensor) -> Tensor:
    """x with A x = right, to `DIGITS`, of a right side that is 0 where nothing is missing: conjugate gradients in each
    channel, preconditioned by one cycle over the grids."""
    grid = grids[0]
    found, left = torch.zeros_like(right), right.clone()
    goal = DIGITS**2 * dot(right, right)
    better = cycled(grids, left)
    along, slope = better.clone(), dot(left, better)
    for _ in range(ITERATIONS):
        bent = grid.times(along)
        step = slope / dot(along, bent).clamp_(min=LEAST)
        found.addcmul_(step, along)
        left.addcmul_(step, bent, value=-1)
        if not (dot(left, left) > goal).any():
            break
        better = cycled(grids, left)
        slope, before = dot(left, better), slope
        along.mul_(slope / before.clamp_(min=LEAST)).add_(better)
    return found


def cycled(grids: list[Grid], right: Tensor) -> Tensor:
    """About A⁻¹ right: a V-cycle of multigrid. A damped Jacobi step before and after a correction from the next grid,
    whose cells take the sum of their pixels and give each the same; so it is symmetric, as conjugate gradients need."""
    grid, *rest = grids
    found = DAMPING * grid.inverse * right
    if rest:
        height, width = right.shape[2:]
        left = padded(right - grid.times(found), 0.0)
        sums = F.avg_pool2d(left, 2).mul_(4).mul_(rest[0].hole)
        correction = F.interpolate(cycled(rest, sums), scale_factor=2, mode="nearest")
        found.addcmul_(grid.hole, correction[:, :, :height, :width])
    return found.addcmul_(grid.inverse, right - grid.times(found), value=DAMPING)


def innermost(values: Tensor) -> Tensor:
    """The same in memory with channels next to each other, as float32 convolutions channel by channel are quickest."""
    return values.contiguous(memory_format=torch.channels_last)


def padded(values: Tensor, value: float) -> Tensor:
    """To even sides."""
    height, width = values.shape[2:]
    return F.pad(values, (0, width % 2, 0, height % 2), value=value) if height % 2 or width % 2 else values


def dot(one: Tensor, other: Tensor) -> Tensor:
    """Channel by channel: (1, m, 1, 1)."""
    return (one * other).sum((2, 3), keepdim=True)
