"""The way of a run's images, chosen for its device, its cores and what it does with them."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import TypeVar

import torch

from cam_cli.engine.apart import forkable
from cam_cli.engine.beside import Beside
from cam_cli.engine.device import default_batch
from cam_cli.engine.flow import Flow, cores
from cam_cli.engine.lanes import Lanes
from cam_cli.specs.run import RunSpec
from cam_cli.types import Failure, ImageItem, Picture

Outcome = TypeVar("Outcome")
Reader = Callable[[ImageItem | Failure], tuple[Picture | Failure, ...]]
APART = 384  # images from which on lanes are processes: fewer do not win back what those take to begin


def make_flow(
    read: Reader,
    beside: Beside[Outcome],
    spec: RunSpec,
    device: torch.device,
    images: int,
    *,
    heavy: bool,
    free: bool,
) -> Flow[Outcome]:
    """On a CPU lanes side by side, on other devices stages one behind the other. A network that cannot be copied has
    one lane. No lane has more threads than the environment gives arithmetic (OMP_NUM_THREADS).

    heavy: whether methods or metrics ask the network many times, and tell how far they are. free: whether the name of
    a file is a function of its own image alone, so that none must know what the others are called. Lanes are forked
    where both allow it, the machine does, and `images` are many.
    """
    auto = spec.batch_size == "auto"
    size = default_batch(device, spec.precision, images, cores(), heavy) if auto else int(spec.batch_size)
    workers = spec.workers or cores()
    if device.type != "cpu":
        return Flow(read, (beside,), size, workers)
    lanes = Lanes.of(cores(), ceil(images / size), workers)
    try:
        replicas = [beside.replica() for _ in range(lanes.side_by_side - 1)]
    except Exception:  # whatever copying a person's own network raises
        lanes, replicas = Lanes(1, cores()), []
    threads = min(lanes.threads, torch.get_num_threads())
    forked = free and not heavy and images >= APART and threads == 1 and bool(replicas) and forkable()
    return Flow(read, (beside, *replicas), size, workers, threads, forked)
