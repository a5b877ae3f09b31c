"""Small pictures for the page."""

from __future__ import annotations

import cv2
import numpy as np

from cam_cli.outputs.encode import encode
from cam_cli.render.colormap import Palette, colours
from cam_cli.render.overlay import Window, overlay

SIDE = 320  # pixels, the long side
ROOM = 12 * 1024  # bytes that one aims at
QUALITIES = (78, 66, 54, 42, 30)  # of WebP, tried in turn


def thumbnails(
    pixels: np.ndarray, heat: np.ndarray, seen: Window | None = None, palette: Palette | None = None, alpha: float = 0.6
) -> tuple[bytes, bytes]:
    """The photograph, and the photograph under its heat, as WebP of at most 320 pixels a side.

    pixels: uint8 (H, W, 3) RGB. heat: float32 (H, W) in [0, 1]. seen: what of the original the model saw, in rows and
    columns; the rest is hatched. palette: `inferno` unless given. A picture that is not ready at the lowest quality
    is larger than 12 KiB; noise is.
    """
    small = shrunk(pixels)
    height, width = small.shape[:2]
    # Heat is shrunk before it is coloured: a mean of colours would be a heat that no pixel has.
    warm = cv2.resize(heat, (width, height), interpolation=cv2.INTER_AREA)
    window = scaled(seen, height / heat.shape[0], width / heat.shape[1]) if seen else np.s_[0:height, 0:width]
    return webp(small), webp(overlay(small, warm, palette or Palette(colours("inferno")), alpha, window))


def shrunk(pixels: np.ndarray) -> np.ndarray:
    """So that the long side is at most SIDE; a smaller picture stays as it is."""
    height, width = pixels.shape[:2]
    scale = SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))


def scaled(seen: Window, down: float, across: float) -> Window:
    rows, columns = seen
    return (
        slice(round(rows.start * down), round(rows.stop * down)),
        slice(round(columns.start * across), round(columns.stop * across)),
    )


def webp(picture: np.ndarray) -> bytes:
    """The best of QUALITIES that fits into ROOM, else the last."""
    made = b""
    for quality in QUALITIES:
        made = encode(picture, "webp", quality)
        if len(made) <= ROOM:
            break
    return made
