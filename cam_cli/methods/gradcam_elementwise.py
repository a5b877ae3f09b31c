"""Element-wise Grad-CAM."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class GradCamElementWise(Summed):
    """L_c = Σ_k ReLU(∂y_c / ∂A^k ⊙ A^k)

    A^k: channel k of the layer's activations; y_c: the score of class c before softmax; ⊙: cell by cell.
    No paper: a variant of Grad-CAM (Selvaraju et al., ICCV 2017, arXiv:1610.02391) that pytorch-grad-cam calls
    GradCAMElementWise. We deviate from that code in nothing. It is HiResCAM without the channels that speak against the
    class, and so never negative.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        return (seen.gradients * seen.activations).relu()
