"""Guided backpropagation: what a ReLU hands back while gradients are taken."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

RECTIFIERS = {  # the backward of ReLU (module, function, in place) and of ReLU6
    torch.ops.aten.threshold_backward.default,
    torch.ops.aten.hardtanh_backward.default,
}


class Guided(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Inside, the backward of every ReLU passes on positive gradients only.

    It stands where autograd calls the kernels, so it reaches functional and in-place ReLUs, which leave no module to
    hook, and touches nothing of the model. count: how many it reached.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in RECTIFIERS:
            self.count += 1
            args = (args[0].clamp(min=0), *args[1:])
        return func(*args, **(kwargs or {}))
