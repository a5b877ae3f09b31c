"""`Listing`: the images of a run, in order, kept as strings so that a million of them fit in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from hashlib import sha256
from random import Random

from cam_cli.types import Failure, ImageItem

from .naming import short_stem


@dataclass(frozen=True)
class Listing:
    """The images of a run, made on each iteration; a folder that could not be read is a Failure in its place.

    ids, paths: of each entry, in order; ids are unique. whole: the ids whose stem keeps the suffix.
    failures: the reason, by id, where an entry is no image. data: the bytes of the entry `-`, if stdin was an image.
    notes: what a person should know of the listing, one line each.
    """

    ids: Sequence[str]
    paths: Sequence[str]
    whole: Set[str] = frozenset()
    failures: Mapping[str, str] = field(default_factory=dict)
    data: bytes | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[ImageItem | Failure]:
        for place, (id, path) in enumerate(zip(self.ids, self.paths, strict=True)):
            stem = id if id in self.whole else short_stem(id)
            item = ImageItem(id=id, path=path, stem=stem, data=self.data if path == "-" else None, place=place)
            reason = self.failures.get(id)
            yield item if reason is None else Failure(item, "ImageUnreadable", reason)

    def take(self, limit: int | None, sample: int | None, seed: int) -> Listing:
        """A part of the listing, in its order: `sample` entries drawn with `seed`, then the first `limit` of those.

        Stems stay those of the whole listing, so the name of a result does not depend on what else was taken.
        """
        positions: Sequence[int] = range(len(self))
        if sample is not None and sample < len(self):
            positions = sorted(Random(seed).sample(positions, sample))
        if limit is not None:
            positions = positions[:limit]
        return self if len(positions) == len(self) else self.pick(positions)

    def digest(self, truth: Callable[[str, str], tuple[str, ...]] | None = None) -> str:
        """What tells it from another listing: SHA-256 of ids, paths and what the images' classes are called."""
        found = sha256()
        for id, path in zip(self.ids, self.paths, strict=True):
            words = (id, path, *(truth(id, path) if truth else ()))
            found.update("\0".join((*words, "\0")).encode("utf-8", "surrogatepass"))
        return found.hexdigest()

    def pick(self, positions: Iterable[int]) -> Listing:
        """The entries at `positions`, in that order."""
        chosen = list(positions)
        return replace(self, ids=[self.ids[i] for i in chosen], paths=[self.paths[i] for i in chosen])
