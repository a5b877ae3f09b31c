"""Pictures under Gaussian noise, for methods that average over many."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

from .method import Captured

AHEAD = 16  # images whose noise is drawn together: one by one the threads would wait for those of the arithmetic


def noisy(seen: Captured, samples: int, noise: float) -> Iterator[Tensor]:
    """The batch, (b, 3, h, w), `samples` times, each image with Gaussian noise whose standard deviation is `noise`
    times the range of its values (Smilkov et al. 2017, arXiv:1706.03825).

    The i-th noise of an image has its seed plus i: as many are drawn at once as the arithmetic has threads, for a
    generator has one, and what is drawn does not depend on them.
    """
    inputs = seen.inputs
    spread = noise * (inputs.amax((1, 2, 3), keepdim=True) - inputs.amin((1, 2, 3), keepdim=True))

    def draw(sample: int) -> Tensor:
        drawn = torch.empty(inputs.shape)
        for one, seed in zip(drawn, seen.seeds, strict=True):
            one.normal_(generator=torch.Generator().manual_seed(seed + sample))
        return drawn

    ahead = max(1, AHEAD // len(inputs))
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for start in range(0, samples, ahead):
            for drawn in [*pool.map(draw, range(start, min(start + ahead, samples)))]:
                yield inputs + spread * drawn.to(inputs.device)
