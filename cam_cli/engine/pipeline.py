"""Read ahead, batch, finish behind: three stages that overlap, bounded in memory whatever the number of images."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Read = TypeVar("Read")
Explained = TypeVar("Explained")
Done = TypeVar("Done")


def stream(
    items: Iterable[Item],
    *,
    read: Callable[[Item], Read],
    explain: Callable[[list[Read]], Iterable[Explained]],
    finish: Callable[[Explained], Done],
    batch_size: int,
    workers: int,
    stop: threading.Event,
) -> Generator[Done]:
    """One `Done` an item, in the order of `items`.

    `read` runs in `workers` threads, at most two batches ahead; `explain` runs here, on the items of positions
    k·B … k·B + B − 1 of the listing (so a result does not depend on how fast anything was); `finish` runs in `workers`
    threads, at most one batch behind. When `stop` is set nothing more is read or explained, and what was explained is
    finished. An exception of any stage ends the stream and is raised here, after what `finish` had in hand.
    """
    source = iter(items)
    ahead: deque[Future[Read]] = deque()
    behind: deque[Future[Done]] = deque()
    failures: list[Exception] = []
    readers = ThreadPoolExecutor(workers, thread_name_prefix="read")
    finishers = ThreadPoolExecutor(workers, thread_name_prefix="finish")

    def read_on() -> None:
        if not stop.is_set():
            ahead.extend(readers.submit(read, item) for item in islice(source, 2 * batch_size - len(ahead)))

    def finished(most: int) -> Iterator[Done]:
        while behind and (len(behind) > most or behind[0].done()):
            try:
                yield behind.popleft().result()
            except Exception as error:
                failures.append(error)

    try:
        read_on()
        while ahead and not failures and not stop.is_set():
            batch = [ahead.popleft().result() for _ in range(min(batch_size, len(ahead)))]
            read_on()
            for explained in explain(batch):
                behind.append(finishers.submit(finish, explained))
                yield from finished(batch_size)
        yield from finished(0)
        if failures:
            raise failures[0]
    finally:
        readers.shutdown(cancel_futures=True)
        finishers.shutdown(cancel_futures=True)
