"""Occlusion."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil
from typing import ClassVar

import torch
from torch import Tensor

from cam_cli.errors import UsageError

from .choice import parameter
from .method import Captured, Method, Needs, Probe

Window = tuple[slice, slice]


@dataclass(frozen=True)
class Occlusion(Method):
    """S_c at a pixel = the mean of y_c(X) − y_c(X without W) over the windows W that hold the pixel

    X: the input; without W: 0 in normalised units, the mean colour, inside the window; y_c: the score of class c before
    softmax. Windows of `patch` × `patch` start at every multiple of `stride`; the last ones are cut at the border.
    patch, stride: below 1 a share of the input's shorter side, from 1 on pixels.
    Zeiler & Fergus, ECCV 2014, arXiv:1311.2901, section 4.2, who slide a grey square and draw the class's probability
    by its place, unscaled. The drop and the mean over windows are captum's. There is no layer.
    """

    patch: float = parameter(0.2, 0.001, 10_000.0)
    stride: float = parameter(0.1, 0.001, 10_000.0)
    needs: ClassVar[Needs] = Needs.PASSES

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        sides = seen.inputs.shape[2:]
        windows = [*self.windows(*sides)]
        maps, times = torch.zeros_like(seen.inputs[:, 0]), seen.inputs.new_zeros(sides)
        for row, image in enumerate(seen.inputs):
            # The whole image goes first through the same passes, so that rounding is alike on both sides of the minus.
            pictures = (occluded(image, window) for window in [None, *windows])
            scores = seen.target[row : row + 1](probe.once(row, partial(probe.scores, pictures, len(windows) + 1)))
            for window, score in zip(windows, scores[1:], strict=True):
                maps[row][window] += scores[0] - score
        for window in windows:
            times[window] += 1
        return maps / times

    def windows(self, height: int, width: int) -> Iterator[Window]:
        """Row by row. Raises UsageError where the stride leaves gaps."""
        patch, stride = (
            max(1, round(size * min(height, width) if size < 1 else size)) for size in (self.patch, self.stride)
        )
        if stride > patch:
            raise UsageError(f"occlusion: a stride of {stride} pixels skips some between patches of {patch}; lower it")
        for top in range(0, ceil(max(0, height - patch) / stride) * stride + 1, stride):
            for left in range(0, ceil(max(0, width - patch) / stride) * stride + 1, stride):
                yield slice(top, top + patch), slice(left, left + patch)


def occluded(image: Tensor, window: Window | None) -> Tensor:
    """A copy of (3, h, w) with 0 inside the window."""
    image = image.clone()
    if window:
        image[:, *window] = 0
    return image
