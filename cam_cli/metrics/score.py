"""What the metrics have in common that ask the network: a number an image, and its mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .metric import Array, Metric, Needs, Row, Value, mean_of


@dataclass(frozen=True)
class Score(Metric):
    """The mean over images of what a row keeps under the metric's name; an image without a row does not count."""

    needs: ClassVar[Needs] = Needs.PROBE

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a reader has to know, as in `Value.computed_with`."""
        return {}

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        (name,) = self.names
        values = [None if row is None else float(row[name]) for row in rows]
        count = sum(value is not None for value in values)
        return {name: Value(mean_of(values, weights), count, self.facts)}


def mean_line(rows: Sequence[Row | None], key: str) -> Array | None:
    """The mean over images of the lists kept under `key`, float64; None without a row."""
    lines = [row[key] for row in rows if row is not None]
    return np.mean(np.array(lines, np.float64), 0) if lines else None
