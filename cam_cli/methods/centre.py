"""A peak at the centre: what any map has to beat."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .choice import parameter
from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class Centre(Method):
    """M(x, y) = exp(−(x² + y²) / 2 σ²)

    x, y: from the centre of the input, in halves of its sides; σ = 0.5, field `sigma`. Neither the network nor the
    image plays a part: photographers put things in the middle. The baseline of Choe et al., CVPR 2020,
    arXiv:2001.07437, a Gaussian at the centre; the σ is ours, and no σ ranks the pixels otherwise.
    """

    sigma: float = parameter(0.5, 0.001, 1000.0)
    needs: ClassVar[Needs] = Needs.NOTHING

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        down, across = (
            (torch.arange(side, device=seen.inputs.device) * 2 + 1) / side - 1 for side in seen.inputs.shape[2:]
        )
        squares = down[:, None] ** 2 + across**2
        return (-squares / (2 * self.sigma**2)).exp().repeat(len(seen.inputs), 1, 1)
