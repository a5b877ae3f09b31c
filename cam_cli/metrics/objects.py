"""The objects of a picture's classes: what a localisation metric holds a map against."""

from __future__ import annotations

import numpy as np

from cam_cli.types import Geometry, Truth

Array = np.ndarray


def objects(truth: Truth, difficult: bool) -> dict[str, Array]:
    """By class the boxes that count as truth: float64 (n, 4), n > 0, half-open xyxy, in the pixels of `Truth.size`.

    Those marked difficult count if `difficult`. A class without such a box says nothing, so it is not there.
    """
    found: dict[str, list[tuple[float, ...]]] = {}
    for one in truth.objects or ():
        if difficult or not one.difficult:
            found.setdefault(one.label, []).append(one.xyxy)
    return {label: np.array(boxes, float) for label, boxes in found.items()}


def size(truth: Truth, geometry: Geometry) -> tuple[int, int]:
    """Width and height of the picture that the boxes are in."""
    return truth.size or (geometry.width, geometry.height)


def in_original(boxes: Array, truth: Truth, geometry: Geometry) -> Array:
    """The same boxes in pixels of the upright original that was read."""
    width, height = size(truth, geometry)
    factors = geometry.width / width, geometry.height / height
    return boxes if factors == (1, 1) else np.asarray(boxes * np.array(factors * 2))


def pixels(boxes: Array) -> Array:
    """The pixels whose centres lie in each box: int (n, 4), half-open; of a box between two centres none."""
    return np.asarray(np.ceil(boxes - 0.5).astype(int))
