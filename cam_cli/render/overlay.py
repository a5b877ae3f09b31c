"""A heatmap laid on its picture, and what the model did not see."""

import cv2
import numpy as np

from .colormap import Palette

Window = tuple[slice, slice]


def overlay(pixels: np.ndarray, heat: np.ndarray, palette: Palette, alpha: float, seen: Window) -> np.ndarray:
    """`pixels` under the heat: uint8 (H, W, 3) RGB, a new array.

    heat: float32 (H, W) in [0, 1], or [−1, 1]. At heat t the colour covers the picture with opacity alpha · |t|, so
    that a pixel without evidence keeps its value exactly. What lies outside `seen` is hatched.
    """
    opacity = alpha * palette.opacity[:, None, None]
    paint = np.rint(opacity * palette.colours[:, None]).astype(np.uint8)
    keep = np.rint((1 - opacity) * 255).astype(np.uint8).repeat(3, axis=2)
    levels = palette.levels(heat)
    kept = cv2.multiply(pixels, cv2.applyColorMap(levels, keep), scale=1 / 255)
    return hatch(cv2.add(kept, cv2.applyColorMap(levels, paint), dst=kept), seen)


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
    stripe = max(2, min(height, width) // 60)
    diagonal = np.arange(height + width) // stripe % 4 == 0
    striped = np.lib.stride_tricks.sliding_window_view(diagonal, width)[:height]  # [y, x] is diagonal[y + x]
    above, below = np.s_[: rows.start, :], np.s_[rows.stop :, :]
    left, right = np.s_[rows, : columns.start], np.s_[rows, columns.stop :]
    for margin in (above, below, left, right):
        part = picture[margin]
        if part.size:
            mask = np.ascontiguousarray(striped[margin]).view(np.uint8)
            part[:] = cv2.copyTo((part >> 1) + np.uint8(64), mask, part.copy())
    return picture
