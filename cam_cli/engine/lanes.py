"""Batches in lanes: on a CPU each core takes a batch from its files to its results, so that none waits for another."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from itertools import islice
from queue import SimpleQueue
from threading import Event, get_native_id
from time import sleep
from typing import NamedTuple, TypeVar

import cv2
import torch

from .allocator import c_function
from .apart import apart

Item = TypeVar("Item")
Done = TypeVar("Done")
SOFTLY = 1  # omp_pause_soft of omp.h: what is ended comes back when it is wanted
PATIENCE = 1000  # milliseconds
Lane = Callable[[list[Item]], Iterable[Done]]
"""A batch from its items to what is done of each: reads, explains, finishes. One thread at a time is in it."""


class Lanes(NamedTuple):
    """side_by_side: how many batches are under way at once. threads: of each one's arithmetic."""

    side_by_side: int
    threads: int

    @classmethod
    def of(cls, cores: int, batches: int, workers: int) -> Lanes:
        """As many as there are cores, or batches if those are fewer, which then share the cores; of them at most
        `workers` at once. What a lane computes depends on cores and batches alone, not on `workers`."""
        wanted = max(1, min(cores, batches))
        return cls(min(wanted, workers), max(1, cores // wanted))


def in_lanes(
    items: Iterable[Item],
    lanes: Sequence[Lane[Item, Done]],
    *,
    batch_size: int,
    threads: int,
    stop: Event,
    forked: bool = False,
) -> Generator[Done]:
    """One `Done` an item, in the order of `items`; each batch holds the items of positions k·B … k·B + B − 1.

    At most two batches a lane are under way or wait to be handed out. When `stop` is set no more are begun, and those
    under way are finished. An exception in a lane ends the stream and is raised here, after what comes before it.
    Meanwhile the process's arithmetic has so many `threads`. forked: each lane is `apart`; then `threads` is 1.
    """
    source = iter(items)
    free: SimpleQueue[Lane[Item, Done]] = SimpleQueue()

    def run(batch: list[Item]) -> tuple[list[Done], Exception | None]:
        done: list[Done] = []
        lane = free.get()
        try:
            if not stop.is_set():
                done.extend(lane(batch))
        except Exception as error:
            return done, error
        finally:
            free.put(lane)
        return done, None

    def batches() -> Iterator[list[Item]]:
        while not stop.is_set() and (batch := list(islice(source, batch_size))):
            yield batch

    if not forked:
        end_idle()
    waiting = batches()
    ahead: deque[Future[tuple[list[Done], Exception | None]]] = deque()
    inside: set[int] = set()
    with (
        arithmetic(threads),
        apart(lanes) if forked else nullcontext(lanes) as placed,
        gone(inside),
        ThreadPoolExecutor(len(lanes), "lane", lambda: inside.add(get_native_id())) as pool,
    ):
        for lane in placed:
            free.put(lane)
        try:
            while True:
                ahead.extend(pool.submit(run, batch) for batch in islice(waiting, 2 * len(lanes) - len(ahead)))
                if not ahead:
                    return
                done, error = ahead.popleft().result()
                yield from done
                if error:
                    raise error
        finally:
            for one in ahead:
                one.cancel()


@contextmanager
def arithmetic(threads: int) -> Iterator[None]:
    """Inside, torch and OpenCV compute with so many threads; after, with as many as before."""
    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def end_idle() -> None:
    """Ends the threads that OpenMP keeps for this thread's arithmetic. It counts them with those of the lanes, and
    where they are more than the cores all of them sleep between two steps: a pass of one image takes half as long
    again."""
    if pause := c_function("omp_pause_resource_all"):
        pause(SOFTLY)


@contextmanager
def gone(threads: Set[int]) -> Iterator[None]:
    """After the block waits for the end of `threads`, by the numbers that the system has for them. Python takes a
    thread for ended before its libraries have cleared up behind it; a process forked meanwhile has their locks, for
    ever."""
    try:
        yield
    finally:
        for _ in range(PATIENCE):
            if not any(os.path.exists(f"/proc/self/task/{one}") for one in threads):
                break
            sleep(0.001)
