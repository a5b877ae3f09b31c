"""What a format of annotations is asked and what it yields, and a dataset that has been read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import sha256
from itertools import chain
from random import Random

from cam_cli.types import Truth

SHOWN = 20  # so many places of one kind are kept; all are counted


@dataclass(frozen=True)
class Request:
    """What the options say of a dataset.

    path: as typed. split: its name. images: the root of the images, where that is not the format's own.
    columns: what `--by` names; a format without columns refuses them.
    separator, uncertain: of a table's labels (see `datasets.csv`).
    """

    path: str
    split: str | None = None
    images: str | None = None
    columns: tuple[str, ...] = ()
    separator: str = ";"
    uncertain: str = "ignore"


@dataclass
class Notes:
    """What was odd about a dataset and read all the same: counted by kind, and the first places of each.

    named: the classes that it lists by themselves, whether or not an image shows them.
    """

    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)

    def add(self, kind: str, place: str) -> None:
        """kind: `size of 0 in the annotation`; place: a file, and a row where there are rows."""
        self.counts[kind] += 1
        listed = self.places.setdefault(kind, [])
        if len(listed) < SHOWN:
            listed.append(place)


@dataclass(frozen=True)
class Format:
    """detects: whether a path is of this format, by what is there; it reads little and raises nothing.

    read: the truth of each image, in the dataset's order, one at a time; raises DatasetUnreadable with file and row,
    InputMissing, InputEmpty, UsageError. What is odd but harmless goes to the notes.
    spellings: what a model may call a label, best first, as `Labels.find` takes it.
    """

    detects: Callable[[str], bool]
    read: Callable[[Request, Notes], Iterator[Truth]]
    spellings: Callable[[str], tuple[str, ...]] = lambda label: (label,)


@dataclass(frozen=True)
class Dataset:
    """A dataset that has been read. truths: in its order, ids unique. format: its name in FORMATS.

    spellings: of each class, as in `Format`.
    """

    format: str
    path: str
    truths: tuple[Truth, ...]
    spellings: Mapping[str, tuple[str, ...]]
    notes: Notes

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Every label, also the uncertain, by name with numbers in their order."""
        return tuple(sorted(labels_in(self.truths), key=lambda label: (natural(label), label)))

    @cached_property
    def several(self) -> bool:
        """Whether an image may have more than one class, or none."""
        return any(len(truth.labels) != 1 or truth.uncertain for truth in self.truths)

    @cached_property
    def by_id(self) -> dict[str, Truth]:
        return {truth.item.id: truth for truth in self.truths}

    def digest(self, *beside: Dataset) -> str:
        """What tells it, and others beside it, from other data: SHA-256 of everything they say of every image."""
        found = sha256()
        for truth in chain.from_iterable(data.truths for data in (self, *beside)):
            found.update(f"{truth!r}\n".encode("utf-8", "surrogatepass"))
        return found.hexdigest()

    def part(self, places: Iterable[int]) -> Dataset:
        """The images at `places`."""
        return replace(self, truths=tuple(self.truths[place] for place in places))

    def take(self, limit: int | None, sample: int | None, seed: int) -> Dataset:
        """A part of it, in its order: `sample` images drawn with `seed`, then the first `limit` of those."""
        truths = self.truths
        if sample is not None and sample < len(truths):
            truths = tuple(truths[place] for place in sorted(Random(seed).sample(range(len(truths)), sample)))
        return replace(self, truths=truths[:limit])


def labels_in(truths: Iterable[Truth]) -> set[str]:
    """Every label of theirs, also the uncertain."""
    return {label for truth in truths for label in (*truth.labels, *truth.uncertain)}


def among(truth: Truth, labels: Container[str]) -> Truth:
    """What a truth says of some labels; if that is that none of them is there, it says so still."""
    if all(label in labels for label in (*truth.labels, *truth.uncertain)):
        return truth
    less = replace(
        truth,
        labels=tuple(label for label in truth.labels if label in labels),
        uncertain=tuple(label for label in truth.uncertain if label in labels),
        objects=truth.objects and tuple(one for one in truth.objects if one.label in labels),
        regions=tuple(one for one in truth.regions if one.ignored or one.label in labels),
    )
    return less if less.told else replace(less, objects=())


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """A key that puts 9 before 10, wherever numbers stand."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)
