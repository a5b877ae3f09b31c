"""The classes of an export: which, under which ids and names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cam_cli.models.labels import Labels


@dataclass(frozen=True)
class Category:
    """One class. index, label, wnid: the model's own. id: in the files. name: in files that know classes by name; two
    classes of one label have their index behind it, as in `crane (134)`."""

    index: int
    label: str
    wnid: str | None
    id: int
    name: str


def categories(labels: Labels, only: Sequence[str] = ()) -> dict[int, Category]:
    """By model index, in the order of their ids. The ids are the model's own indices, and so the same in every shard;
    with `only` (classes as a person types them) they count from 0 in its order.

    Raises ClassUnknown.
    """
    count = Counter(labels.names)
    indices = list(dict.fromkeys(labels.find(text) for text in only)) if only else range(len(labels))
    return {
        index: Category(
            index,
            label := labels.names[index],
            labels.wnids[index] if labels.wnids else None,
            position if only else index,
            label if count[label] == 1 else f"{label} ({index})",
        )
        for position, index in enumerate(indices)
    }
