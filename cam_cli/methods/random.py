"""Random weights: what any weighted sum of channels has to beat."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class Random(Summed):
    """L = Σ_k w_k A^k,   w_k ~ U(−1, 1)

    A^k: channel k of the layer's activations; the weights come from the image's seed. The class plays no part.
    No paper: Grad-CAM (Selvaraju et al., ICCV 2017, arXiv:1610.02391) with weights drawn by lot, which pytorch-grad-cam
    calls RandomCAM. That code draws anew for each class.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        count = seen.activations.shape[1]
        drawn = [torch.rand(count, generator=torch.Generator().manual_seed(seed)) * 2 - 1 for seed in seen.seeds]
        return torch.stack(drawn).to(seen.activations.device)[:, :, None, None] * seen.activations
