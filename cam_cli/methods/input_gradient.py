"""Gradients of the score at the input."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class InputGradient(Method):
    """M_ij = max_k |∂y_c / ∂X_ijk|

    X: the input, in normalised units; k: its three colours; y_c: the score of class c before softmax.
    Simonyan et al., ICLR Workshops 2014, arXiv:1312.6034, section 3.1. We deviate in nothing. There is no layer, and no
    sign: what speaks for the class and what speaks against it look alike.
    """

    needs: ClassVar[Needs] = Needs.NOTHING

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        return probe.input_gradients(seen.inputs).abs().amax(1)
