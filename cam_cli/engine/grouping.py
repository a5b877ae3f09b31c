"""A dataset's classes as groups of a network's: an ImageNet model's dogs, all breeds of them, are VOC's `dog`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from cam_cli.models.pooling import log_sum_exp
from cam_cli.types import Head


@dataclass(frozen=True)
class Grouping:
    """members: of each group the network's classes; a class may be in several groups or in none.

    The score of a group g is s_g = log Σ_{i ∈ g} exp(s_i), so that the softmax over groups is what the network gives
    each of them, if the picture shows one of them.
    """

    members: tuple[tuple[int, ...], ...]

    def scores(self, logits: Tensor) -> Tensor:
        """(b, k) → (b, groups)."""
        return torch.stack([logits[:, list(one)].logsumexp(1) for one in self.members], 1)

    def head(self, head: Head, features: Tensor) -> Head:
        """The head of the groups' scores, to first order: weights (b, groups, c), w_g = Σ_i ∂s_g/∂s_i w_i, where
        ∂s_g/∂s_i is the softmax within the group. So `cam` is what Grad-CAM is of s_g, up to the number of cells.

        features: float32 (b, c, u, v), what the head pools.
        """
        cells = (features.relu() if head.rectified else features).flatten(2)
        pooled = self.pooled(cells, head)
        weights = torch.eye(pooled.shape[1], device=pooled.device) if head.weights is None else head.weights
        logits = pooled @ weights.T + (0 if head.bias is None else head.bias)
        mixed = [logits[:, list(one)].softmax(1) @ weights[list(one)] for one in self.members]
        return replace(head, weights=torch.stack(mixed, 1), bias=None)

    @staticmethod
    def pooled(cells: Tensor, head: Head) -> Tensor:
        """(b, c, cells) → (b, c), as the head pools."""
        if head.temperature is not None:
            return log_sum_exp(cells, head.temperature)
        return cells.mean(2) if head.pooling == "mean" else cells.amax(2)
