"""Grad-CAM."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class GradCam(Summed):
    """L_c = Σ_k α_k^c A^k,   α_k^c = 1/(u·v) Σ_ij ∂y_c / ∂A_ij^k

    A^k: channel k of the layer's activations; y_c: the score of class c before softmax; u·v: cells of the grid.
    Selvaraju et al., ICCV 2017, arXiv:1610.02391, eq. 1 and 2. Their ReLU is applied when the heatmap is made, so the
    raw map keeps its sign; that paper averages, its released Lua code sums (a constant factor).
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        weights = seen.gradients.mean((2, 3), keepdim=True)
        return weights * seen.activations
