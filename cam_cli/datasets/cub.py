"""CUB-200-2011 (Wah et al. 2011, CNS-TR-2011-001), and sets laid out alike, such as NABirds."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cam_cli.errors import DatasetUnreadable, InputEmpty, UsageError, nearest
from cam_cli.types import Object, Truth

from .corners import Corners, sound
from .dataset import Format, Notes, Request
from .pictures import first_holding, item
from .rows import Unique, decimal, read_rows

IMAGES, LABELS, BOXES = "images.txt", "image_class_labels.txt", "bounding_boxes.txt"
CLASSES, SPLITS = "classes.txt", "train_test_split.txt"
UNKNOWN = f"row of an image that {IMAGES} does not list"
SPLIT = {"1": "train", "0": "test"}


def detects(path: str) -> bool:
    return all(os.path.isfile(os.path.join(path, name)) for name in (IMAGES, LABELS))


def read(request: Request, notes: Notes) -> Iterator[Truth]:
    """`images.txt`: number and path, below `images` or --images, which is the id; a row an image, in the order kept.
    `image_class_labels.txt`: number and class number; `classes.txt`: class number and name, as the label has it
    (`001.Black_footed_Albatross`). `bounding_boxes.txt`: number, x, y, width, height; may lack. `train_test_split.txt`:
    number and 1 (train) or 0 (test), for --split; without one, all.

    Boxes are floats from the corner (0, 0): the half-open box is x, y, x + width, y + height. (wsolevaluation counts
    x + width as inside, which makes its box of the same bird a pixel wider and higher.) No file holds sizes of images.
    """
    split = request.split
    if split is not None and split not in SPLIT.values():
        there = list(SPLIT.values())
        raise UsageError(f"--split {split}: CUB has train and test{nearest(split, there)}")
    ids, paths = Unique(), Unique()
    images: dict[str, tuple[str, str]] = {}
    for row in read_rows(os.path.join(request.path, IMAGES), "it lists the images: number path"):
        number, path = row.cells("number path", wide=True)
        images[ids.claim(number, row.place)] = paths.claim(path, row.place), row.place
    if not images:
        raise InputEmpty(f"{os.path.join(request.path, IMAGES)}: no rows; it lists the images: number path")
    labels = labels_of(request.path, images, notes)
    boxes = boxes_of(request.path, images, notes)
    splits = splits_of(request.path, images, notes) if split else {}
    first = [path for path, _ in images.values()][:8]
    root = request.images or first_holding([os.path.join(request.path, "images"), request.path], first)
    for number, (path, place) in images.items():
        if split and number not in splits:
            raise DatasetUnreadable(f"{place}: {number} has no row in {SPLITS}; add it, or drop --split")
        if split and splits[number] != split:
            continue
        if number not in labels:
            raise DatasetUnreadable(f"{place}: {number} has no row in {LABELS}; add it, or take it out here")
        label = labels[number]
        objects = None if boxes is None else tuple(Object(label, box) for box in boxes.get(number, ()))
        yield Truth(item(root, path), (label,), objects)


Images = dict[str, tuple[str, str]]


def labels_of(folder: str, images: Images, notes: Notes) -> dict[str, str]:
    """The name of the class of each image, by number."""
    names: dict[str, str] = {}
    for row in read_rows(os.path.join(folder, CLASSES), "it names the classes: number name"):
        number, name = row.cells("number name", wide=True)
        if names.setdefault(number, name) != name:
            raise DatasetUnreadable(f"{row.place}: class {number} is {names[number]} already; a class has one name")
    found: dict[str, str] = {}
    for row in read_rows(os.path.join(folder, LABELS), "it holds the class of each image: number class"):
        number, label = row.cells("number class")
        if label not in names:
            raise DatasetUnreadable(f"{row.place}: {CLASSES} names no class {label!r}; add it there, or correct it")
        if found.setdefault(number, names[label]) != names[label]:
            raise DatasetUnreadable(f"{row.place}: {number} is {found[number]} already; an image has one class")
        if number not in images:
            notes.add(UNKNOWN, row.place)
    return found


def boxes_of(folder: str, images: Images, notes: Notes) -> dict[str, list[Corners]] | None:
    file = os.path.join(folder, BOXES)
    if not os.path.isfile(file):
        return None
    found: dict[str, list[Corners]] = {}
    for row in read_rows(file, ""):
        number, *cells = row.cells("number x y width height")
        x, y, width, height = (decimal(cell, "a side of the box", row.place) for cell in cells)
        if number not in images:
            notes.add(UNKNOWN, row.place)
        box = sound((x, y, x + width, y + height), None, notes, row.place)
        found.setdefault(number, []).extend([] if box is None else [box])
    return found


def splits_of(folder: str, images: Images, notes: Notes) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in read_rows(os.path.join(folder, SPLITS), "it says which images are for training; drop --split"):
        number, training = row.cells("number training")
        if training not in SPLIT:
            raise DatasetUnreadable(f"{row.place}: {training!r} is neither 1 (train) nor 0 (test); correct it")
        if found.setdefault(number, SPLIT[training]) != SPLIT[training]:
            raise DatasetUnreadable(f"{row.place}: {number} is for {found[number]} already; an image has one split")
        if number not in images:
            notes.add(UNKNOWN, row.place)
    return found


def called(label: str) -> tuple[str, ...]:
    """`001.Black_footed_Albatross`, or without the number; a model's index is never guessed from that."""
    number, dot, name = label.partition(".")
    return (f"name:{label}", f"name:{name}") if dot and number.isdecimal() and name else (f"name:{label}",)


format = Format(detects, read, called)
