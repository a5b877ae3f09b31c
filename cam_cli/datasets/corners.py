"""From the corners of a box as a person drew it to a box inside the picture, or none."""

from __future__ import annotations

from .dataset import Notes

Corners = tuple[float, float, float, float]
REVERSED = "box with its corners the wrong way round; they were swapped"
CLIPPED = "box that reaches outside the picture; it was cut off"
OUTSIDE = "box wholly outside the picture; it was left out"
EMPTY = "box without area; it was left out"


def sound(
    corners: Corners, size: tuple[int, int] | None, notes: Notes, place: str, first: int | None = None
) -> Corners | None:
    """A box as the rest of the program has it, half-open x0, y0, x1, y1 within the picture; None where nothing is left.

    corners: x, y of one corner, then of the one across. size: of the picture they are in; where nobody says, only what
    is left of or above it is cut off. first: what the first pixel is called where the corners are pixels, both inside
    the box (1 in VOC, 0 in ILSVRC), so that x1 − x0 + 1 is the width; None where they are half-open already.
    What was done goes to the notes, with `place`.
    """
    x0, y0, x1, y1 = corners
    if x0 > x1 or y0 > y1:
        notes.add(REVERSED, place)
        x0, x1, y0, y1 = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    if first is not None:
        x0, y0, x1, y1 = x0 - first, y0 - first, x1 - first + 1, y1 - first + 1
    if not (x0 < x1 and y0 < y1):
        notes.add(EMPTY, place)
        return None
    width, height = size or (float("inf"), float("inf"))
    inside = max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)
    if not (inside[0] < inside[2] and inside[1] < inside[3]):
        notes.add(OUTSIDE, place)
        return None
    if inside != (x0, y0, x1, y1):
        notes.add(CLIPPED, place)
    return inside
