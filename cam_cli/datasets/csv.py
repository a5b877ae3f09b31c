"""A table: one image a row, with its class or classes, and perhaps a size, boxes and a mask."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cam_cli.errors import DatasetUnreadable, UsageError, nearest
from cam_cli.images.naming import listed_id
from cam_cli.types import Object, Region, Truth

from .annotation import SIZE_0
from .corners import sound
from .dataset import Format, Notes, Request
from .pictures import NO_MASK, item
from .rows import Unique, decimal, whole
from .table import Table, read_header, read_table

PATH, ID = ("path", "image", "file", "filename", "id"), "id"
LABEL, LABELS = ("class", "truth", "label"), "labels"
WIDTH, HEIGHT, BOXES, MASK = "width", "height", "boxes", "mask"
TOLD = {"1": 1, "1.0": 1, "0": 0, "0.0": 0, "-1": -1, "-1.0": -1, "": 0}
"""What a cell may hold where a class has a column: yes, no, uncertain; nothing said counts as no."""
UNCERTAIN = "ignore", "positive", "negative"


def detects(path: str) -> bool:
    return path.lower().endswith(".csv") and any(name in read_header(path) for name in PATH)


def read(request: Request, notes: Notes) -> Iterator[Truth]:
    """Columns, in any order, blind to case:

    `path` (or image, file, filename): below --images, else below the table's folder; the id is the path as written,
    or what a column `id` says. `class` (or truth, label): one class; or `labels`: several, with --separator between;
    or a column a class, which holds 1, 0, −1 (uncertain: see --uncertain) or nothing (as 0). A class is a name, a WNID
    or an index. An empty `class` says nothing; without any of several classes an image shows none of them, so it has no
    objects. `width`, `height`: of the picture that the boxes are in; may lack. `boxes`: half-open `x0 y0 x1 y1;…` in
    its pixels, from the corner (0, 0); a box may begin with its class (`dog 1 2 3 4`), and must where the row has
    several; an empty cell says nothing of boxes. `mask`: a picture, not black inside, of the row's one class, found as
    `path` is. Further columns serve --by; those are never taken for a class.

    Without `class` or `labels` the columns of classes are those where at least half of what stands is 1, 0 or −1; what
    else stands there is an error with its row.
    """
    if request.split is not None:
        raise UsageError(f"--split {request.split}: a table is one split; make a table a split, or use --by")
    if request.uncertain not in UNCERTAIN:
        raise UsageError(f"--uncertain takes {', '.join(UNCERTAIN)}, not {request.uncertain!r}")
    table = read_table(request.path)
    path = table.column(*PATH)
    if path is None:
        raise DatasetUnreadable(
            f"{table.file}: no column 'path' (or {', '.join(PATH[1:])}) in the first row: {', '.join(table.header)}"
        )
    id, width, height = table.column(ID), table.column(WIDTH), table.column(HEIGHT)
    boxes, mask = table.column(BOXES), table.column(MASK)
    chosen = by_columns(table, request.columns)
    telling = labelling(table, request, {path, id, width, height, boxes, mask, *chosen.values()})
    notes.named.extend(telling.each)
    ids = Unique()
    base = request.images or os.path.dirname(request.path) or os.curdir
    for number, cells in table.rows:
        place = table.place(number)
        if not cells[path]:
            raise DatasetUnreadable(f"{place}: the {table.header[path]} is empty; every row names an image")
        name = listed_id(cells[path] if id is None or not cells[id] else cells[id], base)
        labels, uncertain = telling.labels(cells, place)
        size = None if width is None or height is None else size_of(cells[width], cells[height], place, notes)
        objects = None if boxes is None or not cells[boxes] else boxes_of(cells[boxes], labels, size, place, notes)
        regions = () if mask is None else masks_of(cells[mask], base, labels, place, notes)
        if telling.exhaustive and not labels and not uncertain:
            objects = ()
        columns = {name: cells[column] for name, column in chosen.items()}
        image = item(base, cells[path], ids.claim(name, place))
        yield Truth(image, labels, objects, uncertain, regions, size, columns)


def by_columns(table: Table, names: Sequence[str]) -> dict[str, int]:
    """The columns of --by, by name as typed. Raises UsageError."""
    found = {}
    for name in names:
        column = table.header.index(name) if name in table.header else table.column(name.casefold())
        if column is None:
            there = ", ".join(table.header)
            raise UsageError(f"{table.file} has no column {name!r}{nearest(name, table.header)} (columns: {there})")
        found[name] = column
    return found


@dataclass(frozen=True)
class Labelling:
    """How a row tells its classes: `one` column of a class, or of several with `separator`; or `each` class's own."""

    one: int | None
    separator: str | None
    each: dict[str, int]
    uncertain: str

    @property
    def exhaustive(self) -> bool:
        """Whether a row tells all its classes, so that one without any shows none of them."""
        return self.one is None or self.separator is not None

    def labels(self, cells: Sequence[str], place: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those that are true and those that are uncertain, each once. Raises DatasetUnreadable."""
        if self.one is not None:
            parts = cells[self.one].split(self.separator) if self.separator else [cells[self.one]]
            return tuple(dict.fromkeys(part.strip() for part in parts if part.strip())), ()
        told: dict[int, list[str]] = {1: [], 0: [], -1: []}
        for label, column in self.each.items():
            if cells[column] not in TOLD:
                raise DatasetUnreadable(
                    f"{place}: {label} is {cells[column]!r}; a class has 1, 0, -1 or nothing there (if {label} is no "
                    "class, name it with --by)"
                )
            told[TOLD[cells[column]]].append(label)
        if self.uncertain == "ignore":
            return tuple(told[1]), tuple(told[-1])
        positive = [*told[1], *(told[-1] if self.uncertain == "positive" else [])]
        return tuple(label for label in self.each if label in positive), ()


def labelling(table: Table, request: Request, taken: set[int | None]) -> Labelling:
    """Raises DatasetUnreadable where no column tells the class, UsageError for a separator that is nothing."""
    single, several = table.column(*LABEL), table.column(LABELS)
    if not request.separator:
        raise UsageError("--separator is empty; give the text that stands between two labels")
    if several is not None:
        return Labelling(several, request.separator, {}, request.uncertain)
    if single is not None:
        return Labelling(single, None, {}, request.uncertain)
    each = {}
    for column, name in enumerate(table.header):
        standing = [cells[column] for _, cells in table.rows if cells[column]]
        if column not in taken and standing and 2 * sum(cell in TOLD for cell in standing) >= len(standing):
            if not name or name in each:
                raise DatasetUnreadable(f"{table.file}: column {column + 1} is a class {name!r}; give it its own name")
            each[name] = column
    if not each:
        raise DatasetUnreadable(
            f"{table.file}: no column tells the class; 'class' (or truth, label), 'labels', or one a class with 1, 0, "
            f"-1 is wanted (columns: {', '.join(table.header)})"
        )
    return Labelling(None, None, each, request.uncertain)


def size_of(width: str, height: str, place: str, notes: Notes) -> tuple[int, int] | None:
    if not width and not height:
        return None
    sides = whole(width, "width", place), whole(height, "height", place)
    if min(sides) <= 0:
        notes.add(SIZE_0, place)
        return None
    return sides


def boxes_of(
    cell: str, labels: Sequence[str], size: tuple[int, int] | None, place: str, notes: Notes
) -> tuple[Object, ...]:
    found = []
    for part in cell.split(";"):
        if not part.strip():
            continue
        words = part.split()
        if len(words) < 4:
            raise DatasetUnreadable(
                f"{place}: the box {part.strip()!r} has {len(words)} numbers; x0 y0 x1 y1 is wanted"
            )
        x0, y0, x1, y1 = (decimal(word, "a corner of a box", place) for word in words[-4:])
        label = " ".join(words[:-4]) or (labels[0] if len(labels) == 1 else "")
        if label not in labels:
            of = f"is of {label!r}" if label else "names no class"
            raise DatasetUnreadable(
                f"{place}: the box {part.strip()!r} {of}, and the row has {', '.join(labels) or 'none'}; write it as "
                "'class x0 y0 x1 y1'"
            )
        if (box := sound((x0, y0, x1, y1), size, notes, place)) is not None:
            found.append(Object(label, box))
    return tuple(found)


def masks_of(cell: str, base: str, labels: Sequence[str], place: str, notes: Notes) -> tuple[Region, ...]:
    if not cell:
        return ()
    if len(labels) != 1:
        raise DatasetUnreadable(f"{place}: a mask is of one class, and the row has {', '.join(labels) or 'none'}")
    file = os.path.join(base, cell)
    if not os.path.isfile(file):
        notes.add(NO_MASK, f"{place}: {file}")
        return ()
    return (Region(labels[0], file),)


format = Format(detects, read, lambda label: (f"name:{label}", label))
