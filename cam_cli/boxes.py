"""Pure box arithmetic: from a heatmap to its connected parts above a threshold, their boxes and their mask.

Zhou et al. 2016 (arXiv:1512.04150, section 3.2): "segment the regions of which the value is above 20% of the max value
of the CAM", then the box of the largest connected component. The paper leaves open what these rules settle: above is
strictly above; pixels that touch at a corner are connected; the largest has the most pixels. (Code that takes contours
instead, such as wsolevaluation, ranks by the area inside a contour, where a line one pixel wide has none.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .components import MANY, Part, components, foremost, largest, outlines
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
    mask, scale = above(heat, spec.fraction), probability / (float(heat.max()) or 1)
    least = spec.least(heat.size)
    if spec.boxes == "largest":
        return located(largest(mask, heat), heat, scale, least)
    labels, found = components(mask, heat)
    large = [one for one in found if one.area >= least]
    chosen = sorted(large, key=lambda one: (-one.top, -one.area, one.first))[: spec.most]
    numbers = np.zeros(len(found) + 1, np.int32)
    numbers[[one.label for one in chosen]] = range(1, len(chosen) + 1)
    return Regions(tuple(Box(one.xyxy, scale * one.top, one.area) for one in chosen), numbers[labels])


def located(part: Part | None, heat: Array, scale: float, least: float) -> Regions:
    """The largest part as the only box, or none if it is too small."""
    owner = np.zeros(heat.shape, np.int32)
    if part is None or part.area < least:
        return Regions((), owner)
    x0, y0, x1, y1 = part.box
    owner[y0:y1, x0:x1] = part.inside
    top = float(heat[y0:y1, x0:x1][part.inside].max())
    return Regions((Box((float(x0), float(y0), float(x1), float(y1)), scale * top, part.area),), owner)


def largest_boxes(heat: Array, fractions: Sequence[float]) -> Array:
    """The box that `locate` finds by `largest` above each of `fractions`, ascending, of the maximum: int (t, 4),
    half-open xyxy, zeros where there is none.

    What is above a higher level lies within what is above a lower one, so each level looks only where the last one
    found something.
    """
    found = np.zeros((len(fractions), 4), int)
    if not varies(heat):
        return found
    high, left, top, view, many = float(heat.max()), 0, 0, heat, False
    for number, fraction in enumerate(fractions):
        mask = view > level(fraction, high)
        seen = outlines(mask, many)
        if not seen.areas:
            break
        x0, y0, x1, y1 = seen.boxes[foremost(seen, mask, view)]
        found[number] = left + x0, top + y0, left + x1, top + y1
        many = len(seen.areas) > MANY
        if not many:
            x0, y0, x1, y1 = seen.hull
            view, left, top = view[y0:y1, x0:x1], left + x0, top + y0
    return found


def overlaps(boxes: Array, others: Array, closed: bool = False) -> Array:
    """Intersection over union: float64 (n, m), of boxes (n, 4) with others (m, 4), xyxy.

    Half-open, in real numbers; closed: of whole pixels, both ends included, so that sides are x1 − x0 + 1. 0 for two
    boxes without area.
    """
    last = int(closed)
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    common = (np.minimum(boxes[:, None, 2:], others[None, :, 2:]) - corner + last).clip(0).prod(2)
    sizes, other_sizes = ((some[:, 2:] - some[:, :2] + last).prod(1) for some in (boxes, others))
    union = sizes[:, None] + other_sizes[None] - common
    return np.asarray(common / np.where(union > 0, union, 1))


def above(heat: Array, fraction: float | None) -> Array:
    """Where the heat is strictly above `fraction` (0 to below 1) of its maximum, or above Otsu's level where that is
    None: bool (H, W). Nowhere if the heat is the same everywhere or not finite."""
    if not varies(heat):
        return np.zeros(heat.shape, bool)
    return np.asarray(heat > (np.float32(otsu(heat)) if fraction is None else level(fraction, float(heat.max()))))


def varies(heat: Array) -> bool:
    """Whether the heat is finite and not the same everywhere."""
    low, high = float(heat.min()), float(heat.max())  # a NaN makes both NaN
    return bool(np.isfinite(low) and np.isfinite(high) and low < high)


def level(fraction: float, high: float) -> np.float32:
    """As the heat is float32, so is where a fraction of its maximum lies: a value exactly there is not above."""
    return np.float32(fraction * high)


def otsu(heat: Array) -> float:
    """The level that parts the positive heat best in two (Otsu 1979: the greatest variance between the classes), on a
    histogram of 256 levels up to the maximum. Zero heat is left out: most of it is unseen or evidence against."""
    high = float(heat.max())
    levels = cv2.convertScaleAbs(heat[heat > 0], alpha=255 / high)
    level, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    return float((level + 0.5) / 255 * high)
