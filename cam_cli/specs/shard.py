"""A part of a run's images: `--shard I/N`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cam_cli.errors import UsageError

WRITTEN = re.compile(r"([1-9]\d*)/([1-9]\d*)", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, from 1. It has every `count`-th batch of the whole run, so that a batch holds the same
    images in a shard as in the run, and numbers are the same to the bit."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """A value of --shard. Raises UsageError."""
        match = WRITTEN.fullmatch(text)
        if match is None or int(match[1]) > int(match[2]):
            raise UsageError(f"--shard takes I/N with I from 1 to N (such as 2/4), not {text!r}")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def places(self, total: int, size: int) -> Iterator[int]:
        """Its positions among `total` images, in batches of `size`."""
        for start in range((self.index - 1) * size, total, self.count * size):
            yield from range(start, min(start + size, total))

    def whole(self, place: int, size: int) -> int:
        """The position among all images of the one that is `place`-th here, from 0."""
        batch, inside = divmod(place, size)
        return (batch * self.count + self.index - 1) * size + inside
