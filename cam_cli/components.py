"""Connected parts of a mask: all of them with what there is to know, or quickly the largest.

Pixels that touch at a corner are connected. The quick way follows outlines instead of labelling pixels. A closed path
of `steps` steps over pixel centres, around `area`, holds area + steps / 2 + 1 pixels with those on it (Pick's theorem,
which stays true where the path runs back over itself), and area − steps / 2 + 1 without. So the pixels of a part are
those in its outer outline less those within the outlines of its holes, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

Array = np.ndarray
Edges = tuple[int, int, int, int]
MANY = 150  # outlines beyond which labelling all pixels is quicker


@dataclass(frozen=True)
class Component:
    """An 8-connected part of a mask: its box as half-open x0, y0, x1, y1, its number of pixels, its first pixel in
    reading order (y, x), and the highest heat over its pixels."""

    label: int
    xyxy: tuple[float, float, float, float]
    area: int
    first: tuple[int, int]
    top: float


class Outlines(NamedTuple):
    """The parts of a mask: their boxes, half-open xyxy, and their pixels, counted.

    points: x, y of some pixel of each; labels: None. Or, where pixels were labelled, labels: int32 (h, w), i + 1 for
    part i; points: none.
    """

    boxes: list[Edges]
    areas: list[int]
    points: list[tuple[int, int]]
    labels: Array | None

    @property
    def hull(self) -> Edges:
        """The box around all of them."""
        left, top, right, bottom = zip(*self.boxes, strict=True)
        return min(left), min(top), max(right), max(bottom)


class Part(NamedTuple):
    """The largest part. box: half-open xyxy. inside: bool, which pixels within its box are its own."""

    box: Edges
    area: int
    inside: Array


def components(mask: Array, heat: Array) -> tuple[Array, list[Component]]:
    """The 8-connected parts of `mask`, bool (H, W), and the label of every pixel: int32 (H, W), 0 outside them."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    return labels, [component(label, stats[label], labels, heat) for label in range(1, count)]


def component(label: int, stats: Array, labels: Array, heat: Array) -> Component:
    x0, y0, width, height, area = map(int, stats)
    part = np.s_[y0 : y0 + height, x0 : x0 + width]
    inside = labels[part] == label
    first = y0, x0 + int(inside[0].argmax())
    box = float(x0), float(y0), float(x0 + width), float(y0 + height)
    return Component(label, box, area, first, float(heat[part][inside].max()))


def largest(mask: Array, heat: Array) -> Part | None:
    """Of `mask`, bool (h, w), the part of the most pixels, of equals the one of more heat, then the first in reading
    order; None of an empty mask."""
    seen = outlines(mask)
    if not seen.areas:
        return None
    one = foremost(seen, mask, heat)
    return Part(seen.boxes[one], seen.areas[one], inside(seen, one, mask))


def foremost(seen: Outlines, mask: Array, heat: Array) -> int:
    """The number of the part that `largest` means; there is one at least."""
    most = max(seen.areas)
    tied = [one for one, area in enumerate(seen.areas) if area == most]
    if len(tied) == 1:
        return tied[0]
    sums = warmth(seen, tied, mask, heat)
    tied = [one for one, total in zip(tied, sums, strict=True) if total == max(sums)]
    top = min(seen.boxes[one][1] for one in tied)
    first = [one for one in tied if seen.boxes[one][1] == top]
    return min(first, key=lambda one: seen.boxes[one][0] + int(inside(seen, one, mask)[0].argmax()))


def warmth(seen: Outlines, some: list[int], mask: Array, heat: Array) -> list[float]:
    """The sum of heat over the pixels of some parts. Both ways add pixel by pixel in reading order, in float64, so that
    equal parts come out equal whichever way they were found."""
    if seen.labels is not None:
        sums = np.bincount(seen.labels.ravel(), heat.ravel(), len(seen.areas) + 1)
        return [float(sums[one + 1]) for one in some]
    found = []
    for one in some:
        x0, y0, x1, y1 = seen.boxes[one]
        found.append(float(heat[y0:y1, x0:x1][inside(seen, one, mask)].cumsum(dtype=np.float64)[-1]))
    return found


def inside(seen: Outlines, one: int, mask: Array) -> Array:
    """Which pixels of a part's box are its own: bool."""
    x0, y0, x1, y1 = seen.boxes[one]
    if seen.labels is not None:
        return np.asarray(seen.labels[y0:y1, x0:x1] == one + 1)
    x, y = seen.points[one]
    filled = mask[y0:y1, x0:x1].astype(np.uint8)
    cv2.floodFill(filled, None, (x - x0, y - y0), 2, flags=8)
    return np.asarray(filled == 2)


def outlines(mask: Array, many: bool = False) -> Outlines:
    """The parts of `mask`, bool (h, w). many: there are likely more than `MANY`, so label pixels at once."""
    if many:
        return labelled(mask)
    found, hierarchy = cv2.findContours(mask.view(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if len(found) > MANY:
        return labelled(mask)
    around = hierarchy[0, :, 3].tolist() if found else []  # of a hole the number of the outline around it, else −1
    areas, outer = [0] * len(found), []
    for number, (path, parent) in enumerate(zip(found, around, strict=True)):
        double, steps = round(2 * cv2.contourArea(path)), len(path)  # of a single pixel 1, which halving drops
        if parent < 0:
            outer.append(number)
            areas[number] += (double + steps) // 2 + 1
        else:
            areas[parent] -= (double - steps) // 2 + 1
    frames = [cv2.boundingRect(found[number]) for number in outer]
    return Outlines(
        [(x, y, x + width, y + height) for x, y, width, height in frames],
        [areas[number] for number in outer],
        [tuple(found[number][0, 0].tolist()) for number in outer],
        None,
    )


def labelled(mask: Array) -> Outlines:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=8)
    x, y, width, height, areas = stats[1:].T.astype(int)
    boxes = zip(x.tolist(), y.tolist(), (x + width).tolist(), (y + height).tolist(), strict=True)
    return Outlines(list(boxes), areas.tolist(), [], labels)
