"""Smooth Grad-CAM++."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .method import Captured, Needs, Probe, Summed
from .noise import noisy


@dataclass(frozen=True)
class SmoothGradCamPlusPlus(Summed):
    """L_c = Σ_k w_k^c A^k,   w_k^c = Σ_ij α_ij^kc ReLU(⟨g⟩),   α_ij^kc = ⟨g²⟩ / (2 ⟨g²⟩ + Σ_mn ReLU(A_mn^k) ReLU(⟨g³⟩))

    A^k: channel k of the layer's activations on the image itself; g = g_ij^k = ∂S_c / ∂A_ij^k on the image with
    Gaussian noise, ⟨·⟩ its mean over `samples` such images; S_c: the score of class c before softmax. The noise has a
    standard deviation of `noise` times the range of the input's values, as in SmoothGrad.
    Omeiza et al., IntelliSys 2019, arXiv:1908.01224, which averages the derivatives of Grad-CAM++; the defaults are
    ours. As printed the numerator of α is ⟨g⟩; like torchcam we take Grad-CAM++'s. Both ReLUs in α are ours: A's as in
    our Grad-CAM++, ⟨g³⟩'s since its sign may differ from ⟨g⟩'s, and a denominator that crosses 0 has no limit. torchcam
    0.5.0 weights the gradients of its last sample, not their mean, has Σ A ⟨g³⟩ for ⟨g³⟩ Σ A and sums the activations
    of the last noisy image.
    """

    samples: int = 10
    noise: float = 0.15
    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS | Needs.PASSES

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        # In units of each image's steepest gradient: powers of small ones would underflow.
        unit = seen.gradients.abs().amax((1, 2, 3), keepdim=True)
        unit = unit.masked_fill(unit == 0, 1)
        first, second, third = (torch.zeros_like(seen.activations) for _ in range(3))
        for gradients in probe.slopes(noisy(seen, self.samples, self.noise)):
            slope = gradients / unit
            square = slope.square()
            first += slope
            second += square
            third.addcmul_(square, slope)
        mass = seen.activations.relu().sum((2, 3), keepdim=True)
        alpha = second / (2 * second + mass * unit * third.relu()).masked_fill(second == 0, 1)
        weights = (alpha * first.relu()).sum((2, 3), keepdim=True) * unit / self.samples
        return weights * seen.activations
