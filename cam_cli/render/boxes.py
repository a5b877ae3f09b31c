"""Boxes, their labels and peaks on a picture, in two tones so that they stand out from dark and from light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .text import Colour, strip, text_width

DARK = (16, 16, 16)
PALETTE: tuple[Colour, ...] = (  # light enough for dark text, far from each other
    (255, 214, 10), (64, 224, 255), (255, 120, 203), (140, 240, 80), (255, 150, 60), (170, 170, 255), (255, 255, 255),
    (60, 220, 160),
)  # fmt: skip
ROOM = 480  # pixels along the long side; a picture that fits in twice is enlarged


@dataclass(frozen=True)
class Mark:
    """What one map found. boxes: half-open x0, y0, x1, y1, each with the text of its label. peak: x, y of a pixel."""

    boxes: Sequence[tuple[float, float, float, float]]
    labels: Sequence[str]
    peak: tuple[int, int] | None
    colour: Colour


def enlarged(picture: np.ndarray) -> tuple[np.ndarray, int]:
    """A small picture at a whole multiple of its size, so that there is room to write on it, and that multiple; its
    pixels stay squares and the edges of boxes exact. uint8 (h, w, 3) RGB; a large one is given back itself."""
    times = max(1, ROOM // max(picture.shape[:2]))
    return (picture.repeat(times, 0).repeat(times, 1) if times > 1 else picture), times


def outlined(picture: np.ndarray, marks: Sequence[Mark], times: int = 1) -> np.ndarray:
    """Draws the boxes on `picture` itself, uint8 (H, W, 3) RGB, in which what they count as one pixel is `times` as
    large; returns it. A box's edge is the inner edge of its bright line; the dark line is around that. The first mark
    comes out on top."""
    line = thickness(picture)
    for one in reversed(marks):
        for box in one.boxes:
            edges = [round(edge * times) for edge in box]
            frame(picture, edges, line + casing(line), DARK)
            frame(picture, edges, line, one.colour)
    return picture


def dotted(picture: np.ndarray, marks: Sequence[Mark], times: int = 1) -> np.ndarray:
    """Draws a dot at every peak, as `outlined` draws the boxes."""
    line = thickness(picture)
    for one in reversed(marks):
        if one.peak:
            centre = [int((at + 0.5) * times) for at in one.peak]
            cv2.circle(picture, centre, 2 * line + 1 + casing(line), DARK, cv2.FILLED, cv2.LINE_AA)
            cv2.circle(picture, centre, 2 * line + 1, one.colour, cv2.FILLED, cv2.LINE_AA)
    return picture


def thickness(picture: np.ndarray) -> int:
    """Of a box's bright line: one pixel, and more on large pictures."""
    return max(1, round(int(min(picture.shape[:2])) / 180))


def casing(line: int) -> int:
    """Thickness of the dark line around a bright one."""
    return max(1, line // 2)


def frame(picture: np.ndarray, edges: Sequence[int], width: int, colour: Colour) -> None:
    """A rectangular line of so many pixels around `edges`; where the picture ends, just inside it."""
    height, across = picture.shape[:2]
    x0, y0 = max(0, edges[0] - width), max(0, edges[1] - width)
    x1, y1 = min(across, edges[2] + width), min(height, edges[3] + width)
    picture[y0 : y0 + width, x0:x1] = colour
    picture[max(y0, y1 - width) : y1, x0:x1] = colour
    picture[y0:y1, x0 : x0 + width] = colour
    picture[y0:y1, max(x0, x1 - width) : x1] = colour


def labelled(picture: np.ndarray, marks: Sequence[Mark], times: int = 1) -> np.ndarray:
    """Writes the labels on `picture` itself, as `outlined` draws the boxes. A label stands above its box, or inside
    where there is no room, and below other labels that it would cover."""
    height, width = picture.shape[:2]
    line = thickness(picture)
    size = int(np.clip(min(height, width) / 26, 12, 160))
    tall, margin, edge = int(size * 1.5), size // 3, casing(line)
    taken: list[tuple[int, int, int]] = []  # x0, x1, y0
    for one in marks:
        for box, text in zip(one.boxes, one.labels, strict=True):
            wide = min(width, text_width(text, size) + 2 * margin + 2 * edge)
            x = max(0, min(round(box[0] * times) - line - edge, width - wide))
            y = round(box[1] * times) - line - tall
            y = y if y >= 0 else max(0, round(box[1] * times))
            while y + tall <= height and any(x < x1 and x0 < x + wide and abs(y - y0) < tall for x0, x1, y0 in taken):
                y += tall
            y = max(0, min(y, height - tall))
            taken.append((x, x + wide, y))
            paper = np.full((tall, wide, 3), DARK, np.uint8)
            inner = strip(text, max(1, wide - 2 * edge), tall - 2 * edge, size, margin, one.colour)
            paper[edge : tall - edge, edge : edge + inner.shape[1]] = inner[:, : wide - edge]
            part = picture[y : y + tall, x : x + wide]
            part[:] = paper[: part.shape[0], : part.shape[1]]
    return picture
