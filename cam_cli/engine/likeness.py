"""Maps spread over cells that look alike to the network: `--tta spread` and `best`.

A class map marks the parts that decide the class; the features of earlier blocks say which other cells belong to the
same thing. They come with the pass that makes the map.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor

BACKGROUND = 0.34  # best on 310 ILSVRC photographs for boxes at 20 %; how it was chosen and checked: docs/tta.md


@dataclass(frozen=True)
class Likeness:
    """How much the cells of a grid look alike.

    grid: its rows and columns. weights: float32 (b, n, n) for its n cells; rows sum to 1, or to 0 where a cell is like
    none, itself included.
    """

    grid: torch.Size
    weights: Tensor

    @classmethod
    def of(cls, features: Sequence[Tensor]) -> Likeness:
        """K_ij / Σ_j K_ij with K_ij = (mean over layers of max(0, cos(f_i, f_j)))², f_i: a layer's features in cell i.

        features: float32 (b, c, u, v) of each layer; the finest grid counts, the others are resized to it.
        After the pixel correlation module of Wang et al., CVPR 2020, arXiv:2004.04581 (SEAM), whose features are learnt
        for it; ours are the classifier's own, of several layers, and the square is ours.
        """
        grid = max((one.shape[2:] for one in features), key=prod)
        cosines = []
        for one in features:
            cells = F.normalize(resized(one, grid).flatten(2), dim=1)
            cosines.append((cells.mT @ cells).clamp(min=0))
        weights = torch.stack(cosines).mean(0) ** 2
        return cls(grid, weights / weights.sum(2, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny))

    def spread(self, maps: Tensor, rows: list[int]) -> Tensor:
        """maps (n, u, v) of those images → (n, *grid): in each cell the mean of all, weighted by their likeness to it.
        Linear, so that signs and units stay."""
        cells = resized(maps[:, None], self.grid).flatten(2)
        return (self.weights[rows] @ cells.mT).view(-1, *self.grid)


def resized(values: Tensor, grid: torch.Size) -> Tensor:
    """(b, c, u, v) → (b, c, *grid)."""
    if values.shape[2:] == grid:
        return values
    return F.interpolate(values, grid, mode="bilinear", antialias=True, align_corners=False)


def less_background(maps: Tensor) -> Tensor:
    """Maps (b, u, v) less the level of their background: `BACKGROUND` of the way from the least to the most of their
    ReLU. One that is nowhere positive stays as it is.

    A spread map falls off slowly: a box at 20 % of its maximum would hold nearly the whole picture.
    """
    heat = maps.relu().flatten(1)
    low, high = heat.amin(1), heat.amax(1)
    return maps - (low + BACKGROUND * (high - low))[:, None, None]
