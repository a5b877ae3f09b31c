"""A dataset's words and a model's classes: which is which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cam_cli.datasets.dataset import among, labels_in
from cam_cli.errors import ClassUnknown
from cam_cli.models.labels import Labels
from cam_cli.types import ImageItem, Truth

from .grouping import Grouping

SHOWN = 5  # so many classes are listed in a message


@dataclass(frozen=True)
class Vocabulary:
    """indices: of each of the dataset's labels that the model knows, its class. unknown: the others.

    truths: of each image, by id, in the labels that the model knows: of the others nothing can be said.
    labels: the model's classes; of groups, where `grouping` says what they are made of.
    As `Truths`, it gives the classes of an image that the model knows.
    """

    indices: Mapping[str, int]
    unknown: tuple[str, ...]
    truths: Mapping[str, Truth]
    labels: Labels
    grouping: Grouping | None = None

    @classmethod
    def match(
        cls, labels: Labels, spellings: Mapping[str, Sequence[str]], truths: Mapping[str, Truth], dataset: str
    ) -> Vocabulary:
        """By index, WNID or whole name. spellings: what the model may call each label, best first, also of images that
        are not among these truths.

        Raises ClassUnknown where the model knows none of these truths' labels, or takes two for one.
        """
        found = {label: index for label, called in spellings.items() if (index := known(called, labels)) is not None}
        there = labels_in(truths.values())
        unknown = tuple(label for label in spellings if label in there and label not in found)
        if there and len(unknown) == len(there):
            listed = ", ".join(unknown[:SHOWN]) + (", …" if len(unknown) > SHOWN else "")
            raise ClassUnknown(
                f"the model knows none of the {len(unknown)} classes of {dataset} ({listed}); say which of its own "
                f"they are with --class-map FILE, or use a model that has them (list: `{labels.listing}`)"
            )
        first = {index: label for label, index in reversed(found.items())}
        for label, index in found.items():
            if first[index] != label:
                raise ClassUnknown(
                    f"{first[index]!r} and {label!r} of {dataset} are one class of the model, {labels.names[index]!r}; "
                    "join them with --class-map FILE"
                )
        return cls(found, unknown, {id: among(truth, found) for id, truth in truths.items()}, labels)

    @classmethod
    def grouped(
        cls,
        labels: Labels,
        groups: Mapping[str, Sequence[str]],
        spellings: Mapping[str, Sequence[str]],
        truths: Mapping[str, Truth],
    ) -> Vocabulary:
        """The classes of a class map, each a group of the model's. Raises ClassUnknown for a class the model lacks."""
        members = tuple(tuple(labels.find(text, whole=True) for text in texts) for texts in groups.values())
        names, there = tuple(groups), labels_in(truths.values())
        unknown = tuple(label for label in spellings if label in there and label not in groups)
        indices = {name: index for index, name in enumerate(names)}
        told = {id: among(truth, indices) for id, truth in truths.items()}
        return cls(indices, unknown, told, Labels(names, None, labels.listing), Grouping(members))

    def __getitem__(self, item: ImageItem) -> tuple[int, ...]:
        labels = self.truths[item.id].labels
        return tuple(dict.fromkeys(self.indices[label] for label in labels if label in self.indices))

    @cached_property
    def called(self) -> dict[int, str]:
        """The dataset's label of each class that it has."""
        return {index: label for label, index in self.indices.items()}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What a report calls each class, no two the same: the dataset's label, else the model's own name, with its
        index where that is not enough."""
        counts = Counter((*self.labels.names, *self.indices))
        own = (name if counts[name] == 1 else f"{name} ({index})" for index, name in enumerate(self.labels.names))
        return tuple(self.called.get(index, name) for index, name in enumerate(own))

    def name(self, index: int) -> str:
        return self.names[index]


def known(called: Sequence[str], labels: Labels) -> int | None:
    """The class that the first of these spellings names, if one does."""
    for text in called:
        try:
            return labels.find(text, whole=True)
        except ClassUnknown:
            continue
    return None
