"""Attention rollout."""

from dataclasses import dataclass
from functools import reduce
from typing import ClassVar

import torch
from torch import Tensor

from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class Rollout(Method):
    """L = row of the class token in Ã_B … Ã_2 Ã_1,   Ã_l = ½ A_l + ½ I

    A_l: the attention matrix of block l of B, the mean over its heads, from the token of a row to that of a column;
    ½ I: the path around the block. Rows sum to 1, so the map is what part of the class token's way ends where.
    The class to explain plays no part. Abnar & Zuidema, ACL 2020, arXiv:2005.00928, section 3.
    Theirs are language models; as in vision we keep the picture's columns of the first token's row. A network without a
    token before the picture's reads the mean of those, so the map is the mean of all rows. We discard no low attention
    and take no other mean of the heads, as some copies do.
    """

    needs: ClassVar[Needs] = Needs.ATTENTION

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        attention = probe.attention()
        flow = reduce(lambda before, block: block @ before, (step(matrix) for matrix in attention.matrices))
        return attention.picture(flow[:, 0] if attention.prefix else flow.mean(1))


def step(matrix: Tensor) -> Tensor:
    """Where one block moves what tokens hold: of (b, heads, n, n), (b, n, n), rows that sum to 1."""
    mean = matrix.mean(1)
    return (mean + torch.eye(mean.shape[-1], device=mean.device)) / 2
