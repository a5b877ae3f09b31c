"""An explained map at the network's input: the order it puts the pixels in, and what it lets through."""

from __future__ import annotations

import numpy as np

from cam_cli.maps import Array, extent, heatmap, place
from cam_cli.types import Geometry

from .metric import Found

Size = tuple[int, int]
"""Height and width, in pixels."""


def whole(size: Size) -> Geometry:
    """That of a picture which is the network's input."""
    height, width = size
    return Geometry(width, height, width, height, (1.0, 1.0), (0.0, 0.0), "squash")


def flat(raw: Array) -> bool:
    """Whether a raw map (u, v) ranks nothing: it is not finite, or the same everywhere up to float32's rounding."""
    return extent(raw, whole((raw.shape[0], raw.shape[1])), signed=True) is None


def explained(found: Found) -> Array | None:
    """The raw map that is judged: of the class the run explains. None where it explains none."""
    return None if found.explained is None else found.maps[found.explained]


def ranked(found: Found, size: Size) -> Array | None:
    """The place of every pixel of the input when the most relevant comes first: int64 (h, w), each of 0 … hw − 1 once.
    None where the map ranks nothing.

    By the raw map, signed, so that what speaks against the class comes last; resized bilinearly with half-pixel
    centres; equal pixels in reading order.
    """
    raw = explained(found)
    if raw is None or flat(raw):
        return None
    return found.once(("ranked", found.explained, size), lambda: ranks(place(raw, whole(size))))


def ranks(values: Array) -> Array:
    """The place of each value, the largest first, equal ones in reading order: int64, in the shape of `values`."""
    places = np.empty(values.size, np.int64)
    places[np.argsort(-values, axis=None, kind="stable")] = np.arange(values.size)
    return places.reshape(values.shape)


def mask(raw: Array, size: Size) -> Array:
    """What a raw map (u, v) lets through: its heatmap at the input, float32 (h, w) in [0, 1]; zero for a map that is
    not finite, nowhere positive or the same everywhere."""
    return heatmap(raw, whole(size)).heat
