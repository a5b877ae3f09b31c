"""Mean average precision of the classifier: are images with a class ranked above those without?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cam_cli.types import Truth

from .metric import Found, Metric, Needs, Probe, Row, Value
from .precision import average_precision, mean_defined
from .ranking import about, doubtful, missed, present, rankings, row_of

Array = np.ndarray


class ClassificationAp(Metric):
    """classification_ap = (1/k) Σ_c AP_c,   AP_c: of all images, ranked by the probability of class c

    `precision` has the formulas of AP by `interpolation`; VOC's classification challenge (Everingham et al., IJCV 2010
    and 2015), and scikit-learn's `average_precision_score` with `none`. k: the classes that are in some image. An image
    where the truth calls c uncertain (VOC: all objects of it are difficult) is left out of c's ranking. An image that
    failed comes last in every ranking, together with others that did; one of which the truth says nothing is in none.
    """

    names: ClassVar[tuple[str, ...]] = ("classification_ap",)
    group: ClassVar[str] = "classification"
    needs: ClassVar[Needs] = Needs.LABELS | Needs.PREDICTIONS
    ranks: ClassVar[bool] = True

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """As `ranking.row_of` has it."""
        return row_of(found, truth.labels, doubtful(truth)) if truth.told else None

    def miss(self, truth: Truth) -> Row | None:
        return missed(truth.labels, doubtful(truth)) if truth.told else None

    def about(self, row: Row, label: str) -> Row | None:
        return about(row, label)

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        how = self.rules.interpolation
        values = [average_precision(one, one.true, weights, how) for one in rankings(rows)]
        told = {"interpolation": how, "mean_over": "classes", "classes": len(values)}
        return {"classification_ap": Value(mean_defined(values, len(weights)), len(present(rows)), told)}

    def cells(self, row: Row) -> Mapping[str, Any]:
        return {}
