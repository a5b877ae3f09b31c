"""The strip below an overlay: what the colours stand for."""

from collections.abc import Sequence

import numpy as np

from .text import PAPER, strip, text_width


def with_legend(picture: np.ndarray, colours: np.ndarray, text: str, marks: Sequence[str]) -> np.ndarray:
    """`picture` (uint8 (H, W, 3) RGB) with a white strip below it: a line of text, then the colour bar, cut in equal
    parts between the values `marks`, cold to hot. The picture's own pixels stay as they are."""
    width = picture.shape[1]
    size = int(np.clip(width // 40, 10, 160))
    line, margin = int(size * 1.7), size // 2
    most = max(1, width // (2 * len(marks)))
    values = [strip(mark, min(most, text_width(mark, size) + 2 * margin), line, size, margin) for mark in marks]
    room = max(0, width - sum(value.shape[1] for value in values))
    bar = np.full((line, room, 3), PAPER, np.uint8)
    bar[line // 4 : line - line // 4] = colours[np.linspace(0, 255, room).astype(np.uint8)]
    parts = np.array_split(bar, len(values) - 1, axis=1)
    below = np.hstack([values[0], *(one for pair in zip(parts, values[1:], strict=True) for one in pair)])[:, :width]
    return np.vstack([picture, strip(text, width, line, size, margin), below])
