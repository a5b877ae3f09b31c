"""Segmentations as COCO's JSON has them, drawn: polygons, and run lengths as a list or packed into a string.

The rules are those of pycocotools' maskApi.c, so that a mask is the one that COCO's own code makes, pixel for pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cam_cli.errors import DatasetUnreadable

Array = np.ndarray
FINE = 5  # maskApi.c looks for a polygon's edge on a grid five times as fine
FAR = 16  # sides of the picture; every step of an edge is walked
MOST = 1 << 28  # pixels; a size of a file's own may be anything


def draw(source: Any, size: tuple[int, int]) -> Array:
    """bool (H, W), true inside. source: polygons, or `size` and `counts`. size: width, height.

    Raises DatasetUnreadable, without saying of which image.
    """
    width, height = size
    if not (width > 0 and height > 0 and width * height <= MOST):
        raise DatasetUnreadable(f"a mask of {width} x {height} pixels is not drawn; the most is {MOST:,}")
    if isinstance(source, dict):
        return from_runs(runs(source["counts"]), width, height)
    inside = np.zeros((height, width), bool)
    for polygon in source:
        inside |= from_polygon(polygon, width, height)
    return inside


def from_runs(lengths: Sequence[int], width: int, height: int) -> Array:
    """From run lengths, column by column, of outside and inside in turn, outside first."""
    if sum(lengths) != width * height or any(length < 0 for length in lengths):
        raise DatasetUnreadable(
            f"run lengths of {sum(lengths)} pixels in all, and the mask is {width} x {height}; export it again"
        )
    values = np.arange(len(lengths)) % 2 == 1
    return np.repeat(values, np.array(lengths, np.int64)).reshape(width, height).T


def runs(counts: Any) -> list[int]:
    """Run lengths, unpacked where they are a string: five bits a character, least first, 32 added where more follow,
    from `0` on; the fifth bit of a number's last character is its sign; from the fourth number on each is less the last
    but one."""
    if isinstance(counts, list):
        if not all(isinstance(length, int) for length in counts):
            raise DatasetUnreadable("run lengths that are no whole numbers; export the segmentation again")
        return counts
    codes = [ord(character) - 48 for character in counts] if isinstance(counts, str) else [-1]
    if not all(0 <= code < 64 for code in codes) or (codes and codes[-1] & 32):
        raise DatasetUnreadable("run lengths that are neither a list nor a whole packed string; export them again")
    lengths: list[int] = []
    value = shift = 0
    for code in codes:
        value |= (code & 31) << shift
        shift += 5
        if not code & 32:
            if code & 16:
                value -= 1 << shift
            lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
            value = shift = 0
    return lengths


def from_polygon(flat: Sequence[float], width: int, height: int) -> Array:
    """From x, y, x, y, … in pixels, the corner (0, 0): bool (height, width).

    Corners go to the nearest point of the fine grid. Each edge is walked there, a step at a time along its longer side;
    where it passes the middle of a column of pixels, everything below in that column changes sides, from the first
    pixel whose middle is not above it. A pixel is inside after an odd number of changes; they run on from the foot of a
    column to the head of the next, as in run lengths. Three corners at least: fewer enclose nothing.
    """
    try:
        corners = np.asarray(flat, np.float64).reshape(-1, 2)
    except (ValueError, TypeError) as error:
        raise DatasetUnreadable("a polygon that is not numbers, x and y in turn; export it again") from error
    if not np.abs(corners).max(initial=0) <= FAR * max(width, height):  # NaN is not either
        raise DatasetUnreadable("a polygon with a corner that is far from any place in the picture; export it again")
    if len(corners) < 3:
        return np.zeros((height, width), bool)
    corners = np.trunc(FINE * corners + 0.5).astype(np.int64)
    changes = np.concatenate(
        [crossings(*ends, width, height) for ends in zip(corners, np.roll(corners, -1, 0), strict=True)]
    )
    counts = np.bincount(changes, minlength=width * height + 1)[:-1]
    return np.asarray(np.cumsum(counts) % 2 == 1).reshape(width, height).T


def crossings(start: Array, end: Array, width: int, height: int) -> Array:
    """Where, of all pixels column by column, an edge of a polygon changes sides: int64 (n,). start, end: fine x, y."""
    (x0, y0), (x1, y1) = start, end
    across, down = abs(x1 - x0), abs(y1 - y0)
    if across == 0:
        return np.empty(0, np.int64)
    if across >= down:
        if x0 > x1:
            (x0, y0), (x1, y1) = end, start
        x = x0 + np.arange(across + 1)
        y = np.trunc(y0 + (y1 - y0) / across * np.arange(across + 1) + 0.5).astype(np.int64)
    else:
        if y0 > y1:
            (x0, y0), (x1, y1) = end, start
        y = y0 + np.arange(down + 1)
        x = np.trunc(x0 + (x1 - x0) / down * np.arange(down + 1) + 0.5).astype(np.int64)
    passes = x[1:] != x[:-1]
    left, top = np.minimum(x[1:], x[:-1])[passes], np.minimum(y[1:], y[:-1])[passes]
    middle = FINE // 2
    column, off = np.divmod(left - middle, FINE)
    kept = (off == 0) & (column >= 0) & (column < width)
    row = np.clip(-((middle - top[kept]) // FINE), 0, height)
    return np.asarray(column[kept] * height + row)
