"""IS-CAM."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .choice import parameter
from .method import Captured, Needs, Probe, Summed
from .scorecam import channel_weights


@dataclass(frozen=True)
class IsCam(Summed):
    """L_c = Σ_k α_k A^k,   α = softmax_k(1/N Σ_i f_c(M_i^k) − f_c(X_b)),   M_i^k = Σ_{p ≤ i} p/N · X ∘ H^k

    H^k, f_c, X_b: as in Score-CAM; N = 10, field `steps`. The steps p/N add up: i (i + 1) / 2N of the masked image, so
    that the last are brighter than the image itself.
    Naidu et al. 2020, arXiv:2010.03023, in torchcam's reading, which scales before it enlarges.
    """

    steps: int = parameter(10, 1, 10_000)
    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.PASSES

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        return channel_weights(seen, probe, self.steps, self.grown) * seen.activations

    def grown(self, mask: Tensor, turn: int, random: torch.Generator) -> Tensor:
        return mask * ((turn + 1) * (turn + 2) / (2 * self.steps))
