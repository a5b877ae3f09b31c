"""The true class of each image of a run, as an index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cam_cli.errors import ClassUnknown
from cam_cli.images.listing import Listing
from cam_cli.images.truth import Called
from cam_cli.models.labels import Labels
from cam_cli.types import ImageItem


class Truths(Protocol):
    def __getitem__(self, item: ImageItem) -> tuple[int, ...]:
        """The true classes of an image, as far as they are known."""


@dataclass(frozen=True)
class TrueClasses:
    """names: what an image's class is called. indices: class index by that. missing: images that have no truth."""

    names: Called
    indices: dict[tuple[str, ...], int | None]
    missing: int

    @classmethod
    def resolve(cls, text: str, names: Called, labels: Labels, listing: Listing) -> TrueClasses:
        """Looks every class of the listing up, so that an unknown one is said before the first image. A part of a name
        will not do: a folder called `val` is no valley.

        text: the value of `--truth`. Raises ClassUnknown with an image that has it.
        """
        indices: dict[tuple[str, ...], int | None] = {(): None}
        missing = 0
        for id, path in zip(listing.ids, listing.paths, strict=True):
            if id in listing.failures:
                continue
            called = names(id, path)
            missing += not called
            if called not in indices:
                indices[called] = first_known(called, labels, f"--truth {text} (of {path})")
        return cls(names, indices, missing)

    @property
    def classes(self) -> int:
        """How many different ones there are."""
        return len({*self.indices.values()} - {None})

    def __getitem__(self, item: ImageItem) -> tuple[int, ...]:
        """The classes of an image: one, or none where nobody says."""
        index = self.indices[self.names(item.id, item.path)]
        return () if index is None else (index,)


def first_known(called: tuple[str, ...], labels: Labels, where: str) -> int:
    """The class that one of these names, the first that names any. Raises ClassUnknown for the first."""
    errors: list[ClassUnknown] = []
    for name in called:
        try:
            return labels.find(name, whole=True)
        except ClassUnknown as error:
            errors.append(error)
    raise ClassUnknown(f"{where}: {errors[0].message}") from errors[0]
