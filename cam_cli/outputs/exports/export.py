"""What an export is given, record by record, and what it leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, ClassVar

from cam_cli.errors import ImageUnwritable, UsageError
from cam_cli.images.naming import short_stem

from .categories import Category
from .files import Files
from .ids import Ids
from .spool import Spool


@dataclass(frozen=True)
class Setting:
    """What all exports of a run share.

    categories: by model index; boxes of other classes are left out. whole: the ids of the listing whose stem keeps the
    suffix. model: its name; version: its name and which weights. threshold: as the run had it.
    ids, category_ids: of --ids-from, and those of the categories there, by model index.
    """

    categories: Mapping[int, Category]
    whole: Set[str]
    model: str
    version: str
    threshold: str
    ids: Ids | None
    category_ids: Mapping[int, int]


@dataclass(frozen=True)
class Annotation:
    """One box. xyxy: half-open floats in pixels of the upright original. area: pixels of what it was drawn around.
    mask: of that, as `rle` makes it, where asked for."""

    category: Category
    method: str
    layers: str
    xyxy: tuple[float, float, float, float]
    score: float | None
    area: int
    mask: Mapping[str, Any] | None


def annotated(record: Mapping[str, Any], categories: Mapping[int, Category]) -> Iterator[Annotation]:
    """The boxes of a record, in its order; a class that two values of --class selected counts once.

    Raises UsageError for a record of a command that looks for none.
    """
    done = set()
    for one in record["maps"]:
        if one["boxes"] is None:
            raise UsageError("--export needs boxes, and this command makes none; use camtool localize")
        index, layers = one["class"]["index"], "+".join(one["layers"])
        if index not in categories or (index, one["method"], layers) in done:
            continue
        done.add((index, one["method"], layers))
        for box in one["boxes"]:
            yield Annotation(
                categories[index],
                one["method"],
                layers,
                tuple(box["xyxy"]),
                box["score"],
                box["area"],
                box.get("mask"),
            )


class Export:
    """One format. `add` every record in input order, then `finish`, which writes what there is one of a run; `close` at
    last, also when something went wrong. Failed images are left out and counted.

    several: whether the format can tell the boxes of several methods or layers apart.
    """

    several: ClassVar[bool] = False

    def __init__(self, setting: Setting, files: Files):
        self.setting, self.files = setting, files
        self.images = self.boxes = 0
        self.left_out: Counter[str] = Counter()
        self.spools: list[Spool] = []

    def add(self, record: Mapping[str, Any]) -> None:
        """Raises OutputFailed, OutputRefused, UsageError."""
        if record["error"]:
            self.left_out["failed"] += 1
            return
        found = list(annotated(record, self.setting.categories))
        try:
            self.image(record, found)
        except ImageUnwritable:
            self.left_out["of a name that cannot be written"] += 1
            return
        self.images += 1
        self.boxes += len(found)

    def image(self, record: Mapping[str, Any], found: list[Annotation]) -> None:
        """One image that was done, with its boxes, perhaps none. Raises ImageUnwritable to leave it out."""
        raise NotImplementedError

    def finish(self) -> str:
        """Writes the rest; returns the name of what to open, below the output folder."""
        raise NotImplementedError

    def spool(self, separator: bytes = b"") -> Spool:
        self.spools.append(Spool(self.files.folder.path, separator))
        return self.spools[-1]

    def close(self) -> None:
        for spool in self.spools:
            spool.close()

    def place(self, id: str) -> tuple[str, str]:
        """The name of an image in a dataset's folders, without suffix, and its suffix. No two images share the first:
        where two of a folder would, it holds the suffix as well (`a.jpg` and `.jpg`).

        Raises ImageUnwritable for a name that a list with a name a line cannot hold.
        """
        if id.splitlines() != [id]:
            raise ImageUnwritable("a line break in the name")
        stem = short_stem(id)
        return (id if id in self.setting.whole else stem), id[len(stem) :]
