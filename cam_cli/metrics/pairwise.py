"""Metrics that are the mean of something about each (image, class) pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cam_cli.types import Truth

from .metric import Found, Metric, Needs, Probe, Row, Value
from .objects import in_original, objects
from .pairs import Pairs, gathered

Array = np.ndarray


class Pairwise(Metric):
    """A member says in `pair` what one pair is worth, by name: true or false, or a number from 0 for a wrong answer.

    Objects marked difficult are left out of the truth unless the rules keep them; a pair with no other says nothing.
    """

    group: ClassVar[str] = "localisation"
    needs: ClassVar[Needs] = Needs.LABELS | Needs.BOXES

    @property
    def by_class(self) -> bool:
        return self.rules.by_class

    def pair(self, found: Found, label: str, boxes: Array, truth: Truth) -> Mapping[str, float | bool]:
        """boxes: float64 (n, 4), of this class's objects, half-open xyxy in pixels of the original."""
        raise NotImplementedError

    def told(self, name: str) -> Mapping[str, Any]:
        """What stands in `computed_with` beside what all members say."""
        return {}

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """labels: of the pairs; under each name a list of what they are worth."""
        truths = objects(truth, self.rules.difficult)
        worth = [
            self.pair(found, label, in_original(boxes, truth, found.geometry), truth) for label, boxes in truths.items()
        ]
        return {"labels": [*truths], **{name: [one[name] for one in worth] for name in self.names}} if truths else None

    def miss(self, truth: Truth) -> Row | None:
        labels = [*objects(truth, self.rules.difficult)]
        return {"labels": labels, **{name: [0.0] * len(labels) for name in self.names}} if labels else None

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        pairs, found = Pairs.of(rows), {}
        told = {"difficult": self.rules.difficult, **pairs.over(self.by_class)}
        for name in self.names:
            worth = np.array(gathered(rows, name), float)
            shares = pairs.mean(worth, weights, self.by_class)
            found[name] = Value(shares, len(pairs), {**self.told(name), **told})
        return found

    def cells(self, row: Row) -> Mapping[str, Any]:
        return {name: float(np.mean(row[name])) for name in self.names}
