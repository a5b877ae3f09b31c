"""What layers add to their outputs whatever they are given, caught while a network runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


class Biases(TorchFunctionMode):
    """Inside, keeps of every call of a convolution, a batch norm or a linear layer that adds something its output.

    It stands where Python calls torch, so it sees every call of a module, and layers whose module does more than they
    do. What follows a layer gets a clone of what was kept, which nothing can then write over.

    kept: a pair a call, in their order: the output, channels second and as in the autograd graph, and what was added,
    (channels,). A batch norm with the batch's own statistics adds nothing that is fixed, and is left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        added = ADDED[func](*args, **(kwargs or {})) if func in ADDED else None
        if added is None:
            return output
        if func is F.linear:
            output = output.movedim(-1, min(1, output.ndim - 1))
            self.kept.append((output, added))
            return output.movedim(min(1, output.ndim - 1), -1).clone()
        self.kept.append((output, added))
        return output.clone()


def of_weighted(x: Tensor, weight: Tensor, bias: Tensor | None = None, *more: Any, **named: Any) -> Tensor | None:
    return None if bias is None else bias.detach()


def of_batch_norm(
    x: Tensor,
    mean: Tensor | None,
    variance: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor | None:
    if training or mean is None or variance is None:
        return None
    added = -mean / (variance + eps).sqrt()
    added = added if weight is None else added * weight
    return (added if bias is None else added + bias).detach()


ADDED: dict[Any, Callable[..., Tensor | None]] = {
    torch.conv2d: of_weighted,
    F.linear: of_weighted,
    F.batch_norm: of_batch_norm,
}
