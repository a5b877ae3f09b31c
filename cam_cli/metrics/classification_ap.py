"""Mean average precision of the classifier: are images with a class ranked above those without?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from .metric import Row, Value
from .precision import average_precision, mean_defined
from .ranking import Ranking, present, rankings

Array = np.ndarray


class ClassificationAp(Ranking):
    """classification_ap = (1/k) Σ_c AP_c,   AP_c: of all images, ranked by the probability of class c

    `precision` has the formulas of AP by `interpolation`; VOC's classification challenge (Everingham et al., IJCV 2010
    and 2015), and scikit-learn's `average_precision_score` with `none`. k: the classes that are in some image. An image
    where the truth calls c uncertain (VOC: all objects of it are difficult) is left out of c's ranking. An image that
    failed comes last in every ranking, together with others that did; one of which the truth says nothing is in none.
    """

    names: ClassVar[tuple[str, ...]] = ("classification_ap",)

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        how = self.rules.interpolation
        values = [average_precision(one, one.true, weights, how) for one in rankings(rows)]
        told = {"interpolation": how, "mean_over": "classes", "classes": len(values)}
        return {"classification_ap": Value(mean_defined(values, len(weights)), len(present(rows)), told)}
