"""Class maps pooled to scores: the three poolings of weakly supervised localisation."""

from __future__ import annotations

from math import log

from torch import Tensor, nn


class MeanPool(nn.Module):
    """S_c = mean of M_c: (b, k, u, v) -> (b, k). Zhou et al. 2016, arXiv:1512.04150 (with one linear layer before it,
    their global average pooling, since the mean of a sum is the sum of the means)."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.mean((2, 3))


class MaxPool(nn.Module):
    """S_c = max of M_c: (b, k, u, v) -> (b, k). Oquab et al. 2015, "Is object localization for free?", section 3."""

    def forward(self, maps: Tensor) -> Tensor:
        return maps.amax((2, 3))


class LsePool(nn.Module):
    """S_c = (1/r) log mean exp(r M_c): (b, k, u, v) -> (b, k). Boyd and Vandenberghe's smooth maximum, as Pinheiro and
    Collobert 2015 (arXiv:1411.6228) pool with it: r towards 0 is the mean, r towards infinity the maximum."""

    def __init__(self, temperature: float):
        super().__init__()
        self.temperature = temperature

    def forward(self, maps: Tensor) -> Tensor:
        return log_sum_exp(maps.flatten(2), self.temperature)

    def extra_repr(self) -> str:
        return f"temperature={self.temperature}"


def log_sum_exp(cells: Tensor, temperature: float | Tensor) -> Tensor:
    """(1/r) log mean exp(r x) over the last axis."""
    return ((cells * temperature).logsumexp(-1) - log(cells.shape[-1])) / temperature


def pooling(name: str, temperature: float) -> nn.Module:
    """The module of a value of `--pool`: max, avg or lse; temperature: r of lse."""
    return LsePool(temperature) if name == "lse" else {"max": MaxPool, "avg": MeanPool}[name]()
