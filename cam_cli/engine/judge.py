"""Batches through one model, then through the metrics that ask it again: what `evaluate` streams."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cam_cli.errors import MethodUnsuitable, ModelFailed, OutOfMemory
from cam_cli.metrics.metric import Found, Metric
from cam_cli.types import Explanation, Failure, LeftOut, Picture

from .explain import Explainer
from .imageprobe import ImageProbe, Inquiry
from .judged import Baseline, Judged, Rows, with_baselines
from .vocabulary import Vocabulary

ASKED = ("no_truth", "no_class")
"""Flags that follow from what `--truth` and `--class` ask for: here the data say what is true, and reports count it."""


@dataclass(frozen=True)
class Judge:
    """One model of an evaluation; all fields are fixed for a run.

    explainer: asked for the map of the class explained first, then for those of the image's true classes.
    inquiries: by run, in the order of the explainer's columns. asking: the metrics with a PROBE, by key.
    baselines: by name.
    """

    explainer: Explainer
    vocabulary: Vocabulary
    inquiries: Mapping[str, Inquiry]
    asking: Mapping[str, Metric]
    baselines: Mapping[str, Baseline]

    def __call__(self, batch: Sequence[Picture | Failure]) -> Iterator[Judged | Failure]:
        """One outcome for each of `batch`, in its order."""
        for picture, outcome in zip(batch, self.explainer(batch), strict=True):
            if isinstance(outcome, Failure):
                yield outcome
                continue
            assert isinstance(picture, Picture)
            assert not isinstance(outcome, LeftOut)
            yield self.judged(picture, outcome)

    def replica(self) -> Judge:
        """One for another thread."""
        explainer = self.explainer.replica()
        inquiries = {run: replace(one, explainer=explainer) for run, one in self.inquiries.items()}
        return replace(self, explainer=explainer, inquiries=inquiries)

    def judged(self, picture: Picture, one: Explanation) -> Judged | Failure:
        found = self.found(one)
        try:
            rows = {run: self.ask(run, mine, picture) for run, mine in found.items()} if self.asking else {}
        except (ModelFailed, MethodUnsuitable) as error:
            return Failure.of(one.item, error)
        except torch.OutOfMemoryError as error:
            words = f"{self.explainer.device} has too little memory for the passes of one image; use --device cpu"
            return Failure.of(one.item, OutOfMemory(f"{words} ({str(error).partition('.')[0]})"))
        return Judged(one.item, one.geometry, found, rows, tuple(flag for flag in one.flags if flag not in ASKED))

    def found(self, one: Explanation) -> dict[str, Found]:
        """What every run says of an image, and every baseline: the same answers under other maps. Scores that are not
        finite say nothing: no prediction is right, and what is ranked comes last."""
        name, sound = self.vocabulary.name, "scores_not_finite" not in one.flags
        assert one.probabilities is not None
        chances = one.probabilities if sound else np.full_like(one.probabilities, np.nan)
        given = {label: float(chances[index]) for label, index in self.vocabulary.indices.items()}
        best = tuple(name(prediction.index) for prediction in one.predictions) if sound else ()
        each = len(one.maps) // len(self.inquiries)
        found = {}
        for place, run in enumerate(self.inquiries):
            mine = one.maps[place * each : (place + 1) * each]
            first = name(mine[0].target.index) if mine and sound else None
            found[run] = Found(one.geometry, {name(map.target.index): map.raw for map in mine}, best, given, first)
        return with_baselines(found, self.baselines, self.explainer.seed, one.item.id)

    def ask(self, run: str, found: Found, picture: Picture) -> Rows:
        """What the metrics that ask the network keep of one map; they ask the same network, whoever made the map."""
        inquiry = self.inquiries.get(run)
        probe = (inquiry or next(iter(self.inquiries.values()))).probe(picture)
        asked = probe if inquiry else Unmoved(probe, next(iter(found.maps.values()), np.empty((0, 0), np.float32)))
        truth = self.vocabulary.truths[picture.item.id]
        return {key: metric.row(found, truth, asked) for key, metric in self.asking.items()}


@dataclass(frozen=True)
class Unmoved:
    """The `Probe` of a baseline, whose map stays what it is, whatever is changed."""

    probe: ImageProbe
    raw: np.ndarray

    @property
    def image(self) -> Tensor:
        return self.probe.image

    @property
    def seed(self) -> int:
        return self.probe.seed

    def probabilities(self, images: Iterable[Tensor], count: int, label: str) -> np.ndarray:
        return self.probe.probabilities(images, count, label)

    def map(self, image: Tensor, label: str) -> np.ndarray:
        return self.raw

    def other(self, label: str) -> np.ndarray | None:
        return self.raw

    def randomised(self, label: str) -> Sequence[np.ndarray]:
        return (self.raw,)
