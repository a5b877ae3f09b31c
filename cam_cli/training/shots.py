"""How a picture is shown while a network learns: whole and unchanged, or resized, mirrored, a window of it.

Oquab et al. 2015, section 4: every mini-batch rescaled by a random factor from 0.7 to 1.4, the maps growing and
shrinking with it. Mirror images and windows are common practice. A window is of the picture's own shape, so what it
shows is not distorted more than the whole is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log
from random import Random

import numpy as np
import torch
from torch import Tensor

from cam_cli.engine.seed import seed_of
from cam_cli.images.decode import decode
from cam_cli.images.intensity import Intensity, Range, value_range
from cam_cli.images.preprocess import memory_enough, prepare
from cam_cli.specs.learning import LearningSpec
from cam_cli.specs.train import TrainGeometrySpec
from cam_cli.types import ImageItem, Recipe

WHOLE = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Shot:
    """size: of the network's input, px. mirrored: left is right. window: left, top and side of what is shown, each a
    part of the picture's width or height."""

    size: int
    mirrored: bool = False
    window: tuple[float, float, float] = WHOLE

    @property
    def plain(self) -> bool:
        return not self.mirrored and self.window == WHOLE


@dataclass(frozen=True)
class Changes:
    """What is drawn for a shot, all from `seed`. size: of the input as it is; step: what other sizes are multiples of.
    factors: the least and the most that it is multiplied by."""

    size: int
    step: int
    factors: tuple[float, float]
    flip: bool
    crop: float
    seed: int

    @classmethod
    def of(cls, spec: LearningSpec, size: int, step: int, seed: int) -> Changes:
        return cls(size, step, spec.factors, spec.flip, spec.crop, seed)

    @property
    def unscaled(self) -> Changes:
        """The same for a network that takes one size only."""
        return replace(self, factors=(1.0, 1.0))

    def sizes(self, count: int, of: str) -> list[int]:
        """`count` sizes, drawn one from each of as many equal parts of the range of factors (of their logarithms), in
        random order: so that few of them still differ. of: what they are for; the same draw for the same word."""
        low, high = map(log, self.factors)
        draw = Random(seed_of(self.seed, f"sizes {of}"))
        found = [exp(low + (high - low) * (place + draw.random()) / count) for place in range(count)]
        draw.shuffle(found)
        return [self.nearest(self.size * factor) for factor in found]

    def nearest(self, size: float) -> int:
        """A multiple of `step`, above 0; the size as it is where that is what is meant."""
        return self.size if abs(size - self.size) < 0.5 else max(1, round(size / self.step)) * self.step

    def shot(self, size: int, image: str, of: str) -> Shot:
        """A changed shot of one image (by its id) at that size; of: as with `sizes`."""
        draw = Random(seed_of(self.seed, f"{of} {image}"))
        mirrored = draw.random() < 0.5 and self.flip
        side = self.crop + (1 - self.crop) * draw.random()
        left, top = ((1 - side) * draw.random() for _ in range(2))
        return Shot(size, mirrored, (left, top, side))

    def as_json(self) -> dict[str, object]:
        return {"size": self.size, "factors": list(self.factors), "flip": self.flip, "crop": self.crop}


@dataclass(frozen=True)
class Camera:
    """Shows pictures as a network wants them. recipe: its own, at the size of a run; each shot has its own size."""

    recipe: Recipe
    fit: str
    intensity: Intensity
    max_pixels: int

    @classmethod
    def of(cls, recipe: Recipe, spec: TrainGeometrySpec) -> Camera:
        return cls(recipe, spec.fit, Intensity.parse(spec.intensity), spec.max_pixels)

    def take(self, item: ImageItem, shots: Sequence[Shot]) -> list[Tensor]:
        """float32 (c, h, w) for each shot; the picture is read once. Raises ImageUnreadable, ImageTooLarge."""
        with memory_enough():
            values = decode(item, self.max_pixels).values
            scale = value_range(values, self.intensity)
            return [self.shown(values, scale, shot) for shot in shots]

    def shown(self, values: np.ndarray, scale: Range, shot: Shot) -> Tensor:
        resize = round(self.recipe.resize * shot.size / self.recipe.size)
        recipe = replace(self.recipe, size=shot.size, resize=max(shot.size, resize))
        part = values[window(values.shape[0], shot.window[1], shot.window[2])]
        part = part[:, window(values.shape[1], shot.window[0], shot.window[2])]
        tensor, _ = prepare(np.ascontiguousarray(part), scale, recipe, fit=self.fit, stride=1)
        return torch.flip(tensor, (2,)) if shot.mirrored else tensor


def window(length: int, start: float, side: float) -> slice:
    """A part of a row of `length` pixels, at least one."""
    first = min(round(start * length), length - 1)
    return slice(first, max(first + 1, round((start + side) * length)))
