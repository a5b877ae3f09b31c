"""Ablation-CAM."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class AblationCam(Summed):
    """L_c = Σ_k w_k^c A^k,   w_k^c = y_c − y_c^k

    A^k: channel k of the layer's activations; y_c: the score of class c before softmax; y_c^k: the same when A^k is 0.
    Desai & Ramaswamy, WACV 2020, doi:10.1109/WACV45572.2020.9093360, the weights of Ablation-CAM, which they divide by
    y_c. We do not: it is one factor a map that a min–max removes, but where the score is negative it turns the map
    over, and where it is 0 there is none. A channel that is 0 already has weight 0 and is not run. pytorch-grad-cam
    puts the layer's minimum − 10⁷ in the place of 0 unless that minimum is 0, which no network has ever seen.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.PASSES

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        weights = torch.zeros(seen.activations.shape[:2], device=seen.activations.device)
        for row, grid in enumerate(seen.activations):
            active = grid.flatten(1).any(1).nonzero().flatten().tolist()
            # The whole grid goes first through the same passes, so that rounding is alike on both sides of the minus.
            grids = (without(grid, channel) for channel in [None, *active])
            scores = seen.target[row : row + 1](probe.once(row, partial(probe.tail, row, grids, len(active) + 1)))
            weights[row, active] = scores[0] - scores[1:]
        return weights[:, :, None, None] * seen.activations


def without(grid: Tensor, channel: int | None) -> Tensor:
    """A copy of (c, u, v) with one channel 0."""
    grid = grid.clone()
    if channel is not None:
        grid[channel] = 0
    return grid
