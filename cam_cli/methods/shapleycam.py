"""ShapleyCAM."""

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class ShapleyCam(Summed):
    """L_c = Σ_k α_k^c A^k,   α_k^c = 1/(u·v) Σ_ij (∂U_c / ∂A − 1/2 H A)_ij^k,   U_c = S_c + log p_c

    A: the layer's activations, A^k its channel k; H: the second derivatives of U_c with respect to them; S_c, p_c: the
    score of class c before softmax and after; u·v: cells of the grid.
    Cai 2025, arXiv:2501.06261: the Shapley values of U_c expanded to second order, averaged over the grid like
    Grad-CAM's weights; U_c is its utility ReST. With S_c alone H is 0 behind a piecewise linear network, and the map is
    Grad-CAM's: so U_c is explained whatever the target's own activation; pytorch-grad-cam leaves the choice to the
    caller, and its default is S_c.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        target = replace(seen.target, activation="rest")
        slopes = probe.record(seen.inputs, target).gradients - probe.curvature(target) / 2
        return slopes.mean((2, 3), keepdim=True) * seen.activations
