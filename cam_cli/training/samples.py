"""What there is to learn from: images, and of each the classes that are known to be in it or not. Torch-free.

Labels alone are read; where a thing is in its picture is never looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from cam_cli.errors import ClassUnknown, DatasetUnreadable, InputEmpty, UsageError, nearest
from cam_cli.types import ImageItem, Truth

Array = np.ndarray
SHOWN = 5  # so many names are listed in a message
SEPARATORS = "|,;/+ "  # what may stand between the labels of a cell


@dataclass(frozen=True)
class Samples:
    """Images of one side of a split.

    items: ids unique. present: bool (n, k), the class is in the picture. known: bool (n, k), whether that can be told.
    groups: of each image what it must not be parted from; its own id where nothing is.
    """

    classes: tuple[str, ...]
    items: tuple[ImageItem, ...]
    present: Array
    known: Array
    groups: tuple[str, ...]

    @classmethod
    def of(cls, truths: Sequence[Truth], classes: tuple[str, ...], group: str | None = None) -> Samples:
        """The truths that say something, in the words of `classes`; other labels count as nothing."""
        place = {label: index for index, label in enumerate(classes)}
        present, known = np.zeros((len(truths), len(classes)), bool), np.ones((len(truths), len(classes)), bool)
        for row, truth in enumerate(truths):
            for label in truth.uncertain:
                if label in place and label not in truth.labels:
                    known[row, place[label]] = False
            for label in truth.labels:
                if label in place:
                    present[row, place[label]] = True
        groups = tuple(truth.columns[group] if group else truth.item.id for truth in truths)
        return cls(classes, tuple(truth.item for truth in truths), present, known, groups)

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: Sequence[int]) -> Samples:
        """The images of these rows, in this order."""
        chosen = list(rows)
        items = tuple(self.items[row] for row in chosen)
        groups = tuple(self.groups[row] for row in chosen)
        return Samples(self.classes, items, self.present[chosen], self.known[chosen], groups)

    def counts(self) -> dict[str, int]:
        """Of each class, how many images show it."""
        return dict(zip(self.classes, self.present.sum(0).tolist(), strict=True))


def telling(truths: Iterable[Truth]) -> tuple[list[Truth], list[Truth]]:
    """The truths that say what is in a picture, if only that nothing is, and those that say nothing.

    A picture without annotation is of the latter; one whose annotation lists no object (`objects` empty, not None)
    shows none of the classes, which is worth learning.
    """
    sure: list[Truth] = []
    blank: list[Truth] = []
    for truth in truths:
        says = truth.labels or truth.uncertain or truth.regions or truth.objects is not None
        (sure if says else blank).append(truth)
    return sure, blank


def choose_classes(known: Sequence[str], asked: Sequence[str]) -> tuple[str, ...]:
    """The classes to learn, in the data's order: all, or those of --classes. Raises ClassUnknown, InputEmpty."""
    if not known:
        raise InputEmpty("the data name no class at all; images with labels are wanted")
    for name in asked:
        if name not in known:
            listed = ", ".join(known[:SHOWN]) + ", …" * (len(known) > SHOWN)
            raise ClassUnknown(
                f"--classes: the data have no class {name!r}{nearest(name, list(known))} (they have {listed})"
            )
    return tuple(label for label in known if not asked or label in asked)


def single(truths: Sequence[Truth], classes: Sequence[str], kind: str | None) -> bool:
    """Whether every picture shows exactly one of the classes, so that they compete. kind: of --labels.

    Raises UsageError where --labels single is asked of data that have pictures of several classes, or of none.
    """
    wanted = set(classes)
    odd = [one for one in truths if len(wanted.intersection(one.labels)) != 1 or wanted.intersection(one.uncertain)]
    if kind == "single" and odd:
        one = odd[0]
        shown = ", ".join(label for label in one.labels if label in wanted) or "none"
        raise UsageError(
            f"--labels single: {len(odd)} of {len(truths)} images do not show exactly one class (the first: "
            f"{one.item.id}: {shown}); drop it, or use --labels multi"
        )
    return kind != "multi" and not odd


def check(learn: Samples, choose: Samples, competing: bool) -> list[str]:
    """What is odd about the two sides of a split, in words. Raises DatasetUnreadable where there is nothing to learn:
    a class that no image shows, or one class that all of them show."""
    shown, held = learn.counts(), choose.counts()
    for label, count in shown.items():
        if not count:
            elsewhere = f" (in the images to choose by {held[label]} do)" if held[label] else ""
            doubtful = int((~learn.known[:, learn.classes.index(label)]).sum())
            unsure = f", {doubtful} may" if doubtful else ""
            raise DatasetUnreadable(
                f"no image to learn from shows {label!r}{unsure}{elsewhere}; correct the labels, or leave it out with "
                "--classes"
            )
    if len(learn.classes) == 1 and (competing or not (~learn.present & learn.known).any()):
        raise DatasetUnreadable(
            f"every image shows {learn.classes[0]!r}, the only class, so there is nothing to tell it from; add images "
            "of something else"
        )
    notes = [
        f"every image to learn from shows {label!r}: what it is cannot be told from what it is not"
        for label, index in zip(learn.classes, range(len(learn.classes)), strict=True)
        if len(learn.classes) > 1 and not (~learn.present[:, index] & learn.known[:, index]).any()
    ]
    if len(choose) and (absent := [label for label, count in held.items() if not count]):
        listed = ", ".join(absent[:SHOWN]) + ", …" * (len(absent) > SHOWN)
        notes.append(f"no image to choose by shows {listed}: the mean average precision is without")
    return [*notes, *joined(learn.classes), *alike(learn.classes)]


def joined(classes: Sequence[str]) -> list[str]:
    """Classes that look like several, because something else stands between them than was thought."""
    for label in classes:
        for between in SEPARATORS:
            parts = [part.strip() for part in label.split(between)]
            if len(parts) > 1 and all(part in classes for part in parts):
                return [f"{label!r} is one class here, and so is {parts[0]!r}; is {between!r} a --separator of labels?"]
    return []


def alike(classes: Sequence[str]) -> list[str]:
    """Classes that look like one spelt in two ways."""
    folded = Counter(label.strip().casefold() for label in classes)
    return [
        f"{' and '.join(repr(one) for one in classes if one.strip().casefold() == name)} are different classes here; "
        "are they one?"
        for name, count in folded.items()
        if count > 1
    ]
