"""A metric's questions to the network about one image, answered for one run: a model and a column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock

import numpy as np
import torch
from torch import Tensor, nn

from cam_cli.capture import replica
from cam_cli.models.cascade import cascade
from cam_cli.models.head import head_in
from cam_cli.models.layers import Survey
from cam_cli.types import Picture

from .answers import Answers
from .column import Column
from .device import to_device
from .explain import Explainer, Question
from .seed import seed_of


@dataclass(frozen=True)
class Randomised:
    """The networks with random weights of one model, made when they are first asked for and kept for all its runs."""

    seen: Survey
    seed: int
    device: torch.device
    making: Lock = field(default_factory=Lock)
    made: list[nn.Module] = field(default_factory=list)

    @property
    def networks(self) -> Sequence[nn.Module]:
        """On the run's device. Raises what `cascade` raises."""
        with self.making:  # from the global generator, so by one thread alone
            if not self.made:
                self.made.extend(one.to(self.device) for one in cascade(self.seen, self.seed))
        return self.made


@dataclass(frozen=True)
class Inquiry:
    """What the probes of a run have in common.

    explainer: of the model, without --against; its other columns play no part. classes: the class index of a label.
    """

    explainer: Explainer
    column: Column
    classes: Mapping[str, int]
    randomised: Randomised

    def probe(self, picture: Picture) -> ImageProbe:
        image = to_device([picture.tensor], self.explainer.device)[0]
        return ImageProbe(self, image, seed_of(self.explainer.seed, picture.item.id))

    @cached_property
    def alone(self) -> Explainer:
        """The run's own network."""
        return replace(self.explainer, columns=(self.column,))

    @cached_property
    def cascade(self) -> tuple[Explainer, ...]:
        """The same run of each randomised network."""
        head = self.explainer.head
        return tuple(
            replace(self.alone, module=replica(network), head=head and head_in(network, head))
            for network in self.randomised.networks
        )


@dataclass(frozen=True)
class ImageProbe:
    """The `Probe` of `cam_cli.metrics.metric`. image: float32 (c, h, w), on the run's device.

    Raises ModelFailed, MethodUnsuitable, OutOfMemoryError where a single map or pass does.
    """

    run: Inquiry
    image: Tensor
    seed: int

    def probabilities(self, images: Iterable[Tensor], count: int, label: str) -> np.ndarray:
        forward, reading = self.run.alone.forward, self.run.alone.reading
        scores = forward.in_passes(forward.scores, images, lambda passed: None)
        assert len(scores) == count
        found: np.ndarray = reading.probabilities(scores)[:, self.run.classes[label]].cpu().numpy()
        return found

    def map(self, image: Tensor, label: str) -> np.ndarray:
        return self.mapped(self.run.alone, image, self.run.classes[label])

    def other(self, label: str) -> np.ndarray | None:
        forward, reading = self.run.alone.forward, self.run.alone.reading
        (answer,) = Answers.of(reading, forward.scores(self.image[None]))
        index = next((one for one in answer.best(2) if one != self.run.classes[label]), None)
        return None if index is None else self.mapped(self.run.alone, self.image, index)

    def randomised(self, label: str) -> Sequence[np.ndarray]:
        return [self.mapped(explainer, self.image, self.run.classes[label]) for explainer in self.run.cascade]

    def mapped(self, explainer: Explainer, image: Tensor, index: int) -> np.ndarray:
        """The raw map of a class, float32 (u, v)."""
        images = image[None]
        (((found,),),) = explainer.averaged(images, explainer.record(images), [[Question(index)]], (self.seed,))
        return found
