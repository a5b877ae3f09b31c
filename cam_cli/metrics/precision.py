"""Average precision, in the three ways that people mean it, for many weightings of the images at once."""

from __future__ import annotations

import numpy as np

from .ranking import Ranked

Array = np.ndarray


def average_precision(ranked: Ranked, right: Array, weights: Array, interpolation: str) -> Array:
    """AP of one class for each weighting (b, n) of the images: float64 (b,), NaN where it holds none with the class.

    right: bool (m,), in the order of `ranked`: the true ones that count as found. One that is true and not right is a
    false positive, and is never found. With P(s), R(s) the precision and the recall of the images scored s or more, s
    over the scores that occur, from the highest:

    none    Σ (R_i − R_{i−1}) P_i                                         (scikit-learn's)
    voc12   Σ (R_i − R_{i−1}) max_{j ≥ i} P_j                              (VOC's devkit from 2010)
    voc07   (1/11) Σ_{r = 0, 0.1 … 1} max_{j: R_j ≥ r} P_j, 0 if there is none     (its devkit before)

    The devkit takes images of one score apart, in whatever order the file has them; here they stand or fall together.
    R ≥ r is decided exactly, where the devkit compares rounded numbers (3 of 10 found is not 0.3 to it).
    """
    first, ends = ranked.groups(right)
    count = int(ends[-1]) if len(ends) else 0
    found = np.flatnonzero(right[:count])
    members = np.searchsorted(found, first)  # where those of each score begin among the found
    total = weights[:, ranked.places[ranked.true]].sum(1, dtype=float)
    result = np.where(total > 0, 0.0, np.nan)
    if not count:
        return result
    for block, held in ranked.blocks(weights, count):
        above = np.add.reduceat(held, np.append(0, ends[:-1]), axis=1).cumsum(1, float)
        hits = np.add.reduceat(np.take(held, found, axis=1), members, axis=1).cumsum(1, float)
        precision = np.where(above > 0, hits / np.where(above > 0, above, 1), 0.0)
        result[block] = summarised(precision, hits, total[block, None], interpolation)
    return result


def summarised(precision: Array, hits: Array, total: Array, interpolation: str) -> Array:
    """precision, hits: (b, g), of the images down to each score. total: (b, 1), all true ones. NaN where it is 0."""
    if interpolation != "none":
        precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    known = np.where(total > 0, total, np.nan)
    if interpolation != "voc07":
        return np.asarray((np.diff(hits, axis=1, prepend=0) / known * precision).sum(1))
    beyond = np.append(precision, np.zeros((len(precision), 1)), axis=1)
    reached = [(10 * hits < tenths * total).sum(1, keepdims=True) for tenths in range(11)]
    best = np.concatenate([np.take_along_axis(beyond, first, 1) for first in reached], axis=1)
    return np.where(total[:, 0] > 0, best.mean(1), np.nan)


def mean_defined(values: list[Array], count: int) -> Array:
    """The mean over classes (b,) each, of those that are defined; NaN where none is."""
    table = np.stack(values) if values else np.full((1, count), np.nan)
    defined = ~np.isnan(table)
    number = defined.sum(0)
    return np.where(number > 0, np.where(defined, table, 0.0).sum(0) / np.maximum(number, 1), np.nan)
