"""The frame in which wsolevaluation judges a map: 224×224 whatever the picture, 256 levels, contours, whole pixels.

Choe et al., CVPR 2020 (arXiv:2001.07437), and its code, clovaai/wsolevaluation: `inference.py` (resize, normalise) and
`evaluation.py` (boxes). Equal to it to the bit for a map that covers the whole picture, on the same raw grid. There a
network always sees the whole picture; where ours saw a part, the map is laid where that part is, and the rest of the
frame has the lowest value.
"""

from __future__ import annotations

import cv2
import numpy as np

from cam_cli.types import Geometry, Truth

from .metric import Found
from .objects import size

Array = np.ndarray
SIDE = 224
LEVELS = 255
TAUS = np.arange(0, 1, 0.001)
CUTS = (TAUS * LEVELS).astype(int)
"""The level, of 8 bits, that each threshold cuts at, for the highest is 255 of every map that is not flat; 0 … 254."""


def scores(found: Found, label: str) -> Array:
    """A class's map in the frame, float64 (224, 224) from 0 to 1; zeros for one that is flat or not finite, as in the
    kit, and for one that is missing."""

    if label not in found.maps:
        return np.zeros((SIDE, SIDE))

    def make() -> Array:
        return normalised(framed(found.maps[label].astype(float), found.geometry))

    return found.of_map(label, "wsol scores", make)


def normalised(values: Array) -> Array:
    if not np.isfinite(values).all() or values.min() == values.max():
        return np.zeros_like(values)
    lifted = values - values.min()
    return np.asarray(lifted / lifted.max())


def framed(raw: Array, geometry: Geometry) -> Array:
    """A raw map (u, v) over the picture as it lies in the frame: bicubic as cv2.resize does it."""
    if whole(geometry):
        return np.asarray(cv2.resize(raw, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    (across, columns), (down, rows) = (
        bicubic(side, geometry.scale[axis], geometry.offset[axis], inputs, raw.shape[1 - axis])
        for axis, side, inputs in (
            (0, geometry.width, geometry.input_width),
            (1, geometry.height, geometry.input_height),
        )
    )
    seen = down[rows] @ raw @ across[columns].T
    if not seen.size or np.ptp(seen) < 1e-9 * np.abs(seen).max():  # flat but for rounding, which is no map
        return np.zeros((SIDE, SIDE))
    values = np.full((SIDE, SIDE), seen.min())
    values[np.ix_(rows, columns)] = seen
    return values


def whole(geometry: Geometry) -> bool:
    """Whether the model saw all of the picture and nothing beside it."""
    corner = np.array(geometry.to_original(geometry.input_width, geometry.input_height))
    return not any(geometry.offset) and bool(np.allclose(corner, (geometry.width, geometry.height), rtol=1e-9))


def bicubic(side: int, scale: float, offset: float, inputs: int, cells: int) -> tuple[Array, Array]:
    """Along one axis of a picture of `side` pixels: float64 (224, cells), bicubic (Keys 1981, a = −0.75) between cells
    and repeating the outermost, and whether the model saw the middle of each pixel of the frame: bool (224,)."""
    place = (np.arange(SIDE) + 0.5) * side / SIDE * scale + offset  # in pixels of the input
    position = place * cells / inputs - 0.5
    first = np.floor(position).astype(int) - 1
    table = np.zeros((SIDE, cells))
    for step in range(4):
        away = np.abs(position - (first + step))
        near = (1.25 * away - 2.25) * away**2 + 1
        far = -0.75 * (((away - 5) * away + 8) * away - 4)
        np.add.at(table, (np.arange(SIDE), (first + step).clip(0, cells - 1)), np.where(away <= 1, near, far))
    return table, (place >= 0) & (place < inputs)


class Contours:
    """The boxes of one map's contours above each of the levels 0 … 254.

    boxes: int (k, 4), x0, y0, x1, y1, all levels' in a row, in the kit's order; the last pixel is one beyond the
    contour's but for the frame's border. first: int (255,), where each level's begin. largest: int (255,), the one
    whose contour has the most area. A level without any has the box 0, 0, 0, 0, as in the kit.
    """

    def __init__(self, scored: Array):
        grey = (scored * LEVELS).astype(np.uint8)
        boxes: list[tuple[int, int, int, int]] = []
        self.first, self.largest = np.zeros(LEVELS, int), np.zeros(LEVELS, int)
        (height, width), left, top = scored.shape, 0, 0
        for cut in range(LEVELS):
            self.first[cut] = self.largest[cut] = len(boxes)
            mask = (grey > cut).view(np.uint8)
            found, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
            if not found:
                boxes.append((0, 0, 0, 0))
                continue
            areas = [cv2.contourArea(one) for one in found]
            self.largest[cut] += areas.index(max(areas))
            frames = [cv2.boundingRect(one) for one in found]
            boxes += [
                (left + x, top + y, min(left + x + across, width - 1), min(top + y + down, height - 1))
                for x, y, across, down in frames
            ]
            # What is above the next level lies within what is above this one: look no further than that.
            x0, y0 = min(x for x, *_ in frames), min(y for _, y, *_ in frames)
            x1, y1 = max(x + across for x, _, across, _ in frames), max(y + down for _, y, _, down in frames)
            grey, left, top = grey[y0:y1, x0:x1], left + x0, top + y0
        self.boxes = np.array(boxes)


def contours(found: Found, label: str) -> Contours:
    return found.of_map(label, "wsol contours", lambda: Contours(scores(found, label)))


def closed(boxes: Array, truth: Truth, geometry: Geometry) -> Array:
    """The truth's boxes (n, 4) as the kit has them: int, in pixels of the frame, both ends included.

    Its metadata name the first and the last pixel of the picture, whole numbers; it scales both by 224 / side and drops
    what follows the point. Ours end one beyond the last: x1 − 1 is its x1. Edges between pixels take in every pixel
    that they touch.
    """
    edges = boxes.round(6)  # x0 + width may miss a whole number by a hair
    low, high = np.floor(edges[:, :2]), np.ceil(edges[:, 2:]) - 1
    picture = np.array(size(truth, geometry) * 2, float)
    return np.asarray((np.hstack([low, np.maximum(low, high)]) * float(SIDE) / picture).astype(int))
