"""The way of a run through what it is to do: batches with anything new in them are computed, the rest is passed by."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from threading import Event
from typing import Any, Generic, TypeVar

from cam_cli.engine.flow import Flow
from cam_cli.outputs.known import Known
from cam_cli.specs.shard import Shard
from cam_cli.types import Failure, ImageItem

Outcome = TypeVar("Outcome")
Done = TypeVar("Done")


@dataclass(frozen=True)
class Course(Generic[Outcome]):
    """flow: from items to outcomes. models: their names, in the order in which each item has outcomes. known: results
    by place (image × models + model) that need not be made again. part: of the whole run's images, those that this one
    goes through."""

    flow: Flow[Any]
    models: Sequence[str]
    known: Known
    part: Shard = Shard(1, 1)

    def run(
        self, items: Iterable[ImageItem | Failure], finish: Callable[[Any], Done], stop: Event
    ) -> Generator[tuple[int, Done | None]]:
        """Places, ascending, and what `finish` makes of the outcome there; None where it is known.

        Batches are those of a run that knows nothing: one that holds anything new is computed as a whole, of which only
        what is new is finished. After `stop` what is known still comes, so that a run that is stopped loses nothing.
        """
        models = {name: position for position, name in enumerate(self.models)}

        def finished(outcome: Any) -> tuple[int, Done | None]:
            place = outcome.item.place * len(models) + models[outcome.item.model]
            return place, None if place in self.known else finish(outcome)

        passed = 0
        with closing(self.flow.run(self.new(items), finished, stop)) as results:
            for place, done in results:
                yield from ((one, None) for one in self.known.between(passed, place))
                yield place, done
                passed = place + 1
        yield from ((one, None) for one in self.known.between(passed))

    def new(self, items: Iterable[Any]) -> Iterator[Any]:
        """The batches that hold anything new. All but the last of `items` are full, so they are cut as before."""
        source, first, each = iter(items), 0, len(self.models)
        while batch := list(islice(source, self.flow.batch_size)):
            places = range(first * each, (first + len(batch)) * each)
            if any(place not in self.known for place in places):
                yield from batch
            first += len(batch)

    def whole(self, place: int) -> int:
        """The place, among the results of the whole run, of one of this part."""
        image, model = divmod(place, len(self.models))
        return self.part.whole(image, self.flow.batch_size) * len(self.models) + model
