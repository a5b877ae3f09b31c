"""SmoothGrad."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .choice import parameter
from .method import Captured, Method, Needs, Probe
from .noise import noisy


@dataclass(frozen=True)
class SmoothGrad(Method):
    """M = Σ_k |1/n Σ_i ∂y_c / ∂X (X + δ_i)|,   δ_i ~ N(0, σ²)

    X: the input, in normalised units; k: its three colours; y_c: the score of class c before softmax; σ: 0.15 of the
    image's range max X − min X, field `noise`; n = 50, field `samples`.
    Smilkov et al. 2017, arXiv:1706.03825, the definition of SmoothGrad with the noise (10–20 %) and the n that the
    paper recommends. The paper takes the absolute value and does not say how colours become one map; the released code
    adds them up, and so do we. That code squares each gradient unless told otherwise, which is another method.
    The noise comes from the image's seed. There is no layer, and no sign.
    """

    samples: int = parameter(50, 1, 10_000)
    noise: float = parameter(0.15, 0.0, 10.0)
    needs: ClassVar[Needs] = Needs.PASSES

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        total = torch.zeros_like(seen.inputs)
        for images in noisy(seen, self.samples, self.noise):
            total += probe.input_gradients(images)
        return (total / self.samples).abs().sum(1)
