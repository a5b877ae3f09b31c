"""The only place with hooks: runs a model, keeps what its layers put out, and leaves the model as found.

How gradients are taken (ours; no reference code): everything before the first layer asked for runs under `no_grad`; the
hook of that layer turns gradients on; at each layer an output that already depends on an earlier one is kept as it is,
any other is cut off and made a leaf; the network goes on with a *clone*, so neither an in-place neighbour nor a skip
path can touch what was kept. Parameters do not require gradients meanwhile, so a kept tensor requires one exactly when
it depends on a layer asked for. Of a module that is called several times the last call counts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .errors import LayerUnknown, LayerUnsuitable, ModelFailed, nearest

Visit = Callable[[str, nn.Module, Any, Any], None]


@dataclass(frozen=True)
class Recording:
    """One forward pass.

    scores: float (b, k), logits. activations: by module path, the layer's output as the network made it, any float
    dtype and layout; it requires grad when the pass was recorded for gradients.
    """

    scores: Tensor
    activations: Mapping[str, Tensor]

    def gradients(self, targets: Tensor, wanted: Tensor, *, last: bool) -> dict[str, Tensor]:
        """d scores[i, targets[i]] / d activations, each the shape of its activation.

        targets: int64 (b,), a class an image. wanted: bool (b,); an image that is not wanted gets zeros.
        last: the graph is freed; without it more classes can follow. A layer the scores do not depend on gets zeros.
        """
        with torch.enable_grad():
            chosen = self.scores.gather(1, targets[:, None]).squeeze(1)[wanted].sum()
        if not chosen.requires_grad:
            return {name: torch.zeros_like(kept) for name, kept in self.activations.items()}
        found = torch.autograd.grad(
            chosen, list(self.activations.values()), retain_graph=not last, allow_unused=True, materialize_grads=True
        )
        return dict(zip(self.activations, found, strict=True))


def record(
    model: nn.Module,
    images: Tensor,
    layers: Sequence[str],
    *,
    gradients: bool,
    read_scores: Callable[[Any], Tensor] = lambda output: output,
) -> Recording:
    """Runs `model` once on `images` (b, 3, h, w) and keeps the output of `layers` (module paths).

    Raises LayerUnknown for a path the model does not have, LayerUnsuitable for a layer that did not run or whose output
    is not one tensor, ModelFailed with the model's own words when its forward raises.
    """
    kept: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[[nn.Module, Any, Any], Any]:
        def hook(module: nn.Module, inputs: Any, output: Any) -> Any:
            if not isinstance(output, Tensor):
                raise LayerUnsuitable(
                    f"layer {name} puts out {type(output).__name__}, not one tensor; choose another layer"
                )
            if not gradients:
                kept[name] = output.clone()
                return None
            torch.set_grad_enabled(True)
            kept[name] = output if output.requires_grad else output.detach().clone().requires_grad_()
            return kept[name].clone()

        return hook

    with undisturbed(model), ExitStack() as hooks, torch.set_grad_enabled(False):
        for name in layers:
            handle = module_at(model, name).register_forward_hook(keep(name))
            hooks.callback(handle.remove)
        scores = read_scores(forward(model, images))
    missing = [name for name in layers if name not in kept]
    if missing:
        raise LayerUnsuitable(f"layer {missing[0]} exists but did not run; choose another layer (see `camtool layers`)")
    return Recording(scores, {name: kept[name] for name in layers})


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
    modes = [(module, module.training) for module in model.modules()]
    required = [parameter for parameter in model.parameters() if parameter.requires_grad]
    try:
        model.eval()
        for parameter in required:
            parameter.requires_grad_(False)
        yield
    finally:
        for parameter in required:
            parameter.requires_grad_(True)
        for module, training in modes:
            module.training = training
