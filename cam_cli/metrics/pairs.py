"""Shares over (image, class) pairs: one for each class that is in the image, so of single labels simply the images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .metric import Row

Array = np.ndarray
BLOCK = 1024  # images at a time: bounded memory, whatever the dataset


@dataclass(frozen=True)
class Pairs:
    """image: int (m,), ascending, the place of each pair's row. labels: (m,) its class."""

    image: Array
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def of(cls, rows: Sequence[Row | None]) -> Pairs:
        """rows: each with `labels`, or None."""
        counts = [len(row["labels"]) if row else 0 for row in rows]
        labels = tuple(label for row in rows if row for label in row["labels"])
        return cls(np.repeat(np.arange(len(rows)), counts), labels)

    def over(self, by_class: bool, unit: str = "(image, class) pairs") -> dict[str, Any]:
        """What a mean is over, for `computed_with`."""
        return {"mean_over": "classes", "classes": len(set(self.labels))} if by_class else {"mean_over": unit}

    def only(self, chosen: Array) -> Pairs:
        """Those of bool (m,)."""
        places = np.flatnonzero(chosen)
        return Pairs(self.image[places], tuple(self.labels[place] for place in places))

    def images(self, values: Array) -> tuple[Pairs, Array]:
        """Each image once, with the highest value of its pairs: values (m, …), at least one a pair."""
        image, first = np.unique(self.image, return_index=True)
        return Pairs(image, ("",) * len(image)), np.maximum.reduceat(values, first, axis=0) if len(image) else values

    def mean(self, values: Array, weights: Array, by_class: bool = False) -> Array:
        """The mean of values (m,) or (m, t) for each weighting (b, n) of the images: float64 (b,) or (b, t).

        by_class: the mean of each class's own, over the classes that the weighting holds. NaN where it holds nothing.
        """
        columns = values[:, None] if values.ndim == 1 else values
        found = self.mean_by_class(columns, weights) if by_class else self.mean_of_all(columns, weights)
        return found.reshape(len(weights), *values.shape[1:])

    def mean_of_all(self, values: Array, weights: Array) -> Array:
        total, count = np.zeros((len(weights), values.shape[1])), np.zeros((len(weights), 1))
        for start in range(0, len(values), BLOCK):
            part = slice(start, start + BLOCK)
            held = np.take(weights, self.image[part], axis=1).astype(float)
            total += held @ values[part].astype(float)
            count += held.sum(1, keepdims=True)
        return divided(total, count)

    def mean_by_class(self, values: Array, weights: Array) -> Array:
        total, classes = np.zeros((len(weights), values.shape[1])), np.zeros((len(weights), 1))
        numbers = {label: number for number, label in enumerate(dict.fromkeys(self.labels))}
        owner = np.array([numbers[label] for label in self.labels], int)
        order = np.argsort(owner, kind="stable")
        for places in np.split(order, np.searchsorted(owner[order], np.arange(1, len(numbers)))) if numbers else ():
            held = np.take(weights, self.image[places], axis=1).astype(float)
            count = held.sum(1, keepdims=True)
            total += divided(held @ values[places].astype(float), count, 0.0)
            classes += count > 0
        return divided(total, classes)


def divided(above: Array, below: Array, otherwise: float = np.nan) -> Array:
    """above / below, and `otherwise` where that is 0 / 0."""
    return np.where(below > 0, above / np.where(below > 0, below, 1), otherwise)


def gathered(rows: Sequence[Row | None], key: str) -> list[Any]:
    """What rows hold of each pair, in the order of `Pairs.of`."""
    return [value for row in rows if row for value in row[key]]
