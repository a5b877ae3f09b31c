"""XGrad-CAM."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class XGradCam(Summed):
    """L_c = Σ_k α_k^c A^k,   α_k^c = Σ_ij |A_ij^k| g_ij^k / Σ_ij |A_ij^k|

    A^k: channel k of the layer's activations; g_ij^k = ∂S_c / ∂A_ij^k; S_c: the score of class c before softmax.
    Fu et al., BMVC 2020, arXiv:2008.02312, whose weights are Σ A g / Σ A: a channel's gradients averaged by its
    activations. The magnitudes are ours. They change nothing in a channel of one sign, as all are after a ReLU, the
    paper's case. In a channel of both signs the paper's Σ A cancels, and the map is that of the channels where it
    happens to cancel best (at a dense block of DenseNet-121, an image in a batch differs from the same image alone by
    2e-4 of the map); an average stays between the gradients it averages. A channel of zeros adds nothing.
    pytorch-grad-cam and torchcam 0.5.0 divide by Σ A + 1e-7 and 1e-8, at any layer.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        sizes = seen.activations.abs()
        mass = sizes.sum((2, 3), keepdim=True)
        weights = (sizes * seen.gradients).sum((2, 3), keepdim=True) / mass.masked_fill(mass == 0, 1)
        return weights * seen.activations
