"""How good the scores of the images to choose by are, by labels alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from cam_cli.metrics.precision import average_precision
from cam_cli.metrics.ranking import Ranked

Array = np.ndarray


@dataclass(frozen=True)
class Verdict:
    """loss: mean over images. ap: of each class that some image shows, its average precision by the rule of VOC 2010
    and later; top1: the part of images whose first class is theirs, None where classes do not compete."""

    loss: float
    ap: dict[str, float]
    top1: float | None

    @property
    def map(self) -> float | None:
        return float(np.mean(list(self.ap.values()))) if self.ap else None

    @classmethod
    def of(
        cls, probabilities: Tensor, losses: Tensor, present: Array, known: Array, classes: tuple[str, ...], single: bool
    ) -> Verdict:
        """probabilities: (n, k); losses: (n,); present, known: bool (n, k)."""
        scores = probabilities.numpy()
        ap = {}
        for index, label in enumerate(classes):
            if present[:, index].any():
                ap[label] = precision(scores[:, index], present[:, index], known[:, index], label)
        top1 = float((scores.argmax(1) == present.argmax(1)).mean()) if single and len(scores) else None
        return cls(float(losses.double().mean()), ap, top1)


def precision(scores: Array, present: Array, known: Array, label: str) -> float:
    """The average precision of one class over the images where it can be told, as `classification_ap` has it."""
    places = np.flatnonzero(known)
    order = places[np.argsort(-scores[places], kind="stable")]
    ranked = Ranked(label, order, scores[order], present[order], np.flatnonzero(~known))
    return float(average_precision(ranked, ranked.true, np.ones((1, len(scores))), "voc12")[0])
