"""What a method is given, what it needs, and what it gives back."""

from dataclasses import dataclass
from enum import Flag, auto
from typing import ClassVar

from torch import Tensor

from cam_cli.types import Head


class Needs(Flag):
    """What the engine has to record for a method. HEAD also fixes the layer: the one the head pools."""

    ACTIVATIONS = auto()
    GRADIENTS = auto()
    HEAD = auto()


@dataclass(frozen=True)
class Captured:
    """One layer of a batch, seen for one class an image.

    activations: float32 (b, c, u, v). gradients: the same shape, d score of the target / d activations; with GRADIENTS.
    targets: int64 (b,), class indices. head: with HEAD.
    """

    activations: Tensor
    targets: Tensor
    gradients: Tensor | None = None
    head: Head | None = None


@dataclass(frozen=True)
class Method:
    """Frozen parameters and one pure function: no hooks, no device moves, no normalising, no state."""

    needs: ClassVar[Needs]

    def map(self, seen: Captured) -> Tensor:
        """The raw map, float32 (b, u, v), signed and unscaled, before any ReLU."""
        raise NotImplementedError
