"""Pictures side by side with captions: methods as columns, classes as rows."""

import cv2
import numpy as np

from .text import PAPER, strip

TILE = 448
GAP = 12
WIDEST = 5  # tiles


def tile(picture: np.ndarray, caption: str) -> np.ndarray:
    """A picture scaled to a long side of 448 px, centred on white, with its caption above: uint8 (h, w, 3) RGB."""
    height, width = picture.shape[:2]
    scale = TILE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shrunk = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    canvas = np.full((shrunk.shape[0], TILE, 3), PAPER, np.uint8)
    left = (TILE - size[0]) // 2
    canvas[:, left : left + size[0]] = shrunk
    return np.vstack([strip(caption, TILE, 28, 16, 2), canvas])


def panel(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Tiles in a grid on white, uint8 RGB; a row that is shorter than the longest ends in white. A single long row is
    broken, so that it can be looked at."""
    if len(rows) == 1:
        rows = [rows[0][start : start + WIDEST] for start in range(0, len(rows[0]), WIDEST)]
    tiles = [one for row in rows for one in row]
    height, width = max(one.shape[0] for one in tiles), max(one.shape[1] for one in tiles)
    columns = max(map(len, rows))
    canvas = np.full((len(rows) * (height + GAP) + GAP, columns * (width + GAP) + GAP, 3), PAPER, np.uint8)
    for down, row in enumerate(rows):
        for across, one in enumerate(row):
            top, left = GAP + down * (height + GAP), GAP + across * (width + GAP)
            canvas[top : top + one.shape[0], left : left + one.shape[1]] = one
    return canvas
