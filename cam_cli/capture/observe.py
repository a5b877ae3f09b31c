"""One pass that shows every module's input and output."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from .model import forward, undisturbed

Visit = Callable[[str, nn.Module, Any, Any], None]


def observe(model: nn.Module, images: Tensor, visit: Visit) -> Any:
    """Runs `model` on `images` without gradients and calls `visit(path, module, inputs, output)` after every submodule,
    in the order they finish. What `visit` wants to keep it must clone: a later layer may write over it. Returns the
    model's own output. Raises ModelFailed."""
    with undisturbed(model), ExitStack() as hooks, torch.no_grad():
        for name, module in model.named_modules():
            if name:
                handle = module.register_forward_hook(
                    lambda module, inputs, output, name=name: visit(name, module, inputs, output)
                )
                hooks.callback(handle.remove)
        return forward(model, images)
