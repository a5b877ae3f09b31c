"""How often the classifier is right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cam_cli.types import Truth

from .metric import Found, Metric, Needs, Probe, Row, Value
from .pairs import Pairs, gathered

Array = np.ndarray
GUESSES = {"top1": 1, "top5": 5}


class Accuracy(Metric):
    """top-k = (1/n) Σ_i [ a true class of image i is among its k most probable ],   k = 1, 5

    Russakovsky et al. 2015 (arXiv:1409.0575), whose error is 1 − this; there an image has one class. Of several true
    classes one will do; over classes (`by_class`) each is asked for by itself, so that the number is the mean recall. A
    class that the truth calls uncertain is neither right nor wrong: where it is among the k and no true one is, the
    image does not count. A failed image is wrong.
    """

    names: ClassVar[tuple[str, ...]] = ("top1_accuracy", "top5_accuracy")
    group: ClassVar[str] = "classification"
    needs: ClassVar[Needs] = Needs.LABELS | Needs.PREDICTIONS

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """labels: the true classes; ranks: from 1, where each stands among the five, or None; doubt: the first rank of
        an uncertain one, or None."""
        if found.predictions is None or not truth.labels:
            return None
        doubtful = [rank for label in truth.uncertain if (rank := rank_of(label, found)) is not None]
        ranks = [rank_of(label, found) for label in truth.labels]
        return {"labels": [*truth.labels], "ranks": ranks, "doubt": min(doubtful, default=None)}

    def miss(self, truth: Truth) -> Row | None:
        labels = [*truth.labels]
        return {"labels": labels, "ranks": [None] * len(labels), "doubt": None} if labels else None

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        pairs, ranks = Pairs.of(rows), ranked(gathered(rows, "ranks"))
        doubt = ranked([row["doubt"] for row in rows if row for _ in row["labels"]])
        found = {}
        for name, most in GUESSES.items():
            right = ranks <= most
            some, values = (pairs, right) if self.rules.by_class else pairs.images(right)
            sure = values | (doubt > most if self.rules.by_class else pairs.images(doubt)[1] > most)
            some, values = some.only(sure), values[sure]
            shares = some.mean(values, weights, self.rules.by_class)
            found[f"{name}_accuracy"] = Value(
                shares, len(some), {"guesses": most, **some.over(self.rules.by_class, "images")}
            )
        return found

    def cells(self, row: Row) -> Mapping[str, Any]:
        best = min((rank for rank in row["ranks"] if rank), default=None)
        return {f"{name}_accuracy": best is not None and best <= most for name, most in GUESSES.items()}


def rank_of(label: str, found: Found) -> int | None:
    """From 1, among the predictions; None if it is not there."""
    predictions = found.predictions or ()
    return predictions.index(label) + 1 if label in predictions else None


def ranked(ranks: Sequence[int | None]) -> Array:
    """int (m,), beyond every k where there is none."""
    return np.array([rank or 1000 for rank in ranks], int)
