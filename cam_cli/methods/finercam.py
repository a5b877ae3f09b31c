"""Finer-CAM."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class FinerCam(Summed):
    """L_c = Σ_k α_k A^k,   α_k = 1/(u·v) Σ_ij ∂/∂A_ij^k (S_c − γ 1/T Σ_t S_d_t)

    A^k: channel k of the layer's activations; u·v: cells of the grid; S_c: the score of class c before softmax; d_1 …
    d_T: the T classes whose scores are nearest to S_c, field `references` (fewer where the network has fewer); γ: how
    much of them is taken off, field `gamma`.
    Zhang et al., CVPR 2025, arXiv:2501.11309, the difference of logits, here with Grad-CAM. γ = 0.6 and T = 3 and the
    plain mean are torchcam's. pytorch-grad-cam explains another number: the differences averaged by the probabilities
    of the references, which are differentiated too, with γ = 1.
    """

    gamma: float = 0.6
    references: int = 3
    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        own = seen.target.indices[:, None]
        distances = (seen.scores - seen.scores.gather(1, own)).abs().scatter(1, own, torch.inf)
        nearest = distances.argsort(dim=1, stable=True)[:, : min(self.references, seen.scores.shape[1] - 1)]
        gradients = seen.gradients
        for reference in nearest.unbind(1):
            target = replace(seen.target, indices=reference, others=None)
            gradients = gradients - self.gamma / nearest.shape[1] * probe.record(seen.inputs, target).gradients
        return gradients.mean((2, 3), keepdim=True) * seen.activations
