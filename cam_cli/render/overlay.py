"""A heatmap laid on its picture, and what the model did not see."""

from functools import lru_cache

import cv2
import numpy as np

from .colormap import Palette

Window = tuple[slice, slice]


def overlay(pixels: np.ndarray, heat: np.ndarray, palette: Palette, alpha: float, seen: Window) -> np.ndarray:
    """`pixels` under the heat: uint8 (H, W, 3) RGB, a new array.

    heat: float32 (H, W) in [0, 1], or [−1, 1]. At heat t the colour covers the picture with opacity alpha · |t|, so
    that a pixel without evidence keeps its value exactly. What lies outside `seen` has none, and is hatched.
    """
    picture = pixels.copy()
    drawn = cv2.LUT(palette.levels(heat[seen]), paint(palette, alpha))
    drawn = drawn.view(np.uint8).reshape(*drawn.shape, 4)
    share = cv2.cvtColor(cv2.extractChannel(drawn, 3), cv2.COLOR_GRAY2RGB)
    kept = cv2.multiply(picture[seen], share, scale=1 / 255)
    picture[seen] = cv2.add(kept, cv2.cvtColor(drawn, cv2.COLOR_RGBA2RGB), dst=kept)
    return hatch(picture, seen)


@lru_cache(4)  # a run has one or two
def paint(palette: Palette, alpha: float) -> np.ndarray:
    """What a level puts on the picture: int32 (256,), four bytes each, the colour's share in R, G and B and what is
    kept of the picture, in 255ths. (One look-up for all of them takes as long as for one.)"""
    opacity = alpha * palette.opacity[:, None]
    table: np.ndarray = np.rint(np.hstack([opacity * palette.colours, (1 - opacity) * 255])).astype(np.uint8)
    return table.view(np.int32)[:, 0]


def heat_picture(heat: np.ndarray, palette: Palette, seen: Window) -> np.ndarray:
    """The heat alone in its colours, uint8 (H, W, 3) RGB; what was not seen is hatched grey."""
    picture = cv2.applyColorMap(palette.levels(heat), palette.colours[:, None])
    unseen = np.full_like(picture, 64)
    unseen[seen] = picture[seen]
    return hatch(unseen, seen)


def hatch(picture: np.ndarray, seen: Window) -> np.ndarray:
    """Draws diagonal stripes, half grey, on `picture` itself, over all that is outside the window; returns it."""
    height, width = picture.shape[:2]
    rows, columns = seen
    above, below = (0, rows.start, 0, width), (rows.stop, height, 0, width)
    left, right = (rows.start, rows.stop, 0, columns.start), (rows.start, rows.stop, columns.stop, width)
    for top, bottom, first, last in (above, below, left, right):
        part = picture[top:bottom, first:last]
        if part.size:
            mask = stripes(max(2, min(height, width) // 60), top, bottom, first, last)
            cv2.copyTo((part >> 1) + np.uint8(64), mask, part)
    return picture


@lru_cache(16)  # most photographs of a folder have the same few sizes
def stripes(thickness: int, top: int, bottom: int, first: int, last: int) -> np.ndarray:
    """Where a part of a picture, from row `top` and column `first` on, is striped: uint8 (bottom − top, last − first),
    1 or 0; one stripe in four of so many pixels."""
    diagonal = (np.arange(top + first, bottom + last) // thickness % 4 == 0).view(np.uint8)
    window = np.lib.stride_tricks.sliding_window_view(diagonal, last - first)  # [y, x] is diagonal[y + x]
    return np.ascontiguousarray(window[: bottom - top])
