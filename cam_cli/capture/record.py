"""One forward pass, with what its layers put out and the gradients there.

How gradients are taken (ours; no reference code): everything before the first layer asked for runs under `no_grad`; the
hook of that layer turns gradients on; at each layer an output that already depends on an earlier one is kept as it is,
any other is cut off and made a leaf; the network goes on with a *clone*, so neither an in-place neighbour nor a skip
path can touch what was kept. Parameters do not require gradients meanwhile, so a kept tensor requires one exactly when
it depends on a layer asked for. Of a module that is called several times the last call counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cam_cli.errors import LayerUnsuitable

from .model import forward, module_at, undisturbed

INPUT = ""  # among layers: the images themselves

Score = Callable[[Tensor], Tensor]
"""What is differentiated: scores (b, k) to one number an image (b,)."""


@dataclass(frozen=True)
class Recording:
    """One forward pass.

    scores: float (b, k), logits. activations: by module path, the layer's output as the network made it, any float
    dtype and layout; it requires grad when the pass was recorded for gradients.
    """

    scores: Tensor
    activations: Mapping[str, Tensor]

    def gradients(self, score: Score, wanted: Tensor, *, last: bool) -> dict[str, Tensor]:
        """d score(scores)[i] / d activations, each the shape of its activation.

        wanted: bool (b,); an image that is not wanted gets zeros.
        last: the graph is freed; without it more classes can follow. A layer the scores do not depend on gets zeros.
        """
        with torch.enable_grad():
            chosen = score(self.scores)[wanted].sum()
        if not chosen.requires_grad:
            return {name: torch.zeros_like(kept) for name, kept in self.activations.items()}
        found = torch.autograd.grad(
            chosen, list(self.activations.values()), retain_graph=not last, allow_unused=True, materialize_grads=True
        )
        return dict(zip(self.activations, found, strict=True))

    def curvature(self, score: Score, layer: str) -> Tensor:
        """H A at one layer: the second derivatives of each image's score, times its activations, in their shape.

        Zeros where the score is linear in them, as behind piecewise linear networks. The graph is freed.
        """
        kept = self.activations[layer]
        with torch.enable_grad():
            (slope,) = torch.autograd.grad(score(self.scores).sum(), kept, create_graph=True)
            if not slope.requires_grad:
                return torch.zeros_like(kept)
            along = (slope * kept.detach()).sum()
            (found,) = torch.autograd.grad(along, kept, allow_unused=True, materialize_grads=True)
        return found


def record(
    model: nn.Module,
    images: Tensor,
    layers: Sequence[str],
    *,
    gradients: bool,
    read_scores: Callable[[Any], Tensor] = lambda output: output,
) -> Recording:
    """Runs `model` once on `images` (b, 3, h, w) and keeps the output of `layers` (module paths, or INPUT).

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
            if name == INPUT:
                images = keep(name)(model, (), images) if gradients else images
                kept.setdefault(name, images)
                continue
            handle = module_at(model, name).register_forward_hook(keep(name))
            hooks.callback(handle.remove)
        scores = read_scores(forward(model, images))
    missing = [name for name in layers if name not in kept]
    if missing:
        raise LayerUnsuitable(f"layer {missing[0]} exists but did not run; choose another layer (see `camtool layers`)")
    return Recording(scores, {name: kept[name] for name in layers})
