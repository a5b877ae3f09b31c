"""HiResCAM."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class HiResCam(Summed):
    """L_c = Σ_k ∂y_c / ∂A^k ⊙ A^k

    A^k: channel k of the layer's activations; y_c: the score of class c before softmax; ⊙: cell by cell.
    Draelos & Carin 2020, arXiv:2011.08891, the definition of HiResCAM. We deviate in nothing: the map keeps its sign,
    and where one linear layer reads the whole grid, its sum is the score without the bias.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        return seen.gradients * seen.activations
