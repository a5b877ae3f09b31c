"""A model as found: its modules by path, its forward with errors in words, and nothing left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from cam_cli.errors import LayerUnknown, LayerUnsuitable, ModelFailed, nearest


def module_at(model: nn.Module, name: str) -> nn.Module:
    """The submodule at a dotted path. Raises LayerUnknown with the nearest paths."""
    try:
        return model.get_submodule(name)
    except AttributeError:
        known = [path for path, _ in model.named_modules() if path]
        raise LayerUnknown(f"no layer is called {name!r}{nearest(name, known)} (list: `camtool layers`)") from None


def forward(model: nn.Module, images: Tensor) -> Any:
    """The model's output on `images`; what its code raises, out of memory aside, becomes a ModelFailed."""
    try:
        return model(images)
    except (LayerUnsuitable, torch.OutOfMemoryError):
        raise
    except Exception as error:
        shape = "×".join(map(str, images.shape))
        raise ModelFailed(f"the model failed on an input of {shape}: {type(error).__name__}: {error}") from error


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Inside: the model in eval mode, no parameter requiring gradients. After, come what may: every module's mode and
    every parameter's `requires_grad` as they were. (`.grad`, buffers and hooks are never touched.)"""
    modules = modules_of(model)
    modes = [(module, module.training) for module in modules]
    parameters = (parameter for module in modules for parameter in module._parameters.values())
    required = [parameter for parameter in parameters if parameter is not None and parameter.requires_grad]
    try:
        if any(training for _, training in modes):
            model.eval()
        for parameter in required:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in required:
            parameter.requires_grad_(True)
        for module, training in modes:
            if module.training is not training:
                module.training = training


def modules_of(model: nn.Module) -> list[nn.Module]:
    """Those of `model.modules()`, in another order and a quarter of the time: every batch asks."""
    found, waiting = {model: None}, [model]
    while waiting:
        for child in waiting.pop()._modules.values():
            if child is not None and child not in found:
                found[child] = None
                waiting.append(child)
    return [*found]


def replica(model: nn.Module) -> nn.Module:
    """A model of its own whose parameters and buffers are the same values in the same memory: hooks, modes and
    `requires_grad` of the one are not those of the other. Raises what copying a person's own network may raise."""
    shared: dict[int, Any] = {id(one): nn.Parameter(one.detach(), one.requires_grad) for one in model.parameters()}
    shared |= {id(one): one for one in model.buffers()}
    return deepcopy(model, shared)
