"""A map's answer as a box: what the largest part above a threshold spans, by the rules of `cam_cli.boxes`."""

from __future__ import annotations

import numpy as np

from cam_cli.boxes import above, largest_boxes, overlaps
from cam_cli.components import largest

from .metric import Found

Array = np.ndarray
THRESHOLDS = tuple(percent / 100 for percent in range(100))


def box(found: Found, label: str, threshold: float | None) -> Array:
    """The box above a fraction of the maximum, or Otsu's level: int (4,), half-open xyxy, pixels of the original.

    Zeros, which overlap nothing, where there is none: a map that is missing, or whose heatmap says nothing of where.
    """

    if label not in found.maps:
        return np.zeros(4, int)

    def make() -> Array:
        heat = found.heatmap(label).heat
        if threshold is not None:
            return np.asarray(largest_boxes(heat, (threshold,))[0])
        part = largest(above(heat, None), heat)
        return np.array(part.box if part else (0, 0, 0, 0))

    return found.of_map(label, ("box", threshold), make)


def boxes(found: Found, label: str) -> Array:
    """The same above each of `THRESHOLDS`: int (100, 4)."""
    if label not in found.maps:
        return np.zeros((len(THRESHOLDS), 4), int)
    return found.of_map(label, "boxes", lambda: largest_boxes(found.heatmap(label).heat, THRESHOLDS))


def fits(some: Array, truth: Array) -> Array:
    """What each of some boxes (n, 4) has in common with the truth's (m, 4) that it fits best: float64 (n,), IoU."""
    return np.asarray(overlaps(some, truth).max(1))


def fit(one: Array, truth: Array) -> float:
    """The same of one box (4,)."""
    return float(fits(one[None], truth)[0])
