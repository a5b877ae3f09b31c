"""wsolevaluation's metadata folders: Choe et al. 2020 (arXiv:2001.07437), github.com/clovaai/wsolevaluation."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cam_cli.errors import DatasetUnreadable, InputEmpty, InputMissing, UsageError, nearest
from cam_cli.types import Object, Region, Truth

from .corners import sound
from .dataset import Format, Notes, Request
from .pictures import NO_MASK, first_holding, item
from .rows import Row, Unique, read_rows, whole

IDS, LABELS, SIZES, PLACES = "image_ids.txt", "class_labels.txt", "image_sizes.txt", "localization.txt"
NO_SIZE = "image without a size; that of the picture holds"
UNKNOWN = f"row of an image that {IDS} does not list"


def detects(path: str) -> bool:
    return os.path.isfile(os.path.join(path, IDS)) or bool(splits(path))


def splits(path: str) -> list[str]:
    """The folders below that are splits."""
    try:
        names = sorted(os.listdir(path))
    except OSError:
        return []
    return [name for name in names if os.path.isfile(os.path.join(path, name, IDS))]


def read(request: Request, notes: Notes) -> Iterator[Truth]:
    """The folder of one split (`metadata/CUB/test`), or of splits (`metadata/CUB`) with the name of one.

    `image_ids.txt`: an image a row; its id is that, verbatim, and its path below --images or, as wsolevaluation lays it
    out, below `dataset/CUB` beside `metadata`. `class_labels.txt`: id,class, a whole number. `image_sizes.txt`:
    id,width,height; may lack. `localization.txt`: id,x0,y0,x1,y1, a row a box: whole pixels from 0, both corners
    inside, so the half-open box is x0, y0, x1 + 1, y1 + 1; or id,mask,ignore, a row a mask: pictures, not black inside,
    below the images' root; `ignore` is empty or the image's one picture of what counts for nothing. A box is of the
    image's class. Without that file (as in the training splits) there are labels alone.

    Masks are pictures of their own sizes, so `size` is None where `image_sizes.txt` lacks.
    """
    folder = chosen(request)
    ids = Unique()
    rows = list(read_rows(os.path.join(folder, IDS), "it lists the images, a row each"))
    names = {ids.claim(row.text.strip(), row.place): row for row in rows}
    if not names:
        raise InputEmpty(f"{os.path.join(folder, IDS)}: no rows; it lists the images, a row each")
    labels = labels_of(folder, names, notes)
    sizes = sizes_of(folder, names, notes)
    root = request.images or first_holding(roots(folder), list(names)[:8])
    boxes, masks = places_of(folder, names, root, sizes or {}, notes)
    for name, row in names.items():
        if name not in labels:
            raise DatasetUnreadable(f"{row.place}: {name} has no row in {LABELS}; add it, or take it out here")
        label, size = labels[name], (sizes or {}).get(name)
        if sizes is not None and size is None:
            notes.add(NO_SIZE, row.place)
        objects = None if boxes is None else tuple(Object(label, box) for box in boxes.get(name, ()))
        regions = tuple(Region(label, file, ignored=ignored) for file, ignored in masks.get(name, ()))
        yield Truth(item(root, name), (label,), objects, regions=regions, size=size)


def chosen(request: Request) -> str:
    """The folder of the split. Raises InputMissing, UsageError."""
    path, split = request.path, request.split
    if os.path.isfile(os.path.join(path, IDS)):
        if split is not None and split != os.path.basename(os.path.abspath(path)):
            raise UsageError(f"--split {split}: {path} is the folder of one split by itself; name the one above it")
        return path
    there = splits(path)
    if not there:
        raise InputMissing(f"{path}: no {IDS} in it or in a folder below it; name the folder of a split")
    if split is None and len(there) == 1:
        return os.path.join(path, there[0])
    if split is None or not os.path.isdir(os.path.join(path, split)):
        doubt = f"--split {split}: not there{nearest(split, there)}" if split else "which split? Give --split"
        raise UsageError(f"{doubt} (splits in {path}: {', '.join(there)})")
    return os.path.join(path, split)


def roots(folder: str) -> list[str]:
    """Where the images may lie: `dataset/NAME` beside `metadata/NAME/split`, else in the folder, or above it."""
    above = os.path.dirname(os.path.abspath(folder))
    beside = os.path.join(os.path.dirname(os.path.dirname(above)), "dataset", os.path.basename(above))
    return [beside, folder, os.path.dirname(folder) or os.curdir]


def labels_of(folder: str, names: dict[str, Row], notes: Notes) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in read_rows(os.path.join(folder, LABELS), "it holds the class of each image"):
        name, label = row.cells("id class", ",")
        if found.setdefault(name, str(whole(label, "the class", row.place))) != label:
            raise DatasetUnreadable(f"{row.place}: {name} has the class {found[name]} already; an image has one class")
        if name not in names:
            notes.add(UNKNOWN, row.place)
    return found


def sizes_of(folder: str, names: dict[str, Row], notes: Notes) -> dict[str, tuple[int, int]] | None:
    file = os.path.join(folder, SIZES)
    if not os.path.isfile(file):
        return None
    found = {}
    for row in read_rows(file, ""):
        name, *sides = row.cells("id width height", ",")
        width, height = (whole(side, "a side", row.place) for side in sides)
        if min(width, height) <= 0:
            raise DatasetUnreadable(f"{row.place}: a size of {width} x {height}; take the row out, or correct it")
        if name not in names:
            notes.add(UNKNOWN, row.place)
        found[name] = width, height
    return found


Cells = list[tuple[Row, list[str]]]
Boxes = dict[str, list[tuple[float, float, float, float]]]
Masks = dict[str, list[tuple[str, bool]]]


def places_of(
    folder: str, names: dict[str, Row], root: str, sizes: dict[str, tuple[int, int]], notes: Notes
) -> tuple[Boxes | None, Masks]:
    """The boxes of each image, None if the file holds none; and its mask pictures, with whether one is of what is
    ignored."""
    file = os.path.join(folder, PLACES)
    rows = list(read_rows(file, "")) if os.path.isfile(file) else []
    masked = bool(rows) and rows[0].text.count(",") == 2
    found = [(row, row.cells("id mask ignore" if masked else "id x0 y0 x1 y1", ",")) for row in rows]
    for row, cells in found:
        if cells[0] not in names:
            notes.add(UNKNOWN, row.place)
    if masked:
        return None, masks_of(found, root, notes)
    return (boxes_of(found, sizes, notes) if rows else None), {}


def boxes_of(rows: Cells, sizes: dict[str, tuple[int, int]], notes: Notes) -> Boxes:
    found: Boxes = {}
    for row, (name, *corners) in rows:
        x0, y0, x1, y1 = (whole(corner, "a corner", row.place) for corner in corners)
        boxes = found.setdefault(name, [])
        if (box := sound((x0, y0, x1, y1), sizes.get(name), notes, row.place, first=0)) is not None:
            boxes.append(box)
    return found


def masks_of(rows: Cells, root: str, notes: Notes) -> Masks:
    """Raises InputMissing where none of the pictures is there."""
    found: Masks = {}
    ignores: dict[str, str] = {}
    lacking, there = set(), 0
    for row, (name, mask, ignore) in rows:
        if not mask:
            raise DatasetUnreadable(f"{row.place}: no mask; a row is id,mask,ignore, and ignore alone may be empty")
        given = [(mask, False)]
        if ignore:
            if name in ignores and ignores[name] != ignore:
                raise DatasetUnreadable(f"{row.place}: {name} has {ignores[name]} to be ignored; it may have one only")
            given += [] if name in ignores else [(ignore, True)]
            ignores[name] = ignore
        for written, ignored in given:
            path = os.path.join(root, written)
            if os.path.isfile(path):
                there += 1
            else:
                notes.add(NO_MASK, f"{row.place}: {path}")
                lacking.add(name)
            found.setdefault(name, []).append((path, ignored))
    if not there:
        raise InputMissing(f"{rows[0][0].place}: no mask picture is below {root}; name their root with --images")
    return {name: given for name, given in found.items() if name not in lacking}


format = Format(detects, read, lambda label: (f"name:{label}", f"index:{label}"))
