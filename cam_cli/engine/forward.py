"""A network on its device, run on batches: the one place that knows device, precision and how large a pass may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from cam_cli.capture import Recording, Tail, forward, record, record_attention, undisturbed

from .device import precise

Passed = Callable[[int], None]


@dataclass(frozen=True)
class Forward:
    """read_scores: the model's output to logits (b, k). passed: told how many images a pass had, for progress."""

    module: nn.Module
    device: torch.device
    precision: str
    read_scores: Callable[[Any], Tensor]

    @cached_property
    def layout(self) -> tuple[torch.dtype, torch.memory_format]:
        """What the network wants of its input: its own dtype, and channels last if its weights have them so."""
        weights = next((one for one in self.module.parameters() if one.ndim == 4 and min(one.shape[1:]) > 1), None)
        last = weights is not None and not weights.is_contiguous()
        floats = (one.dtype for one in self.module.parameters() if one.is_floating_point())
        return next(floats, torch.float32), torch.channels_last if last else torch.contiguous_format

    def laid(self, images: Tensor) -> Tensor:
        """As the network wants them. (One step after the other takes half as long as both at once.)"""
        dtype, memory = self.layout
        return images.to(dtype).to(memory_format=memory)

    def record(self, images: Tensor, layers: Sequence[str], *, gradients: bool) -> Recording:
        """`images` (b, 3, h, w) on the device. Raises what `capture.record` raises."""
        with precise(self.device, self.precision):
            return record(self.module, self.laid(images), layers, gradients=gradients, read_scores=self.read_scores)

    def attention(self, images: Tensor, *, gradients: bool) -> Recording:
        """Raises what `record_attention` raises."""
        with precise(self.device, self.precision):
            return record_attention(self.module, self.laid(images), gradients=gradients, read_scores=self.read_scores)

    def scores(self, images: Tensor) -> Tensor:
        """Logits, float32 (b, k). Raises ModelFailed."""
        with precise(self.device, self.precision), undisturbed(self.module), torch.no_grad():
            return self.read_scores(forward(self.module, self.laid(images))).float()

    def tail(self, image: Tensor, layer: str) -> Tail:
        """What lies behind `layer`, for one image (1, 3, h, w). Raises what `Tail` raises."""
        with precise(self.device, self.precision):
            return Tail(self.module, self.laid(image), layer, self.read_scores)

    @property
    def room(self) -> int:
        """Inputs a pass of a method that asks again."""
        return 16 if self.device.type == "cpu" else 64

    def in_passes(self, run: Callable[[Tensor], Tensor], inputs: Iterable[Tensor], passed: Passed) -> Tensor:
        """`run` over `inputs` (one tensor each, made as they are needed), as many at a time as the device has room for.

        A pass holds the same inputs whatever batch their image is in, so results do not depend on the batch size.
        """
        source, found = iter(inputs), []
        while waiting := list(islice(source, self.room)):
            found.append(self.halved(run, waiting))
            passed(len(waiting))
        return torch.cat(found)

    def halved(self, run: Callable[[Tensor], Tensor], inputs: list[Tensor]) -> Tensor:
        """One pass, in halves where the device runs out of memory. Raises OutOfMemoryError for a single input."""
        try:
            with precise(self.device, self.precision):
                return run(torch.stack(inputs).to(self.device)).float()
        except torch.OutOfMemoryError:
            if len(inputs) == 1:
                raise
        half = len(inputs) // 2
        return torch.cat([self.halved(run, inputs[:half]), self.halved(run, inputs[half:])])
