"""How a training went, as a picture: losses and mean average precision by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, log10

import cv2
import numpy as np
from PIL import Image, ImageDraw

from .text import INK, PAPER, Colour, font, plain, text_width

WIDTH, HEIGHT = 960, 540
LEFT, RIGHT, TOP, BOTTOM = 84, 84, 88, 64  # margins, px
GRID: Colour = (226, 226, 226)
TICKS = 5
FINE = 4  # lines are drawn at this scale, then shrunk


@dataclass(frozen=True)
class Line:
    """values: one an epoch, from the first; None where there is none. right: on the axis from 0 to 1."""

    name: str
    values: Sequence[float | None]
    colour: Colour
    right: bool = False


def curve(lines: Sequence[Line], chosen: int | None, title: str) -> np.ndarray:
    """uint8 (540, 960, 3) RGB. chosen: the epoch, from 1, that is marked. Values that are not finite leave a gap."""
    epochs = max((len(line.values) for line in lines), default=0)
    found = [value for line in lines if not line.right for value in line.values if value is not None]
    finite = [value for value in found if np.isfinite(value)]
    top = ceiling(max(finite, default=1.0))
    canvas = np.full((HEIGHT * FINE, WIDTH * FINE, 3), PAPER, np.uint8)
    x = [LEFT + (WIDTH - LEFT - RIGHT) * (place + 0.5) / max(epochs, 1) for place in range(epochs)]
    for tick in range(TICKS + 1):
        y = level(tick / TICKS)
        stroke(canvas, [(LEFT, y), (WIDTH - RIGHT, y)], GRID, 1)
    if chosen:
        stroke(canvas, [(x[chosen - 1], TOP), (x[chosen - 1], HEIGHT - BOTTOM)], (150, 150, 150), 1)
    for line in lines:
        for piece in pieces(line, x, top):
            stroke(canvas, piece, line.colour, 2.5)
            for point in piece:
                dot(canvas, point, line.colour)
    shrunk = cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return written(shrunk, lines, x, top, chosen, title)


def pieces(line: Line, x: Sequence[float], top: float) -> list[list[tuple[float, float]]]:
    """The points of a line, in runs without a gap."""
    found: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(line.values):
        if value is None or not np.isfinite(value):
            found.append([])
        else:
            found[-1].append((x[place], level(value if line.right else value / top)))
    return [piece for piece in found if piece]


def level(part: float) -> float:
    """The height of a value, a part of the axis, px from the top."""
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * min(max(part, 0.0), 1.0)


def ceiling(value: float) -> float:
    """The end of an axis for values up to this one: 1, 2, 2.5 or 5 times a power of ten, above 0."""
    if not value > 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value * 0.999)


def stroke(canvas: np.ndarray, points: Sequence[tuple[float, float]], colour: Colour, width: float) -> None:
    scaled = np.array([[round(x * FINE), round(y * FINE)] for x, y in points], np.int32)
    cv2.polylines(canvas, [scaled], False, colour, max(1, round(width * FINE)), cv2.LINE_AA)


def dot(canvas: np.ndarray, point: tuple[float, float], colour: Colour) -> None:
    cv2.circle(canvas, [round(at * FINE) for at in point], 4 * FINE, colour, cv2.FILLED, cv2.LINE_AA)


def written(
    picture: np.ndarray, lines: Sequence[Line], x: Sequence[float], top: float, chosen: int | None, title: str
) -> np.ndarray:
    """The picture with its words: title, names of the lines, ends of the axes, numbers of the epochs."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    small, large = font(15), font(19)
    draw.text((LEFT, 14), plain(title), INK, large)
    at = LEFT
    for line in lines:
        draw.rectangle((at, 50, at + 18, 54), line.colour)
        draw.text((at + 24, 52), plain(line.name), INK, small, anchor="lm")
        at += 24 + text_width(plain(line.name), 15) + 28
    right = any(line.right for line in lines)
    for tick in range(TICKS + 1):
        y = level(tick / TICKS)
        draw.text((LEFT - 10, y), f"{top * tick / TICKS:.3g}", INK, small, anchor="rm")
        if right:
            draw.text((WIDTH - RIGHT + 10, y), f"{tick / TICKS:.1f}", INK, small, anchor="lm")
    step = max(1, -(-len(x) // 15))
    for place in range(0, len(x), step):
        draw.text((x[place], HEIGHT - BOTTOM + 16), str(place + 1), INK, small, anchor="mm")
    draw.text(((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18), "epoch", INK, small, anchor="mm")
    if chosen:
        draw.text((x[chosen - 1], TOP - 12), "kept", INK, small, anchor="mm")
    return np.asarray(image)
