"""A network run as far as one layer, and no further."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from cam_cli.errors import LayerUnsuitable

from .model import module_at


class Reached(BaseException):
    """The layer has put out what is wanted; unwinds the network's own forward. (Not an Exception: a network may catch
    those.) stop: the hook that raised it, for one such run may be inside another."""

    def __init__(self, stop: Any, output: Any):
        self.stop, self.output = stop, output


def run_until(model: nn.Module, images: Tensor, layer: str, call: int = 1) -> Tensor:
    """What `layer` (a module path) puts out for `images` (b, c, h, w), at its `call`-th call; nothing after it runs.

    Mode and gradients are those the caller has set. The hook that ends the run is put on last and taken off again, so
    that hooks which were there before it see the layer's output too, and may replace it. The modules around the layer
    never finish: they put out nothing.
    Raises LayerUnknown, LayerUnsuitable where the layer is not called so often or puts out no single tensor, and what
    the network's code raises.
    """
    calls = 0

    def stop(module: nn.Module, inputs: Any, output: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Reached(stop, output)

    handle = module_at(model, layer).register_forward_hook(stop)
    try:
        model(images)
    except Reached as reached:
        if reached.stop is not stop:
            raise
        if not isinstance(reached.output, Tensor):
            raise LayerUnsuitable(f"layer {layer} puts out {type(reached.output).__name__}, not one tensor") from None
        return reached.output
    finally:
        handle.remove()
    ran = f"ran {calls} times, not {call}" if calls else "exists but did not run"
    raise LayerUnsuitable(f"layer {layer} {ran}; choose another layer (see `camtool layers`)")
