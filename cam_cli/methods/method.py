"""What a method is given, what it may ask, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Flag, auto
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from cam_cli.types import Head


class Needs(Flag):
    """What the engine has to record for a method. Without ACTIVATIONS it has no layer. HEAD also fixes the layer: the
    one the head pools. With STAGES it is made for several: all stages, fused, unless layers are named. ATTENTION: a
    network whose blocks attend from every token to every other. PASSES: it asks the network many times about an image.
    BIASES: the network as it was made, with the biases of all its layers."""

    NOTHING = 0
    ACTIVATIONS = auto()
    GRADIENTS = auto()
    HEAD = auto()
    STAGES = auto()
    ATTENTION = auto()
    PASSES = auto()
    BIASES = auto()


ACTIVATIONS: dict[str | None, Callable[[Tensor], Tensor]] = {
    None: lambda logits: logits,
    "softmax": lambda logits: logits.softmax(1),
    "sigmoid": lambda logits: logits.sigmoid(),
    "rest": lambda logits: logits + logits.log_softmax(1),
}


@dataclass(frozen=True)
class Target:
    """What is explained: one number an image, made of its class scores.

    indices: int64 (b,), a class an image. signs: float32 (b,), 1 for the class, −1 for what speaks against it.
    others: int64 (b,), the classes whose score is taken off, or None. activation: what the scores are: `softmax` or
    `sigmoid`, the probabilities; `rest`, the logits plus the logarithms of softmax; None, the logits.
    """

    indices: Tensor
    signs: Tensor
    others: Tensor | None = None
    activation: str | None = None

    @classmethod
    def of(cls, indices: Tensor) -> Target:
        """The logits of `indices`."""
        return cls(indices, torch.ones(len(indices), device=indices.device))

    def __call__(self, logits: Tensor) -> Tensor:
        """(b, k) → float32 (b,); for the target of one image also (n, k) → (n,)."""
        return self.pick(ACTIVATIONS[self.activation](logits.float()))

    def pick(self, values: Tensor) -> Tensor:
        """(b, k, …) → (b, …): of each image the class's entry, less the other's, with the sign."""
        rows = torch.arange(len(values), device=values.device)
        chosen = values[rows, self.indices.expand(len(values))]
        if self.others is not None:
            chosen = chosen - values[rows, self.others.expand(len(values))]
        return chosen * self.signs.view(-1, *[1] * (chosen.ndim - 1))

    def __getitem__(self, rows: slice | list[int]) -> Target:
        """That of some images of the batch."""
        others = None if self.others is None else self.others[rows]
        return replace(self, indices=self.indices[rows], signs=self.signs[rows], others=others)


@dataclass(frozen=True)
class Captured:
    """A batch seen at one layer, for one target an image. What a method did not ask for is empty.

    inputs: float32 (b, 3, h, w), normalised. scores: float32 (b, k), logits. target: what is explained.
    seeds: one an image, the same for all its maps, whatever batch it is in: for methods that draw random numbers.
    activation: `softmax` or `sigmoid`, what makes probabilities of the network's logits.
    activations: float32 (b, c, u, v). gradients: the same shape, d target / d activations. head: with HEAD.
    """

    inputs: Tensor
    scores: Tensor
    target: Target
    seeds: tuple[int, ...]
    activations: Tensor = field(default_factory=lambda: torch.empty(0))
    gradients: Tensor = field(default_factory=lambda: torch.empty(0))
    head: Head | None = None
    activation: str = "softmax"


@dataclass(frozen=True)
class Attention:
    """How a network's blocks attended in one pass over a batch.

    matrices: float32 (b, heads, n, n) a block, in the order they run; row i is how token i attends, and sums to 1.
    gradients: the same shapes, d target / d matrix; none unless asked for.
    prefix: tokens before the picture's, the class token first. rows, cols: of the picture's.
    """

    matrices: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]
    prefix: int
    rows: int
    cols: int

    def picture(self, values: Tensor) -> Tensor:
        """Of a value a token, (b, n), the picture's: (b, u, v)."""
        return values[:, self.prefix :].reshape(len(values), self.rows, self.cols)


class Probe(Protocol):
    """The network, for a method that has to ask again. The engine cuts the work into passes that fit the memory, so
    images and activations come as iterables, made one at a time; it also tells how far it is."""

    def scores(self, images: Iterable[Tensor], count: int) -> Tensor:
        """`count` images (3, h, w) → their logits, float32 (count, k)."""

    def once(self, row: int, ask: Callable[[], Tensor]) -> Tensor:
        """What `ask` gave for image `row` when this method first asked it, for whatever class: logits of all classes
        serve every map of the image."""

    def tail(self, row: int, activations: Iterable[Tensor], count: int) -> Tensor:
        """Logits, float32 (count, k), of image `row` when the layer puts out each of `activations` (c, u, v); what lies
        before the layer does not run again."""

    def record(self, images: Tensor, target: Target | None = None) -> Captured:
        """Other pictures (b, 3, h, w) in the place of the batch's: the same layer, and the same targets unless `target`
        is given."""

    def slopes(self, batches: Iterable[Tensor]) -> Iterable[Tensor]:
        """d target / d activations on each of other batches (b, 3, h, w), float32 (b, c, u, v)."""

    def input_gradients(self, images: Tensor, *, guided: bool = False) -> Tensor:
        """d target / d images, float32 (b, 3, h, w); guided: through every ReLU only what is positive."""

    def bias_gradients(self) -> Iterable[Tensor]:
        """Of every call of a convolution, batch norm or linear layer, in their order, what it adds to its output
        whatever its input, times d target / d output: float32 (b, c, u, v), or as many axes as the output has."""

    def attention(self, *, gradients: bool = False) -> Attention:
        """Of the batch; for a method with ATTENTION."""

    def curvature(self, target: Target | None = None) -> Tensor:
        """H A, float32 (b, c, u, v): the second derivatives at the layer of the targets, or of `target`, times its
        activations."""


@dataclass(frozen=True)
class Method:
    """Frozen parameters and one pure function: no hooks, no device moves, no normalising, no state.

    fuse: how its maps of several layers are joined (see `cam_cli.maps.fuse`), where its paper says so.
    """

    needs: ClassVar[Needs]
    fuse: ClassVar[str | None] = None

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        """The raw map, float32 (b, u, v), signed and unscaled, before any ReLU; (b, h, w) for one at input size."""
        raise NotImplementedError


@dataclass(frozen=True)
class Summed(Method):
    """A method whose map is a sum over the layer's channels."""

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        """What is summed: float32 (b, c, u, v)."""
        raise NotImplementedError

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        return self.terms(seen, probe).sum(1)
