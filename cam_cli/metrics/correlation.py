"""How alike two maps are."""

from __future__ import annotations

import numpy as np

from .metric import Array


def pearson(one: Array, other: Array) -> float | None:
    """The correlation of two arrays of one shape, in [−1, 1]; None where either is the same everywhere."""
    one, other = (values.astype(np.float64).ravel() - values.mean(dtype=np.float64) for values in (one, other))
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float(np.clip(one @ other / size, -1, 1)) if size > 0 else None


def spearman(one: Array, other: Array) -> float | None:
    """The correlation of the ranks of two arrays of one shape; equal values share the mean of their ranks."""
    return pearson(mean_ranks(one), mean_ranks(other))


def mean_ranks(values: Array) -> Array:
    """From 0 for the smallest; float64, flat."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (counts.cumsum() - (counts + 1) / 2)[which.ravel()]
    return ranks
