"""What metrics are given in tests: a map, and a network that is a formula."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from cam_cli.metrics.metric import Found
from cam_cli.metrics.relevance import whole
from cam_cli.types import ImageItem, Truth

TRUTH = Truth(ImageItem("a", "a", "a"), ("cat",))


def red(image: Tensor) -> float:
    """The mean of the first channel."""
    return image[0].mean().item()


@dataclass
class Formula:
    """A `Probe`: the probability of `cat` is a function of the image. maps: what `map`, `other` and `randomised` give.

    asked: how many images each question had.
    """

    image: Tensor
    probability: Callable[[Tensor], float] = red
    again: np.ndarray | None = None
    second: np.ndarray | None = None
    cascade: Sequence[np.ndarray] = ()
    seed: int = 0
    asked: list[int] = field(default_factory=list)
    shown: list[Tensor] = field(default_factory=list)

    def probabilities(self, images: Iterable[Tensor], count: int, label: str) -> np.ndarray:
        assert label == "cat"
        self.shown = list(images)
        self.asked.append(len(self.shown))
        assert len(self.shown) == count
        return np.array([self.probability(image) for image in self.shown], np.float32)

    def map(self, image: Tensor, label: str) -> np.ndarray:
        assert label == "cat"
        assert self.again is not None
        return self.again

    def other(self, label: str) -> np.ndarray | None:
        return self.second

    def randomised(self, label: str) -> Sequence[np.ndarray]:
        return self.cascade


def found(raw: object, explained: str | None = "cat") -> Found:
    raw = np.array(raw, np.float32)
    return Found(whole(raw.shape), {"cat": raw}, explained=explained)


def image(rows: object, channels: int = 3) -> Tensor:
    """float32 (c, h, w), grey."""
    return torch.tensor(rows, dtype=torch.float32).expand(channels, -1, -1).contiguous()


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


FLAT = {
    "zero": np.zeros((2, 2)),
    "one value": np.full((2, 2), 3.0),
    "rounding": np.array([[1, 1 + 1e-7], [1, 1]]),
    "one cell": np.ones((1, 1)),
    "not finite": np.array([[1, np.nan], [0, 2]]),
    "infinite": np.array([[1, np.inf], [0, 2]]),
}
"""Raw maps that rank nothing."""
