"""A method asked outside a run: of tensors written by hand, or of a network through the engine's own probe."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from cam_cli.engine.forward import Forward
from cam_cli.engine.probe import LayerProbe
from cam_cli.methods.method import Captured, Method, Target
from cam_cli.models.head import find_head
from cam_cli.models.layers import survey

NOBODY = None  # the probe of a method that asks nothing


def by_hand(activations: Tensor, gradients: Tensor | None = None, **more) -> Captured:
    """Activations and gradients (b, c, u, v) of images, scores and targets that nobody reads."""
    count = len(activations)
    nothing = Captured(torch.empty(count, 0), torch.empty(count, 0), Target.of(torch.zeros(count).long()), (0,) * count)
    gradients = nothing.gradients if gradients is None else gradients
    return replace(nothing, **({"activations": activations, "gradients": gradients} | more))


def captured(
    model: nn.Module,
    images: Tensor,
    layer: str | None,
    targets: Sequence[int] | Target,
    head: bool = False,
    size: int | None = None,
) -> tuple[Captured, LayerProbe]:
    """What a method would be given at a module path (None: no layer) of a network, and the probe it would ask. size: of
    the network's native input, if the images' longer side is not."""
    forward = Forward(model, torch.device("cpu"), "fp32", lambda output: output)
    target = targets if isinstance(targets, Target) else Target.of(torch.tensor(targets))
    empty = torch.empty(0)
    seen = Captured(images, empty, target, tuple(range(len(images))))
    found = None
    if layer is not None:
        ((found,),) = survey(model, size or max(images.shape[2:])).choose(layer)
    probe = LayerProbe(forward, found, seen, lambda done, count: None, list(range(len(images))), {})
    seen = replace(seen, scores=forward.scores(images)) if found is None else probe.record(images)
    if head:
        seen = replace(seen, head=find_head(model, max(images.shape[2:])))
    probe.seen = seen
    return seen, probe


def anew(probe: LayerProbe) -> LayerProbe:
    """The same probe for another method: it remembers nothing of what it was asked."""
    return replace(probe, answers={})


def mapped(method: Method, model: nn.Module, images: Tensor, layer: str | None, targets: Sequence[int]) -> Tensor:
    """The method's raw maps (b, u, v)."""
    return method.map(*captured(model, images, layer, targets))
