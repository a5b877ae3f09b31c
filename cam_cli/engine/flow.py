"""The way of a run's images from their files to what is done of each, as suits the device."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Any, Generic, TypeVar

from .pipeline import stream

Explained = TypeVar("Explained")
Done = TypeVar("Done")


def cores() -> int:
    """How many this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # Linux has it, the others give all
    return len(allowed(0)) if allowed else os.cpu_count() or 1


@dataclass(frozen=True)
class Flow(Generic[Explained]):
    """read: an item to what is explained of it. explains: a batch of those to its outcomes; one for each batch that may
    be under way at once. threads: of the arithmetic of each, on a CPU; None where it is done elsewhere, on a GPU, and
    `workers` threads read ahead and finish behind it. forked: whether each is in a process of its own."""

    read: Callable[[Any], Any]
    explains: tuple[Callable[[list[Any]], Iterable[Explained]], ...]
    batch_size: int
    workers: int
    threads: int | None = None
    forked: bool = False

    def run(self, items: Iterable[Any], finish: Callable[[Explained], Done], stop: Event) -> Generator[Done]:
        """What `finish` makes of every outcome, in the order of the items; see `pipeline` and `lanes`."""
        if self.threads is None:
            yield from stream(
                items,
                read=self.read,
                explain=self.explains[0],
                finish=finish,
                batch_size=self.batch_size,
                workers=self.workers,
                stop=stop,
            )
            return

        from .lanes import in_lanes

        lanes = [self.lane(explain, finish) for explain in self.explains]
        size, threads = self.batch_size, self.threads
        yield from in_lanes(items, lanes, batch_size=size, threads=threads, stop=stop, forked=self.forked)

    def lane(
        self, explain: Callable[[list[Any]], Iterable[Explained]], finish: Callable[[Explained], Done]
    ) -> Callable[[list[Any]], Iterator[Done]]:
        return lambda batch: map(finish, explain([self.read(item) for item in batch]))
