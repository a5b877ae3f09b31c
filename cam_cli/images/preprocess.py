"""Decoded values → what the network is shown, what is drawn on, and the geometry between the two."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cam_cli.errors import ImageTooLarge, ImageUnreadable
from cam_cli.types import Geometry, ImageItem, Picture, Recipe

from .decode import decode
from .fitting import place

NO_MEMORY = "not enough memory for its pixels; make the image smaller, or leave it out with a lower --max-pixels"
DEPTHS = (8, 10, 12, 14, 16)


class Range(NamedTuple):
    """The values that mean black and white in a picture. guessed: the dtype alone does not say."""

    low: float
    high: float
    guessed: bool

    @property
    def flags(self) -> tuple[str, ...]:
        return ("depth_guessed",) * self.guessed


def value_range(values: np.ndarray) -> Range:
    """The range of uint8, uint16 or float32 values.

    uint16: the smallest of 8, 10, 12, 14, 16 bits that holds the maximum, for scanners and cameras put 12 bits into 16.
    float32: [0, 1] or [0, 255] where they hold all values, else min to max. Raises ImageUnreadable for NaN and inf.
    """
    if values.dtype == np.uint8:
        return Range(0, 255, False)
    low, high = float(values.min()), float(values.max())
    if values.dtype == np.uint16:
        bits = next(bits for bits in DEPTHS if high < 2**bits)
        return Range(0, 2**bits - 1, bits < 16)
    if not (np.isfinite(low) and np.isfinite(high)):  # NaN spreads to both
        raise ImageUnreadable("it holds pixels that are NaN or infinite; replace them")
    for top in (1, 255):
        if low >= 0 and high <= top:
            return Range(0, top, top == 255)
    return Range(low, high if high > low else low + 1, True)


def to_unit(values: np.ndarray) -> tuple[Tensor, tuple[str, ...]]:
    """values uint8, uint16 or float32 (H, W, 3) → float32 (3, H, W) in [0, 1], and flags (`depth_guessed`)."""
    scale = value_range(values)
    return _unit(values, scale)[0], scale.flags


def to_rgb8(values: np.ndarray) -> np.ndarray:
    """values uint8, uint16 or float32 (H, W, 3) → uint8 (H, W, 3) for drawing, by the range that the network's input
    has too; uint8 is handed through, not copied."""
    if values.dtype == np.uint8:
        return values
    low, high, _ = value_range(values)
    if values.dtype == np.uint16:
        table = np.clip(np.arange(65536, dtype=np.float64) * (255 / high), 0, 255).round().astype(np.uint8)
        drawn: np.ndarray = table[values]
    else:
        scaled = (values - np.float32(low)) * np.float32(255 / (high - low))
        drawn = np.clip(scaled, 0, 255).round().astype(np.uint8)
    return drawn


def prepare(
    values: np.ndarray, recipe: Recipe, *, fit: str, size: int | None, stride: int, orientation: int = 1
) -> tuple[Tensor, Geometry]:
    """values (H, W, 3) → the network's input, float32 (3, h, w), normalised, and where it shows the picture.

    Pad is exactly 0: the mean colour. fit, size, stride: see `place`. orientation: for the record only; values are
    upright. Raises ImageTooLarge as `place` does, ImageUnreadable as `value_range` does.
    """
    height, width = values.shape[:2]
    placed = place(width, height, recipe, fit, size, stride)
    resized = _resize(values, (placed.height, placed.width), recipe.interpolation)
    inside_x = _overlap(placed.left, placed.width, placed.canvas_width)
    inside_y = _overlap(placed.top, placed.height, placed.canvas_height)
    shown = resized[
        :,
        inside_y.start - placed.top : inside_y.stop - placed.top,
        inside_x.start - placed.left : inside_x.stop - placed.left,
    ]
    shown = shown.float() / 255 if shown.dtype == torch.uint8 else shown.clamp(0, 1)  # bicubic overshoots
    mean, std = (torch.tensor(numbers, dtype=torch.float32)[:, None, None] for numbers in (recipe.mean, recipe.std))
    canvas = torch.zeros(3, placed.canvas_height, placed.canvas_width)
    canvas[:, inside_y, inside_x] = (shown - mean) / std
    return canvas, placed.geometry(width, height, fit, orientation)


def read_picture(
    item: ImageItem, recipe: Recipe, *, fit: str, size: int | None, stride: int, max_pixels: int
) -> Picture:
    """One image, read and prepared. Raises ImageUnreadable or ImageTooLarge and, short of a bug, nothing else."""
    try:
        decoded = decode(item, max_pixels)
        scale = value_range(decoded.values)
        tensor, geometry = prepare(
            decoded.values, recipe, fit=fit, size=size, stride=stride, orientation=decoded.orientation
        )
        return Picture(item, to_rgb8(decoded.values), tensor, geometry, tuple(sorted((*decoded.flags, *scale.flags))))
    except MemoryError as error:
        raise ImageTooLarge(NO_MEMORY) from error
    except RuntimeError as error:
        if "alloc" not in str(error):
            raise
        raise ImageTooLarge(NO_MEMORY) from error


def _resize(values: np.ndarray, size: tuple[int, int], interpolation: str) -> Tensor:
    """values (H, W, 3) → (3, *size): uint8 as it came, or float32 for [0, 1]; antialiased, half-pixel centres.

    8-bit pictures are resized as 8 bits: that is what Pillow does, and so what networks were trained on; it is five
    times as fast at 500 x 375, and a photograph of 24 megapixels never becomes 288 MB of floats. Deeper ones keep
    their depth.
    """
    if values.dtype == np.uint8:
        # W: from_numpy warns of an array that may not be written
        planes = torch.from_numpy(np.require(values, requirements=("C", "W"))).permute(2, 0, 1)[None]
    else:
        planes = _unit(values, value_range(values))
    return F.interpolate(planes, size, mode=interpolation, antialias=True, align_corners=False)[0]


def _unit(values: np.ndarray, scale: Range) -> Tensor:
    """values (H, W, 3) → float32 (1, 3, H, W) in [0, 1]."""
    planes = torch.from_numpy(np.array(values.transpose(2, 0, 1), dtype=np.float32, order="C"))
    return planes.sub_(scale.low).div_(scale.high - scale.low)[None]


def _overlap(start: int, length: int, canvas: int) -> slice:
    """The part of a canvas that is covered by `length` pixels laid down from `start`."""
    return slice(max(0, start), min(canvas, start + length))
