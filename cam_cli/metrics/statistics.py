"""How sure a number is: the bootstrap over images (Efron 1979), the same resamples for all that is compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .metric import Value

Array = np.ndarray
Interval = tuple[float, float]
LEVEL = 95  # percent


class Difference(NamedTuple):
    """Of two numbers, first less second, on the same images, and its interval."""

    value: float
    interval: Interval | None


def weightings(n: int, resamples: int, seed: int) -> Array:
    """How often each of n images counts: float32 (1 + resamples, n). The first line is all ones; in each other line n
    images are drawn with replacement.

    The draws depend on n and the seed alone: numbers of several runs over the same images differ by what the runs do,
    not by the draw, so their differences are paired. All pairs of an image are drawn together.
    """
    counts = np.ones((1 + resamples, n), np.float32)
    rng = np.random.default_rng(seed)
    for line in counts[1:] if n else ():
        line[:] = np.bincount(rng.integers(n, size=n), minlength=n)
    return counts


def interval(value: Value) -> Interval | None:
    """Where 95 % of the resamples lie: their 2.5th and 97.5th percentiles. Those where the number is not defined, such
    as one without any image of a class, are passed over.

    None where nothing can be said: no resample has a number, or it is over less than two images or pairs.
    """
    return spread(value.values[1:], value.n)


def difference(one: Value, other: Value) -> Difference:
    """Of two values over the same weightings of the same images."""
    both = one.values - other.values
    return Difference(float(both[0]), spread(both[1:], min(one.n, other.n)))


def spread(resampled: Array, n: int) -> Interval | None:
    known = resampled[np.isfinite(resampled)]
    if n < 2 or not len(known):
        return None
    low, high = np.percentile(known, [50 - LEVEL / 2, 50 + LEVEL / 2])
    return float(low), float(high)
