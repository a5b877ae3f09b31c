"""From the pixels of an annotation to those of the upright picture, when that has been read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from cam_cli.types import Object, Truth

from .corners import Corners, sound
from .dataset import Notes

TURNED = "annotation in pixels as stored; turned by the picture's EXIF orientation"
SCALED = "annotation of another size than its picture; scaled to it"

TURNS: dict[int, Callable[[float, float, float, float], tuple[float, float]]] = {
    1: lambda x, y, w, h: (x, y),
    2: lambda x, y, w, h: (w - x, y),
    3: lambda x, y, w, h: (w - x, h - y),
    4: lambda x, y, w, h: (x, h - y),
    5: lambda x, y, w, h: (y, x),
    6: lambda x, y, w, h: (h - y, x),
    7: lambda x, y, w, h: (h - y, w - x),
    8: lambda x, y, w, h: (y, w - x),
}
"""Where a point x, y of the stored w x h picture lies in the upright one, by EXIF orientation."""


class Placed(NamedTuple):
    """truth: in pixels of the upright original. notes: what had to be done for it, as kinds of `Notes`, each once."""

    truth: Truth
    notes: tuple[str, ...]


def place(truth: Truth, width: int, height: int, orientation: int = 1) -> Placed:
    """The truth of one image in pixels of its upright original: objects are moved, regions told how to turn.

    width, height: the upright original; orientation: the EXIF value (1–8) that made it upright (both in `Geometry`).

    An annotation of the same size stays as it is; one of another size is scaled, each axis by its own factor. It counts
    as drawn on the picture as stored, and is turned with it, if the orientation swaps the sides (5–8) and its longer
    side is the picture's shorter one. Whether an annotation of orientation 2 to 4, or of a square picture, was drawn
    on the stored or on the upright picture cannot be told from sizes: it counts as upright, as most tools show it. One
    without a size is in pixels of the upright original. Boxes are cut off at the picture's edges.
    """
    notes = Notes()
    size = truth.size or (width, height)
    turned = orientation >= 5 and (size[0] - size[1]) * (width - height) < 0
    turn = orientation if turned else 1
    upright = size[::-1] if turned else size
    scale = width / upright[0], height / upright[1]
    if turned:
        notes.add(TURNED, truth.item.id)
    if upright != (width, height):
        notes.add(SCALED, truth.item.id)

    def moved(one: Object) -> Object | None:
        x0, y0, x1, y1 = turn_box(one.xyxy, size, turn)
        corners = x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1]
        inside = sound(corners, (width, height), notes, truth.item.id)
        return None if inside is None else replace(one, xyxy=inside)

    objects = truth.objects and tuple(found for one in truth.objects if (found := moved(one)) is not None)
    regions = tuple(replace(one, orientation=turn) for one in truth.regions) if turned else truth.regions
    return Placed(replace(truth, objects=objects, regions=regions, size=(width, height)), tuple(notes.counts))


def turn_box(xyxy: Corners, size: tuple[int, int], orientation: int) -> Corners:
    """A box of the stored picture (size: its width and height) in the upright one, by EXIF orientation, 1 to 8."""
    (xa, ya), (xb, yb) = (TURNS[orientation](x, y, *size) for x, y in (xyxy[:2], xyxy[2:]))
    return min(xa, xb), min(ya, yb), max(xa, xb), max(ya, yb)
