"""Decoded values → what the network is shown, what is drawn on, and the geometry between the two."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cam_cli.errors import ImageTooLarge
from cam_cli.types import Geometry, ImageItem, Picture, Recipe

from .decode import decode
from .fitting import place
from .intensity import Intensity, Range, as_is, to_rgb8, value_range

NO_MEMORY = "not enough memory for its pixels; make the image smaller, or leave it out with a lower --max-pixels"


def prepare(
    values: np.ndarray, scale: Range, recipe: Recipe, *, fit: str, stride: int, orientation: int = 1
) -> tuple[Tensor, Geometry]:
    """values (H, W, 3) → the network's input, float32 (c, h, w), normalised, and where it shows the picture.
    In memory its channels come last, as in what it is made of.

    c is the recipe's: 3, or 1, and then the input is the grey of the values at their full depth, by the luma of
    ITU-R BT.601 (0.299 R + 0.587 G + 0.114 B, as Pillow's convert("L")); what is grey already stays the same.
    scale: black and white; values outside are clipped. Pad is exactly 0: the mean colour. fit, stride: see `place`.
    orientation: for the record only; values are upright. Raises ImageTooLarge as `place` does.
    """
    height, width = values.shape[:2]
    placed = place(width, height, recipe, fit, stride)
    if len(recipe.mean) == 1:
        values = cv2.cvtColor(values, cv2.COLOR_RGB2GRAY)[..., None]
    resized = _resize(values, scale, (placed.height, placed.width), recipe.interpolation)
    inside_x = _overlap(placed.left, placed.width, placed.canvas_width)
    inside_y = _overlap(placed.top, placed.height, placed.canvas_height)
    shown = resized[
        :,
        inside_y.start - placed.top : inside_y.stop - placed.top,
        inside_x.start - placed.left : inside_x.stop - placed.left,
    ]
    part = shown.permute(1, 2, 0).to(torch.float32).contiguous()
    if shown.dtype == torch.uint8:
        part /= 255
    else:
        part.clamp_(0, 1)  # bicubic overshoots
    length = part.shape[1]
    part.view(len(part), -1).sub_(line(recipe.mean, length)).div_(line(recipe.std, length))
    canvas = part
    if part.shape[:2] != (placed.canvas_height, placed.canvas_width):
        canvas = torch.zeros(placed.canvas_height, placed.canvas_width, len(resized))
        canvas[inside_y, inside_x] = part
    return canvas.permute(2, 0, 1), placed.geometry(width, height, fit, orientation)


@lru_cache(16)  # most pictures are as wide, of networks of a few recipes
def line(numbers: tuple[float, ...], length: int) -> Tensor:
    """One number a channel, of so many pixels: float32 (length · c,). Not to be written to. (Numbers to be repeated
    for every pixel would be taken three at a time.)"""
    return torch.tensor(numbers, dtype=torch.float32).repeat(length)


class View(NamedTuple):
    """How one model, by its alias, is shown pictures. stride: see `place`."""

    model: str
    recipe: Recipe
    stride: int


def read_pictures(
    item: ImageItem, views: Sequence[View], *, fit: str, intensity: Intensity, max_pixels: int
) -> tuple[Picture, ...]:
    """One image, read once and prepared for every view. Raises ImageUnreadable or ImageTooLarge and, short of a bug,
    nothing else."""
    with memory_enough():
        decoded = decode(item, max_pixels)
        scale = value_range(decoded.values, intensity)
        flags = tuple(sorted((*decoded.flags, *scale.flags)))
        pixels = to_rgb8(decoded.values, scale)
        found = []
        for model, recipe, stride in views:
            tensor, geometry = prepare(
                decoded.values, scale, recipe, fit=fit, stride=stride, orientation=decoded.orientation
            )
            found.append(Picture(replace(item, model=model), pixels, tensor, geometry, flags))
        return tuple(found)


@contextmanager
def memory_enough() -> Iterator[None]:
    """Inside, what there is no memory for becomes an ImageTooLarge."""
    try:
        yield
    except MemoryError as error:
        raise ImageTooLarge(NO_MEMORY) from error
    except RuntimeError as error:
        if "alloc" not in str(error):
            raise
        raise ImageTooLarge(NO_MEMORY) from error


def _resize(values: np.ndarray, scale: Range, size: tuple[int, int], interpolation: str) -> Tensor:
    """values (H, W, c) → (c, *size): uint8 as it came, or float32 for [0, 1]; antialiased, half-pixel centres.

    8-bit pictures are resized as 8 bits: that is what Pillow does, and so what networks were trained on; it is five
    times as fast at 500 x 375, and a photograph of 24 megapixels never becomes 288 MB of floats. Deeper ones, and those
    whose range is not their dtype's, keep their depth.
    """
    if as_is(values, scale):
        # W: from_numpy warns of an array that may not be written. The batch's axis comes first: torch would not know
        # channels that are last in memory by the strides of one put before them later, and would sort them itself.
        planes = torch.from_numpy(np.require(values, requirements=("C", "W")))[None].permute(0, 3, 1, 2)
    else:
        planes = _unit(values, scale)
    return F.interpolate(planes, size, mode=interpolation, antialias=True, align_corners=False)[0]


def _unit(values: np.ndarray, scale: Range) -> Tensor:
    """values (H, W, c) → float32 (1, c, H, W) in [0, 1]: clipped here, or a resize would spread what lies outside."""
    planes = torch.from_numpy(np.array(values.transpose(2, 0, 1), dtype=np.float32, order="C"))
    return planes.sub_(scale.low).div_(scale.high - scale.low).clamp_(0, 1)[None]


def _overlap(start: int, length: int, canvas: int) -> slice:
    """The part of a canvas that is covered by `length` pixels laid down from `start`."""
    return slice(max(0, start), min(canvas, start + length))
