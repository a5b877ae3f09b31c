"""Pure map arithmetic: from a raw map at a layer's grid to a heatmap in pixels of the upright original."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from .types import Geometry

Array = np.ndarray
Range = tuple[float, float]


@dataclass(frozen=True)
class Heatmap:
    """A map ready to draw or to threshold.

    heat: float32 (H, W) in [0, 1], of a signed map in [−1, 1]; zero where the model saw nothing, and everywhere if a
    flag says so.
    peak: x, y of its first maximum in reading order; None where nothing is positive. scale: the raw values that stand
    for cold and hot, of a signed map for −1 and 1; None when a flag says that the heat is zero.
    flags: of `MAP_FLAGS`.
    """

    heat: Array
    peak: tuple[int, int] | None
    scale: Range | None
    flags: tuple[str, ...]
    signed: bool = False


def rectify(raw: Array) -> Array:
    """ReLU: evidence for the class only. float32 (u, v) in, the same out; what is not finite becomes 0."""
    return np.where(np.isfinite(raw), np.maximum(raw, 0), 0).astype(np.float32)


def health(raw: Array, signed: bool = False) -> tuple[str, ...]:
    """The flags of a raw map (u, v) that say its heatmap is zero for a reason, and that it has a single cell."""
    if not np.isfinite(raw).all():
        return ("not_finite",)
    if not raw.any():
        return ("all_zero",)
    if raw.max() <= 0 and not signed:
        return ("all_negative",)
    return ("one_cell",) if raw.size == 1 else ()


def window(geometry: Geometry) -> tuple[slice, slice]:
    """Rows and columns of the original's pixels whose centres the model saw."""
    x0, y0, x1, y1 = geometry.seen
    first, last = (round_half(x0), round_half(y0)), (round_half(x1), round_half(y1))
    return slice(first[1], max(last[1], first[1] + 1)), slice(first[0], max(last[0], first[0] + 1))


def round_half(edge: float) -> int:
    """The first pixel whose centre is not left of `edge`; as an end, the first one beyond it."""
    return int(np.ceil(edge - 0.5))


def place(grid: Array, geometry: Geometry) -> Array:
    """`grid` (u, v) over the seen window of the original: bilinear between cell centres, clamped beyond the outer ones.

    One step from the grid to the original through the exact affine of `geometry`, so that nothing is resampled twice.
    Half-pixel centres: pixel i of the original lies at i + 1/2, cell j of the grid at (j + 1/2) · input / cells.
    """
    rows, columns = window(geometry)
    (x, y), (right, below) = geometry.scale, geometry.offset
    down = between(rows.start, rows.stop, y, below, geometry.input_height, grid.shape[0])
    across = between(columns.start, columns.stop, x, right, geometry.input_width, grid.shape[1])
    rows_placed = cv2.gemm(down, np.ascontiguousarray(grid, np.float32), 1, None, 0)
    return np.asarray(cv2.gemm(rows_placed, across, 1, None, 0, flags=cv2.GEMM_2_T))


@lru_cache(16)  # an image has many maps, and most photographs of a folder the same few sizes
def between(start: int, stop: int, scale: float, offset: float, input_size: int, cells: int) -> Array:
    """Bilinear weights along one axis, of pixels `start` to `stop`: float32 (stop − start, cells), rows that sum to 1.
    Not to be written to."""
    centres = np.arange(start, stop) + 0.5
    position = ((centres * scale + offset) * cells / input_size - 0.5).clip(0, cells - 1)
    lower = position.astype(np.intp)
    upper = np.minimum(lower + 1, cells - 1)
    weights = np.zeros((len(centres), cells), np.float32)
    index = np.arange(len(centres))
    weights[index, lower] = 1 - (position - lower)
    weights[index, upper] += position - lower
    return weights


def extent(raw: Array, geometry: Geometry, signed: bool = False) -> Range | None:
    """The `scale` of a map by itself: least and most of what was seen, rectified; of a signed map ± its largest
    magnitude. None for a map whose heatmap is zero."""
    return None if zero_by(health(raw, signed)) else varied(placed(raw, geometry, signed), signed)


def placed(raw: Array, geometry: Geometry, signed: bool) -> Array:
    """What a heatmap is scaled from: the map over the seen window, rectified unless it is signed."""
    return place(raw if signed else rectify(raw), geometry)


def varied(values: Array, signed: bool) -> Range | None:
    """The scale of placed values; None when they are the same up to float32's rounding."""
    low, high = float(values.min()), float(values.max())
    most = max(high, -low)
    if not high - low > 4 * np.finfo(np.float32).eps * most:
        return None
    return (-most, most) if signed else (low, high)


def zero_by(flags: tuple[str, ...]) -> bool:
    return any(flag != "one_cell" for flag in flags)


def heatmap(raw: Array, geometry: Geometry, scale: Range | None = None, signed: bool = False) -> Heatmap:
    """ReLU(raw), resized and placed, then min–max over what was seen, or linearly from `scale` (cold, hot) and clipped.

    raw: float32 (u, v), signed. signed: what is negative is shown as well: no ReLU, and 0 stays 0, for the map is
    divided by its largest magnitude over what was seen, or by that of `scale`.
    A map that is not finite, has no positive cell (unless signed) or is the same everywhere stays zero and is flagged:
    it never becomes noise or a full-image box.
    """
    heat = np.zeros((geometry.height, geometry.width), np.float32)
    flags = health(raw, signed)
    if zero_by(flags):
        return Heatmap(heat, None, None, flags, signed)
    values = placed(raw, geometry, signed)
    own = varied(values, signed)
    if own is None:
        return Heatmap(heat, None, None, flags or ("constant",), signed)
    low, high = scale or own
    if signed:
        high = max(abs(low), abs(high))
        low = -high
    rows, columns = window(geometry)
    shown = heat[rows, columns]
    if signed:
        np.divide(values, high, out=shown)
    else:
        np.subtract(values, low, out=shown)
        shown /= high - low if scale else np.float32(high) - np.float32(low)
    if scale:  # of its own nothing lies beyond: values and their range are rounded alike
        np.clip(shown, -1 if signed else 0, 1, out=shown)
    y, x = np.unravel_index(int(values.argmax()), values.shape)
    peak = (int(x) + columns.start, int(y) + rows.start) if values[y, x] > 0 else None
    return Heatmap(heat, peak, (low, high), flags, signed)


def fuse(raws: Sequence[Array], how: str) -> Array:
    """Several layers' raw maps of one class as one, at the finest of their grids: float32 (u, v), signed.

    Each is divided by its largest magnitude first (units differ from layer to layer; signs and zeros stay), resized
    bilinearly, then averaged (`mean`) or maximised (`max`) cell by cell. `product`: rectified and min–maxed, resized,
    then multiplied, so that only what is hot in every layer stays; a map that is nowhere positive makes it all zero.
    """
    rows, columns = max(raw.shape[0] for raw in raws), max(raw.shape[1] for raw in raws)
    whole = Geometry(columns, rows, columns, rows, (1.0, 1.0), (0.0, 0.0), "squash")
    if how == "product":
        raws = [rectified - rectified.min() for rectified in map(rectify, raws)]
    stack = np.stack([place(raw / (np.abs(raw).max() or 1.0), whole) for raw in raws])
    return np.asarray(getattr(stack, "prod" if how == "product" else how)(0), np.float32)
