"""Pure box arithmetic: from a heatmap to its connected parts above a threshold, their boxes and their mask.

Zhou et al. 2016 (arXiv:1512.04150, section 3.2): "segment the regions of which the value is above 20% of the max value
of the CAM", then the box of the largest connected component. The paper leaves open what these rules settle: above is
strictly above; pixels that touch at a corner are connected; the largest has the most pixels. (Code that takes contours
instead, such as wsolevaluation, ranks by the area inside a contour, where a line one pixel wide has none.)
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from .specs.boxes import BoxSpec
from .types import Box

Array = np.ndarray


@dataclass(frozen=True)
class Regions:
    """What was found in one heatmap.

    boxes: best score first. owner: int32 (H, W), the number, from 1, of the box whose component a pixel is of; else 0.
    """

    boxes: tuple[Box, ...]
    owner: Array

    @property
    def mask(self) -> Array:
        """bool (H, W): the components that the boxes stand for."""
        return np.asarray(self.owner > 0)


@dataclass(frozen=True)
class Component:
    """An 8-connected part of a mask: its box as half-open x0, y0, x1, y1, its number of pixels, its first pixel in
    reading order (y, x), and the highest heat and the sum of heat over its pixels."""

    label: int
    xyxy: tuple[float, float, float, float]
    area: int
    first: tuple[int, int]
    top: float
    heat: float


def locate(heat: Array, probability: float, spec: BoxSpec) -> Regions:
    """The boxes of a heatmap: float32 (H, W) in [0, 1], zero where nothing was seen, so that no box lies there; of a
    signed map its positive part.

    `largest` is the component of the most pixels, of equals the one of more heat, then the first in reading order; N
    and `all` go by score. A component of fewer pixels than `spec.least` makes no box.

    The score of a box is `probability` (of what the map explains, in [0, 1]) times the highest heat in its component,
    as a fraction of the map's. So the box that holds the map's peak scores what the model gives the class, and others
    what they reach of that peak; unlike a mean over the component, it depends neither on the threshold nor on how wide
    the map spreads.
    """
    labels, found = components(above(heat, spec.fraction), heat)
    large = [one for one in found if one.area >= spec.least(heat.size)]
    if spec.boxes == "largest":
        chosen = sorted(large, key=lambda one: (-one.area, -one.heat, one.first))[:1]
    else:
        chosen = sorted(large, key=lambda one: (-one.top, -one.area, one.first))[: spec.most]
    numbers = np.zeros(len(found) + 1, np.int32)
    numbers[[one.label for one in chosen]] = range(1, len(chosen) + 1)
    scale = probability / (float(heat.max()) or 1)
    return Regions(tuple(Box(one.xyxy, scale * one.top, one.area) for one in chosen), numbers[labels])


def above(heat: Array, fraction: float | None) -> Array:
    """Where the heat is strictly above `fraction` (0 to below 1) of its maximum, or above Otsu's level where that is
    None: bool (H, W). Nowhere if the heat is the same everywhere or not finite."""
    low, high = float(heat.min()), float(heat.max())
    if not (np.isfinite(low) and np.isfinite(high) and low < high):  # a NaN makes both NaN
        return np.zeros(heat.shape, bool)
    return np.asarray(heat > np.float32(otsu(heat) if fraction is None else fraction * high))


def otsu(heat: Array) -> float:
    """The level that parts the positive heat best in two (Otsu 1979: the greatest variance between the classes), on a
    histogram of 256 levels up to the maximum. Zero heat is left out: most of it is unseen or evidence against."""
    high = float(heat.max())
    levels = cv2.convertScaleAbs(heat[heat > 0], alpha=255 / high)
    level, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    return float((level + 0.5) / 255 * high)


def components(mask: Array, heat: Array) -> tuple[Array, list[Component]]:
    """The 8-connected parts of `mask`, bool (H, W), and the label of every pixel: int32 (H, W), 0 outside them."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    return labels, [component(label, stats[label], labels, heat) for label in range(1, count)]


def component(label: int, stats: Array, labels: Array, heat: Array) -> Component:
    x0, y0, width, height, area = map(int, stats)
    part = np.s_[y0 : y0 + height, x0 : x0 + width]
    inside = labels[part] == label
    values = heat[part][inside]
    first = y0, x0 + int(inside[0].argmax())
    box = float(x0), float(y0), float(x0 + width), float(y0 + height)
    return Component(label, box, area, first, float(values.max()), float(values.sum(dtype=np.float64)))
