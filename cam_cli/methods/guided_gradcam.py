"""Guided Grad-CAM."""

from dataclasses import dataclass
from typing import ClassVar

import torch.nn.functional as F
from torch import Tensor

from .gradcam import GradCam
from .guided_backprop import GuidedBackprop
from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class GuidedGradCam(Method):
    """M = Up(ReLU(L_c)) ∘ R

    L_c: the map of Grad-CAM at the layer; Up: to the input's size, bilinearly; R: guided backpropagation's.
    Selvaraju et al., ICCV 2017, arXiv:1610.02391, section 3.2. They show the product in colour; as one map it is the
    largest magnitude of the colours, as in guided backpropagation. The ReLU comes before the product, as in the paper
    and in captum, which enlarges by the nearest cell unless told otherwise.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        coarse = GradCam().map(seen, probe).relu()[:, None]
        where = F.interpolate(coarse, seen.inputs.shape[2:], mode="bilinear", align_corners=False)[:, 0]
        return where * GuidedBackprop().map(seen, probe)
