"""Area under the ROC curve of the classifier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from .metric import Row, Value
from .pairs import divided
from .precision import mean_defined
from .ranking import Ranked, Ranking, present, rankings

Array = np.ndarray


class Auroc(Ranking):
    """auroc = (1/k) Σ_c P(s_c(i) > s_c(j)) + P(s_c(i) = s_c(j)) / 2,   i any image with class c, j any without

    s_c: the probability of class c. The area under the ROC curve is this chance (Hanley and McNeil, Radiology 1982), so
    scikit-learn's `roc_auc_score` agrees. k: the classes that are in some images and not in others. Images where the
    truth calls c uncertain are left out of its part, and so are those of which it says nothing; one that failed comes
    last.
    """

    names: ClassVar[tuple[str, ...]] = ("auroc",)

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        kept = present(rows)
        total = weights[:, kept].sum(1, dtype=float)
        values = [auroc(one, weights, total) for one in rankings(rows) if not one.true.all()]
        told = {"mean_over": "classes", "classes": len(values)}
        return {"auroc": Value(mean_defined(values, len(weights)), len(kept), told)}


def auroc(ranked: Ranked, weights: Array, total: Array) -> Array:
    """Of one class for each weighting (b, n) of the images: float64 (b,), NaN where it holds only one kind.

    total: float64 (b,), of all images, the uncertain included.
    """
    first, ends = ranked.groups(ranked.true)
    count, result = int(ends[-1]), np.full(len(weights), np.nan)
    true, edges = np.flatnonzero(ranked.true[:count]), np.unique(np.concatenate([[0], first, ends]))
    starts, stops, members = (np.searchsorted(*some) for some in ((edges, first), (edges, ends), (true, first)))
    sure = total - np.take(weights, ranked.uncertain, axis=1).sum(1, dtype=float)
    for block, held in ranked.blocks(weights, count):
        positive = np.add.reduceat(np.take(held, true, axis=1), members, axis=1).astype(float)
        every = np.zeros((len(held), len(edges)))  # images above each edge
        np.cumsum(np.add.reduceat(held, edges[:-1], axis=1), axis=1, out=every[:, 1:])
        around = every[:, starts] + every[:, stops] - 2 * positive.cumsum(1) + positive
        count_true = positive.sum(1)
        worse = (positive * around).sum(1) / 2  # negatives above each positive, and those beside it by half
        result[block] = 1 - divided(worse, count_true * (sure[block] - count_true))
    return result
