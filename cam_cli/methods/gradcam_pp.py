"""Grad-CAM++."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class GradCamPlusPlus(Summed):
    """L_c = Σ_k w_k^c A^k,   w_k^c = Σ_ij α_ij^kc ReLU(g),   α_ij^kc = g² / (2 g² + Σ_mn ReLU(A_mn^k) · g³)

    A^k: channel k of the layer's activations; g = g_ij^k = ∂S_c / ∂A_ij^k; S_c: the score of class c before softmax.
    Chattopadhay et al., WACV 2018, arXiv:1710.11063, α from eq. 19, which takes Y_c = exp(S_c) so that the higher
    derivatives are powers of g. The weights then hold ∂Y_c/∂A = exp(S_c) g: we leave out exp(S_c), one positive factor
    a map, which a min–max removes and which overflows float32 from S_c = 89 on. Their ReLU around the map is applied
    when the heatmap is made. We divide α by g², α = 1 / (2 + g Σ ReLU(A)), safe from underflow; where
    g is 0, so is α. The ReLU in the sum is ours and changes nothing after a ReLU, where the paper takes A. Before one,
    Σ A < 0 brings the denominator to 0 and the map is the noise of its rounding. pytorch-grad-cam adds 1e-6 to the
    undivided denominator, which damps α where g² is not far above it; torchcam 0.5.0 divides a copy: its α is g².
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        positive = seen.gradients.relu()
        mass = seen.activations.relu().sum((2, 3), keepdim=True)
        weights = (positive / (2 + positive * mass)).sum((2, 3), keepdim=True)
        return weights * seen.activations
