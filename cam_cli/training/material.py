"""What a step of learning is given: cached features for a head, or pictures, shown anew each time, for a network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import Protocol

import torch
from torch import Tensor

from cam_cli.engine.device import to_device
from cam_cli.engine.pipeline import stream
from cam_cli.engine.seed import seed_of
from cam_cli.errors import ImageTooLarge, ImageUnreadable
from cam_cli.types import Failure, ImageItem

from .cache import FeatureCache
from .shots import Camera, Changes, Shot


@dataclass(frozen=True)
class Batch:
    """inputs: float32, on the device: grids (b, c, u, v), or images (b, c, h, w). rows: of the samples they are of."""

    inputs: Tensor
    rows: list[int]


class Material(Protocol):
    def epoch(self, number: int) -> Iterator[Batch]:
        """The images to learn from, once each, in an order and by shots that depend on the seed and the number."""

    def held_out(self, stop: Event) -> Iterator[Batch]:
        """The images to choose by, unchanged, in order, until `stop`; their rows count from 0 as well."""


def shuffled(rows: Sequence[int], seed: int, number: int) -> list[int]:
    found = list(rows)
    Random(seed_of(seed, f"order {number}")).shuffle(found)
    return found


def batches(rows: Sequence[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size])


@dataclass(frozen=True)
class Features:
    """A cache, of which `learn` rows are learnt from and `choose` are to choose by, less those that failed.

    A batch is of one view, so that its grids have one shape; which, is drawn for each.
    """

    cache: FeatureCache
    learn: Sequence[int]
    choose: Sequence[int]
    first: int  # row of the cache where the images to choose by begin
    size: int
    seed: int
    device: torch.device

    def epoch(self, number: int) -> Iterator[Batch]:
        draw = Random(seed_of(self.seed, f"views {number}"))
        for rows in batches(shuffled(self.learn, self.seed, number), self.size):
            yield Batch(self.cache.read(draw.randrange(len(self.cache.rows)), rows).to(self.device), rows)

    def held_out(self, stop: Event) -> Iterator[Batch]:
        for rows in batches(self.choose, self.size):
            if stop.is_set():
                return
            yield Batch(self.cache.read(0, [self.first + row for row in rows]).to(self.device), rows)


@dataclass(frozen=True)
class Pictures:
    """Images read again each epoch. failures: by id, as they are met; such an image is left out of its batch."""

    learn: Sequence[ImageItem]
    choose: Sequence[ImageItem]
    camera: Camera
    changes: Changes
    size: int
    seed: int
    device: torch.device
    workers: int
    stop: Event
    failures: dict[str, Failure] = field(default_factory=dict)

    def epoch(self, number: int) -> Iterator[Batch]:
        rows = shuffled(range(len(self.learn)), self.seed, number)
        sizes = self.changes.sizes(-(-len(rows) // self.size), f"epoch {number}")
        wanted = [
            (row, self.learn[row], self.changes.shot(sizes[place // self.size], self.learn[row].id, f"epoch {number}"))
            for place, row in enumerate(rows)
        ]
        yield from self.shown(wanted, self.stop)

    def held_out(self, stop: Event) -> Iterator[Batch]:
        yield from self.shown([(row, item, Shot(self.changes.size)) for row, item in enumerate(self.choose)], stop)

    def shown(self, wanted: list[tuple[int, ImageItem, Shot]], stop: Event) -> Iterator[Batch]:
        def take(one: tuple[int, ImageItem, Shot]) -> tuple[int, Tensor | Failure]:
            row, item, shot = one
            try:
                return row, self.camera.take(item, [shot])[0]
            except (ImageUnreadable, ImageTooLarge) as error:
                return row, Failure.of(item, error)

        def batch(taken: list[tuple[int, Tensor | Failure]]) -> Iterator[Batch]:
            self.failures.update({one.item.id: one for _, one in taken if isinstance(one, Failure)})
            good = [(row, one) for row, one in taken if isinstance(one, Tensor)]
            if good:
                yield Batch(to_device([image for _, image in good], self.device), [row for row, _ in good])

        found = stream(
            wanted,
            read=take,
            explain=batch,
            finish=lambda one: one,
            batch_size=self.size,
            workers=self.workers,
            stop=stop,
        )
        with closing(found):
            yield from found
