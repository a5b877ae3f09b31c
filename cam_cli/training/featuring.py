"""Images to features: one pass of a frozen trunk over every view of every image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from threading import Event

import torch
from torch import Tensor

from cam_cli.capture import forward, undisturbed
from cam_cli.engine.forward import Forward
from cam_cli.engine.pipeline import stream
from cam_cli.errors import ImageTooLarge, ImageUnreadable
from cam_cli.types import Failure, ImageItem

from .cache import FeatureCache, Shape
from .shots import Camera, Shot


@dataclass(frozen=True)
class Wanted:
    """One image, and the shots of it, one a view."""

    item: ImageItem
    shots: tuple[Shot, ...]


@dataclass(frozen=True)
class Featurer:
    """forward: the trunk on its device. batch: images a pass."""

    forward: Forward
    camera: Camera
    batch: int
    workers: int

    def shapes(self, sizes: Sequence[int]) -> list[Shape]:
        """Of the grids (c, u, v) at these input sizes. Raises ModelFailed."""
        channels = len(self.camera.recipe.mean)
        return [tuple(self.run([torch.zeros(channels, size, size)]).shape[1:]) for size in sizes]

    def run(self, images: list[Tensor]) -> Tensor:
        """Features (b, c, u, v), float32, of images of one size."""

        def features(batch: Tensor) -> Tensor:
            with undisturbed(self.forward.module), torch.no_grad():
                found: Tensor = forward(self.forward.module, batch)
                return found

        return self.forward.in_passes(features, images, lambda count: None).cpu()

    def fill(
        self,
        cache: FeatureCache,
        wanted: Iterable[Wanted],
        stop: Event,
        tell: Callable[[ImageItem, Failure | None], None],
    ) -> None:
        """Computes what is missing in `cache`; `wanted` are its rows. Batches are those of rows kB … kB + B − 1, so
        that what was interrupted goes on to the same features. tell: told of each image when it is done.

        Raises OutputFailed, ModelFailed.
        """

        def take(one: Wanted) -> tuple[Wanted, list[Tensor] | Failure]:
            try:
                return one, self.camera.take(one.item, one.shots)
            except (ImageUnreadable, ImageTooLarge) as error:
                return one, Failure.of(one.item, error)

        def explain(batch: list[tuple[Wanted, list[Tensor] | Failure]]) -> Iterator[tuple[ImageItem, Failure | None]]:
            first = cache.done
            grids = [self.grids(batch, view) for view in range(len(cache.rows))]
            failures = {first + place: told for place, (_, told) in enumerate(batch) if isinstance(told, Failure)}
            cache.append(grids, {row: (one.kind, one.message) for row, one in failures.items()})
            return iter([(one.item, told if isinstance(told, Failure) else None) for one, told in batch])

        done = stream(
            islice(wanted, cache.done, None),
            read=take,
            explain=explain,
            finish=lambda one: one,
            batch_size=self.batch,
            workers=self.workers,
            stop=stop,
        )
        with closing(done):
            for item, failure in done:
                tell(item, failure)

    def grids(self, batch: Sequence[tuple[Wanted, list[Tensor] | Failure]], view: int) -> list[Tensor | None]:
        """One view of a batch; None for images that failed or have no such view."""
        shown = {
            place: taken[view]
            for place, (_, taken) in enumerate(batch)
            if not isinstance(taken, Failure) and view < len(taken)
        }
        features = dict(zip(shown, self.run(list(shown.values())), strict=True)) if shown else {}
        return [features.get(place) for place in range(len(batch))]
