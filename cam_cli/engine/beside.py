"""Several models side by side: the same images through one explainer (or judge) each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from cam_cli.types import Failure, Picture

Outcome = TypeVar("Outcome", covariant=True)


class Member(Protocol[Outcome]):
    """An explainer, or a judge."""

    def __call__(self, batch: Sequence[Picture | Failure]) -> Iterable[Outcome]: ...

    def replica(self) -> Member[Outcome]:
        """One for another thread."""


@dataclass(frozen=True)
class Beside(Generic[Outcome]):
    """explainers: in the order the models were named."""

    explainers: tuple[Member[Outcome], ...]

    def replica(self) -> Beside[Outcome]:
        return Beside(tuple(one.replica() for one in self.explainers))

    def __call__(self, batch: Sequence[tuple[Picture | Failure, ...]]) -> Iterator[Outcome]:
        """Of each image of `batch`, prepared for every explainer in turn, every explainer's outcome: image by image."""
        found = [run(seen) for run, seen in zip(self.explainers, zip(*batch, strict=True), strict=True)]
        for outcomes in zip(*map(list, found), strict=True):
            yield from outcomes
