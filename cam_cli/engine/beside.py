"""Several models side by side: the same images through one explainer each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cam_cli.types import Explanation, Failure, LeftOut, Picture

from .explain import Explainer


@dataclass(frozen=True)
class Beside:
    """explainers: in the order the models were named."""

    explainers: tuple[Explainer, ...]

    def __call__(self, batch: Sequence[tuple[Picture | Failure, ...]]) -> Iterator[Explanation | LeftOut | Failure]:
        """Of each image of `batch`, prepared for every explainer in turn, every explainer's outcome: image by image."""
        found = [run(seen) for run, seen in zip(self.explainers, zip(*batch, strict=True), strict=True)]
        for outcomes in zip(*map(list, found), strict=True):
            yield from outcomes
