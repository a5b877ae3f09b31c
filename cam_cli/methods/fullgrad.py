"""FullGrad."""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class FullGrad(Method):
    """L_c = Σ_rgb ψ(x ⊙ ∂S_c/∂x) + Σ_l Σ_k ψ(b_l ⊙ ∂S_c/∂z_l)_k,   ψ: magnitude, min–max, bilinear to the input's size

    x: the model's input; z_l: what layer l puts out, b_l: what of that it adds whatever its input is: the bias of a
    convolution, β − γ μ/√(σ² + ε) of a batch norm; k: its channels; S_c: the score of class c before softmax. Without ψ
    the terms of all layers, the linear ones too, sum to S_c where all other layers are ReLUs and poolings.
    Srinivas & Fleuret, NeurIPS 2019, arXiv:1905.00780, section 4. As in the authors' code the min–max is over all
    channels of a layer; pytorch-grad-cam takes each channel's own, so that all count alike, and empty ones with their
    rounding. Their code aligns corners when it resizes, we align half pixels. No layer is chosen, and the map is
    nowhere negative: what speaks against the class shows as well.
    """

    needs: ClassVar[Needs] = Needs.BIASES

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        size = seen.inputs.shape[2:]
        found = normal(seen.inputs * probe.input_gradients(seen.inputs)).sum(1)
        for gradients in probe.bias_gradients():
            if gradients.ndim == 4 and len(gradients) == len(found):  # the others are no grids of whole images
                layer = normal(gradients).sum(1, keepdim=True)
                found = found + F.interpolate(layer, size, mode="bilinear", align_corners=False)[:, 0]
        return found


def normal(values: Tensor) -> Tensor:
    """Magnitudes (b, c, u, v) of each image from 0 to 1; 0 where they are all the same."""
    values = values.abs() - values.abs().amin((1, 2, 3), keepdim=True)
    most = values.amax((1, 2, 3), keepdim=True)
    return values / torch.where(most == 0, 1, most)
