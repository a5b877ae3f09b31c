"""LeGrad."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class LeGrad(Method):
    """L_c = 1/B Σ_l 1/(h·n) Σ_hi ReLU(∂y_c / ∂A^l_hi)

    A^l: the attention matrices of block l of B, a head h each; i: the token that attends, of n, so that every token
    attended to has a value; y_c: the score of class c before softmax. Attention itself is not multiplied in, and the
    map is nowhere negative. Bousselham et al., ICCV 2025, arXiv:2404.03214.
    We deviate: their block l has a score of its own, what the network's head makes of the mean (in their code) of that
    block's tokens, and by default their code takes the last two blocks only. How a head would read a block that it does
    not stand on is known for the models of that paper, not for any network: we differentiate the network's own score,
    at all blocks. At the last block the two differ only by how the head reads the tokens. torchcam 0.5.0 follows the
    paper.
    """

    needs: ClassVar[Needs] = Needs.ATTENTION

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        attention = probe.attention(gradients=True)
        return attention.picture(torch.stack([one.relu().mean((1, 2)) for one in attention.gradients]).mean(0))
