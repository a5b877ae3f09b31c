"""The part of a network behind one layer, run again on other activations of that layer.

No graph is traced: the model's own forward runs, but a module call that had finished before the layer put out its
tensor hands back what it put out then. What stands between such calls (additions, concatenations, functional
activations) is cheap and runs again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from cam_cli.errors import LayerUnsuitable

from .model import forward, module_at, undisturbed

TOLERANCE = 1e-3  # of the largest score: how far the replay of what was recorded may be from it

Key = tuple[nn.Module, int]
"""A module's call: the module, and which of its calls in a pass."""


@dataclass
class Call:
    """A finished call: what it put out for one image, and the calls inside it."""

    output: Any = None
    inside: list[Key] = field(default_factory=list)


class Tail:
    """What lies behind `layer` (a module path) for one image (1, 3, h, w). Of a module's several calls the last counts.

    activations: the layer's output for that image, (1, …), as the network made it.
    Raises LayerUnsuitable where the layer's own output, put back, does not give the scores again, and what `forward`
    raises.
    """

    def __init__(self, model: nn.Module, image: Tensor, layer: str, read_scores: Callable[[Any], Tensor]):
        self.model, self.image, self.read_scores = model, image, read_scores
        self.layer = module_at(model, layer)
        self.before: dict[Key, Call] = {}
        scores, self.here = self.record()
        if self.here is None:
            raise LayerUnsuitable(f"layer {layer} exists but did not run; choose another layer (see `camtool layers`)")
        output = self.before[self.here].output
        if not isinstance(output, Tensor):
            raise LayerUnsuitable(f"layer {layer} puts out {type(output).__name__}, not one tensor")
        self.activations = output
        again = self(self.activations.expand(2, *self.activations.shape[1:]))
        if not (again - scores).abs().max() <= TOLERANCE * scores.abs().max():
            raise LayerUnsuitable(
                f"the network cannot be run again from layer {layer} on (its scores come out otherwise); choose another"
            )

    def record(self) -> tuple[Tensor, Key | None]:
        """The plain pass; keeps the outermost calls that finished before the layer's last one. Scores (1, k), and that
        last call."""
        here: Key | None = None
        finished: dict[Key, Call] = {}
        running: list[tuple[Key, Call]] = []
        numbers: Counter[nn.Module] = Counter()

        def enter(module: nn.Module, inputs: Any) -> None:
            key = (module, numbers[module])
            numbers[module] += 1
            for _, around in running:
                around.inside.append(key)
            running.append((key, Call()))

        def leave(module: nn.Module, inputs: Any, output: Any) -> None:
            nonlocal here
            key, call = running.pop()
            while key[0] is not module:  # a call that was broken off inside this one (`run_until`): it never finishes
                key, call = running.pop()
            for inner in call.inside:
                finished.pop(inner, None)
            call.output = tree_map_only(Tensor, torch.clone, output)
            finished[key] = call
            if module is self.layer:
                self.before, here = dict(finished), key

        with undisturbed(self.model), ExitStack() as hooks, torch.no_grad():
            for module in self.model.modules():
                if module is not self.model:
                    hooks.callback(module.register_forward_pre_hook(enter).remove)
                    hooks.callback(module.register_forward_hook(leave).remove)
            return self.read_scores(forward(self.model, self.image)), here

    def __call__(self, activations: Tensor) -> Tensor:
        """The scores (n, k) when the layer puts out `activations` (n, …)."""
        count = len(activations)
        with undisturbed(self.model), torch.no_grad(), self.answering(activations):
            return self.read_scores(forward(self.model, self.image.expand(count, -1, -1, -1).clone()))

    @contextmanager
    def answering(self, activations: Tensor) -> Iterator[None]:
        """Inside, calls that had finished by then are not run: they answer for as many images as there are."""
        numbers: Counter[nn.Module] = Counter()

        def spread(kept: Tensor) -> Tensor:  # a copy: what follows may write over it
            if kept.ndim == 0 or len(kept) != 1:
                return kept.clone()
            return kept.expand(len(activations), *kept.shape[1:]).clone()

        def patched(module: nn.Module, run: Callable[..., Any]) -> Callable[..., Any]:
            def answer(*inputs: Any, **named: Any) -> Any:
                key = (module, numbers[module])
                numbers[module] += 1
                if key not in self.before:
                    return run(*inputs, **named)
                for inner, _ in self.before[key].inside:
                    numbers[inner] += 1
                return (
                    activations.clone() if key == self.here else tree_map_only(Tensor, spread, self.before[key].output)
                )

            return answer

        known = dict.fromkeys(module for module, _ in self.before)
        own = {module: module.__dict__.get("forward") for module in known}
        try:
            for module in known:
                module.__dict__["forward"] = patched(module, module.forward)
            yield
        finally:
            for module, found in own.items():
                if found is None:
                    del module.__dict__["forward"]
                else:
                    module.__dict__["forward"] = found
