"""A method's questions to the network, answered for one batch at one layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from cam_cli.capture import INPUT, Biases, Tail
from cam_cli.capture import guided as through_relus
from cam_cli.errors import MethodUnsuitable
from cam_cli.methods.method import Attention, Captured, Target
from cam_cli.models.layers import Layer

from .forward import Forward
from .layout import from_grid, to_grid

Progress = Callable[[int, int], None]
"""Told of (passes done, passes in all) of a map that takes many."""


@dataclass
class LayerProbe:
    """The `Probe` of one map: `seen` is what the method is given. layer: None for a method without one.

    rows: the places of its images in the batch. tails, answers: by place in the batch, kept from class to class.
    tokens: a layer of the tokens that the network's blocks attend between, for a method with ATTENTION.
    """

    forward: Forward
    layer: Layer | None
    seen: Captured
    progress: Progress
    rows: list[int]
    tails: dict[int, Tail]
    tokens: Layer | None = None
    answers: dict[int, Tensor] = field(default_factory=dict)

    def once(self, row: int, ask: Callable[[], Tensor]) -> Tensor:
        place = self.rows[row]
        if place not in self.answers:
            self.answers[place] = ask()
        return self.answers[place]

    def scores(self, images: Iterable[Tensor], count: int) -> Tensor:
        return self.forward.in_passes(self.forward.scores, images, self.counting(count))

    def tail(self, row: int, activations: Iterable[Tensor], count: int) -> Tensor:
        layer = self.required()
        place = self.rows[row]
        if place not in self.tails:
            self.tails[place] = self.forward.tail(self.seen.inputs[row : row + 1], layer.path)
        tail = self.tails[place]
        run = lambda grids: tail(from_grid(grids, layer, tail.activations))  # noqa: E731
        return self.forward.in_passes(run, activations, self.counting(count))

    def record(self, images: Tensor, target: Target | None = None) -> Captured:
        layer = self.required()
        recording = self.forward.record(images, [layer.path], gradients=True)
        target = target or self.seen.target
        everyone = torch.ones(len(images), dtype=torch.bool, device=images.device)
        gradients = recording.gradients(target, everyone, last=True)
        return replace(
            self.seen,
            inputs=images,
            scores=recording.scores.detach().float(),
            target=target,
            activations=to_grid(recording.activations[layer.path].detach(), layer, images.shape[2:]),
            gradients=to_grid(gradients[layer.path], layer, images.shape[2:]),
        )

    def slopes(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        source, room = iter(batches), max(1, self.forward.room // len(self.rows))
        while waiting := list(islice(source, room)):
            yield from self.together(waiting)

    def together(self, batches: list[Tensor]) -> tuple[Tensor, ...]:
        """One pass, in halves where the device runs out of memory. Raises OutOfMemoryError for a single batch."""
        count = len(self.rows)
        target = self.seen.target[[*range(count)] * len(batches)]
        try:
            return torch.split(self.record(torch.cat(batches), target).gradients, count)
        except torch.OutOfMemoryError:
            if len(batches) == 1:
                raise
        half = len(batches) // 2
        return self.together(batches[:half]) + self.together(batches[half:])

    def input_gradients(self, images: Tensor, *, guided: bool = False) -> Tensor:
        recording = self.forward.record(images, [INPUT], gradients=True)
        everyone = torch.ones(len(images), dtype=torch.bool, device=images.device)
        with through_relus(recording.scores) if guided else nullcontext(1) as rectifiers:
            if not rectifiers:
                raise MethodUnsuitable(
                    "guided backpropagation changes ReLUs and this network has none; try smoothgrad or gradcam"
                )
            return recording.gradients(self.seen.target, everyone, last=True)[INPUT].float()

    def bias_gradients(self) -> Iterator[Tensor]:
        with Biases() as biases:
            recording = self.forward.record(self.seen.inputs, [INPUT], gradients=True)
        outputs = {str(place): output for place, (output, _) in enumerate(biases.kept)}
        everyone = torch.ones(len(self.seen.inputs), dtype=torch.bool, device=self.seen.inputs.device)
        found = replace(recording, activations=outputs).gradients(self.seen.target, everyone, last=True)
        for place, (output, added) in enumerate(biases.kept):
            yield found[str(place)].float() * added.float().view(-1, *[1] * (output.ndim - 2))

    def attention(self, *, gradients: bool = False) -> Attention:
        assert self.tokens is not None
        assert self.tokens.prefix is not None
        images = self.seen.inputs
        recording = self.forward.attention(images, gradients=gradients)
        matrices, found = list(recording.activations.values()), {}
        if gradients:
            everyone = torch.ones(len(images), dtype=torch.bool, device=images.device)
            found = recording.gradients(self.seen.target, everyone, last=True)
        return Attention(
            tuple(one.detach().float() for one in matrices),
            tuple(one.float() for one in found.values()),
            self.tokens.prefix,
            *self.tokens.cells(matrices[0].shape[1:], images.shape[2:]),
        )

    def curvature(self, target: Target | None = None) -> Tensor:
        layer = self.required()
        with sdpa_kernel(SDPBackend.MATH):  # the fused kernels of attention have no second derivative
            recording = self.forward.record(self.seen.inputs, [layer.path], gradients=True)
            found = recording.curvature(target or self.seen.target, layer.path)
        return to_grid(found, layer, self.seen.inputs.shape[2:])

    def counting(self, count: int) -> Callable[[int], None]:
        done = 0

        def passed(more: int) -> None:
            nonlocal done
            done += more
            self.progress(done, count)

        return passed

    def required(self) -> Layer:
        assert self.layer is not None, "a method that asks about a layer needs ACTIVATIONS"
        return self.layer
