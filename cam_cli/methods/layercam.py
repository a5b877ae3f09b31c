"""LayerCAM."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class LayerCam(Summed):
    """L_c = Σ_k ReLU(∂y_c / ∂A^k) ⊙ A^k

    A^k: channel k of the layer's activations; y_c: the score of class c before softmax; ⊙: cell by cell.
    Jiang et al., IEEE TIP 2021, doi:10.1109/TIP.2021.3089943, the definition of LayerCAM. Their ReLU around the sum is
    applied when the heatmap is made, so the raw map keeps the sign of the activations. The paper stretches the maps of
    shallow layers by tanh(2 L / max L) before fusing layers; we do not, nor do pytorch-grad-cam and torchcam unasked.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        return seen.gradients.relu() * seen.activations
