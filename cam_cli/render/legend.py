"""The strip below an overlay: what the colours stand for."""

import numpy as np

from .text import PAPER, strip


def with_legend(picture: np.ndarray, colours: np.ndarray, text: str, low: str, high: str) -> np.ndarray:
    """`picture` (uint8 (H, W, 3) RGB) with a white strip below it: a line of text, then the colour bar between the
    values `low` and `high`. The picture's own pixels stay as they are."""
    width = picture.shape[1]
    size = int(np.clip(width // 40, 10, 160))
    line, margin = int(size * 1.7), size // 2
    ends = [strip(value, max(1, width // 4), line, size, margin) for value in (low, high)]
    bar = np.full((line, max(0, width - 2 * ends[0].shape[1]), 3), PAPER, np.uint8)
    ramp = np.linspace(0, 255, bar.shape[1]).astype(np.uint8)
    bar[line // 4 : line - line // 4] = colours[ramp]
    below = np.hstack([ends[0], bar, ends[1]])[:, :width]
    return np.vstack([picture, strip(text, width, line, size, margin), below])
