"""SS-CAM."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .choice import parameter
from .method import Captured, Needs, Probe, Summed
from .scorecam import channel_weights


@dataclass(frozen=True)
class SsCam(Summed):
    """L_c = Σ_k α_k A^k,   α = softmax_k(1/N Σ_i f_c(X ∘ (H^k + δ_i)) − f_c(X_b)),   δ_i ~ N(0, σ²) a pixel

    H^k, f_c, X_b: as in Score-CAM, which is N = 1, σ = 0; N = 35, field `samples`; σ = 2, field `sigma`.
    Wang et al. 2020, arXiv:2006.14255, the smoothing of the activations; the one of the input is not here. The noise is
    added to the scaled mask and shared by the colours, as in torchcam, which scales before it enlarges. The authors'
    code adds it to the unscaled channel, with the standard deviation (2 / (max − min))², and averages probabilities.
    The noise comes from the image's seed.
    """

    samples: int = parameter(35, 1, 10_000)
    sigma: float = parameter(2.0, 0.0, 100.0)
    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.PASSES

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        return channel_weights(seen, probe, self.samples, self.noisy) * seen.activations

    def noisy(self, mask: Tensor, turn: int, random: torch.Generator) -> Tensor:
        return mask + self.sigma * torch.randn(mask.shape, generator=random).to(mask.device)
