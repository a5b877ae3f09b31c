"""Eigen-CAM."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class EigenCam(Method):
    """L = X V_1,   X = U Σ Vᵀ

    X: the layer's activations, a row a cell, a column a channel; V_1: the first right singular vector of X, a weight a
    channel. The class plays no part. Muhammad & Yeasin, IJCNN 2020, arXiv:2008.00299, the definition of Eigen-CAM.
    A singular vector has no sign and the paper gives none: we take the one whose weights sum to 0 or more, so that the
    map rises where the sum of the channels rises; after a ReLU it is nowhere negative. pytorch-grad-cam takes each
    channel's mean off X first, which the paper does not, and leaves the sign to LAPACK.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        return principal(seen.activations)


def principal(features: Tensor, *, centred: bool = False) -> Tensor:
    """Of float32 (b, c, u, v) the first principal component (b, u, v), Σ_k V_1k ≥ 0. centred: of what is left when each
    channel's mean is taken off. An image that is not finite gives NaN; the others of its batch stay as they are."""
    cells = features.flatten(2).mT
    finite = cells.isfinite().all((1, 2))[:, None, None]
    cells = cells.masked_fill(~finite, 0)
    if centred:
        cells = cells - cells.mean(1, keepdim=True)
    weights = torch.linalg.svd(cells, full_matrices=False).Vh[:, 0, :, None]
    weights = torch.where(weights.sum(1, keepdim=True) < 0, -weights, weights)
    maps = (cells @ weights).masked_fill(~finite, torch.nan)
    return maps.view(len(maps), *features.shape[2:])
