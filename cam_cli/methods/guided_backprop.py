"""Guided backpropagation."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class GuidedBackprop(Method):
    """M_ij = max_k |R_ijk|,   R^l = (f^l > 0) · (R^{l+1} > 0) · R^{l+1} at every ReLU

    R: what gradients of y_c, the score of class c before softmax, become at the input when every ReLU, with input f^l,
    hands back only what is positive; k: the input's three colours.
    Springenberg et al., ICLR Workshops 2015, arXiv:1412.6806, fig. 1c. They show R in colour; as one map it is what
    arXiv:1312.6034 makes of a gradient. Every ReLU counts, functional, in place, ReLU6 or written as a clamp; captum
    and pytorch-grad-cam change modules of type ReLU only. Other activations pass gradients on as they are; a network
    without any ReLU is refused. There is no layer.
    """

    needs: ClassVar[Needs] = Needs.NOTHING

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        return probe.input_gradients(seen.inputs, guided=True).abs().amax(1)
