"""What the model says of one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor

from cam_cli.models.labels import Labels
from cam_cli.types import Prediction

NEGATIVE, POSITIVE = 0, 1


@dataclass(frozen=True)
class Reading:
    """How scores are read, for a whole run. activation: softmax or sigmoid. decision: the probability from which on a
    sigmoid model says yes."""

    labels: Labels
    activation: str = "softmax"
    decision: float = 0.5

    @property
    def one_logit(self) -> bool:
        """Whether the two classes are a single logit's: `positive` has its score s, `negative` −s."""
        return self.activation == "sigmoid" and len(self.labels) == 2

    def probabilities(self, scores: Tensor) -> Tensor:
        """Logits (b, k) → (b, k)."""
        return scores.sigmoid() if self.activation == "sigmoid" else scores.softmax(1)


@dataclass(frozen=True)
class Answers:
    """The model's answer for one image. logits, probabilities: float32 (k,)."""

    reading: Reading
    logits: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def of(cls, reading: Reading, scores: Tensor) -> list[Answers]:
        """Of each image; logits (b, k), of any float dtype and device."""
        logits = scores.detach().float().cpu()
        both = zip(logits.numpy(), reading.probabilities(logits).numpy(), strict=True)
        return [cls(reading, *one) for one in both]

    def best(self, count: int) -> list[int]:
        """So many class indices, fewer where there are fewer: best first, equal scores in the order of their indices,
        NaN last. Of a single logit's two classes the one that `decision` makes the answer comes first."""
        if self.reading.one_logit:
            return ([POSITIVE, NEGATIVE] if self.says(POSITIVE) else [NEGATIVE, POSITIVE])[:count]
        less = -self.logits
        last = min(count, len(less)) - 1
        among = np.flatnonzero(~(less > np.partition(less, last)[last]))  # to sort them all takes five times as long
        found: list[int] = among[np.argsort(less[among], kind="stable")[:count]].tolist()
        return found

    def says(self, index: int) -> bool:
        """Whether a class reaches the decision: of a sigmoid model, where classes answer for themselves."""
        return float(self.probabilities[index]) >= self.reading.decision

    def right(self, truths: Sequence[int]) -> bool | None:
        """Whether the model gets an image of these classes right: one of them is the best, or in a sigmoid
        model of several labels, all reach the decision. None without any, and where the scores are not finite."""
        if not truths or self.flags:
            return None
        if self.reading.activation == "sigmoid" and not self.reading.one_logit:
            return all(map(self.says, truths))
        return self.best(1)[0] in truths

    @cached_property
    def flags(self) -> tuple[str, ...]:
        return () if np.isfinite(self.logits).all() else ("scores_not_finite",)

    def __getitem__(self, index: int) -> Prediction:
        labels = self.reading.labels
        wnid = labels.wnids[index] if labels.wnids else None
        logit, probability = float(self.logits[index]), float(self.probabilities[index])
        return Prediction(index, labels.names[index], wnid, logit, probability)
