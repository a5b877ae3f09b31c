"""COCO's instances: one JSON file for the annotations of a split."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterator
from glob import escape, glob
from typing import NamedTuple

from cam_cli.errors import InputMissing, UsageError, nearest
from cam_cli.images.truth import spellings
from cam_cli.types import Object, Region, Truth

from .annotation import NO_BOX
from .corners import sound
from .dataset import Format, Notes, Request
from .instances import Entry, Image, Place, categories, entries, finite, load, pictures, plain
from .pictures import first_holding, item

FILES = "annotations/instances_*.json", "instances_*.json"
SPLIT = re.compile(r"instances_(.+)\.json")


def detects(path: str) -> bool:
    if os.path.isdir(path):
        return bool(files(path))
    if not path.lower().endswith(".json"):
        return False
    try:
        with open(path, "rb") as file:
            return file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    except OSError:
        return False


def files(folder: str) -> dict[str, str]:
    """The instances files of a folder, by split."""
    found = {}
    for pattern in FILES[::-1]:
        for file in sorted(glob(os.path.join(escape(folder), pattern))):
            if match := SPLIT.fullmatch(os.path.basename(file)):
                found[match[1]] = file
    return found


def read(request: Request, notes: Notes) -> Iterator[Truth]:
    """An `instances_SPLIT.json`, or the folder above `annotations/instances_SPLIT.json`, with the split. The images lie
    below --images, or where COCO and its kin put them: `../SPLIT`, `../images`, beside the file (`roots`). ids are the
    file names as the JSON has them. The order is that of `images`.

    `bbox` is x, y, width, height from the corner (0, 0), floats (cocodataset.org/#format-data); the half-open box is
    x, y, x + width, y + height. `iscrowd` counts as difficult; its label is true all the same: a crowd of people shows
    people. `segmentation`, polygons or run lengths, becomes a Region, a crowd's too. An image of the list without an
    annotation has none of the classes; a file without `annotations` says nothing of any image.
    """
    file = chosen(request)
    content = load(file)
    labels = categories(file, content, notes)
    notes.named.extend(labels.values())
    images: dict[int | str | None, Image] = {one.id: one for one in pictures(file, content)}
    told = "annotations" in content
    of_image = defaultdict(list)
    for number, entry in enumerate(entries(file, content, "annotations")):
        place = Place(file, "annotations", number, entry.get("id"))
        image, category = plain(entry.get("image_id")), plain(entry.get("category_id"))
        if image not in images:
            raise place.error(f"image_id {entry.get('image_id')!r} is the id of no image")
        if category not in labels:
            raise place.error(f"category_id {entry.get('category_id')!r} is the id of no category")
        of_image[image].append(instance(entry, labels[category], images[image].size, place, notes))
    del content
    root = request.images or first_holding(roots(file), [one.file_name for one in list(images.values())[:8]])
    for id, one in images.items():
        if one.size is None:
            notes.add(one.oddity, one.file_name)
        found = of_image.pop(id, [])
        yield Truth(
            item(root, one.file_name),
            tuple(dict.fromkeys(drawn.label for drawn in found)),
            tuple(drawn.object for drawn in found if drawn.object) if told else None,
            regions=tuple(drawn.region for drawn in found if drawn.region),
            size=one.size,
        )


def chosen(request: Request) -> str:
    """The JSON file. Raises InputMissing, UsageError."""
    if not os.path.isdir(request.path):
        split = SPLIT.fullmatch(os.path.basename(request.path))
        if request.split is not None and (split is None or split[1] != request.split):
            raise UsageError(f"--split {request.split}: {request.path} is one split by itself; name the file alone")
        return request.path
    there = files(request.path)
    if not there:
        raise InputMissing(f"{request.path}: no {FILES[0]} in it; name the JSON file itself")
    if request.split is None and len(there) == 1:
        return next(iter(there.values()))
    if request.split is None or request.split not in there:
        doubt = f"--split {request.split}: not there{nearest(request.split, list(there))}" if request.split else ""
        raise UsageError(f"{doubt or 'which split? Give --split'} (splits in {request.path}: {', '.join(there)})")
    return there[request.split]


def roots(file: str) -> list[str]:
    """Where the images of a JSON file may lie, likeliest first."""
    here = os.path.dirname(file) or os.curdir
    above = os.path.join(here, os.pardir)
    split = SPLIT.fullmatch(os.path.basename(file))
    named = [os.path.join(above, split[1]), os.path.join(above, "images", split[1])] if split else []
    inside = [os.path.join(here, split[1])] if split else []
    return [*named, here, *inside, os.path.join(here, "images"), os.path.join(above, "images"), above]


class Instance(NamedTuple):
    label: str
    object: Object | None
    region: Region | None


def instance(entry: Entry, label: str, size: tuple[int, int] | None, place: Place, notes: Notes) -> Instance:
    crowd = entry.get("iscrowd") in (1, True)
    box = entry.get("bbox") or []
    found = None
    if not isinstance(box, list) or len(box) not in (0, 4):
        raise place.error(f"bbox is {box!r}; x, y, width, height are wanted")
    if box:
        x, y, width, height = (finite(value, place) for value in box)
        found = sound((x, y, x + width, y + height), size, notes, str(place))
    else:
        notes.add(NO_BOX, str(place))
    return Instance(label, Object(label, found, crowd) if found else None, region(entry, label, size, place))


def region(entry: Entry, label: str, size: tuple[int, int] | None, place: Place) -> Region | None:
    """The segmentation as it stands, checked for its shape; its numbers are, when it is drawn (`segmentation`)."""
    drawn = entry.get("segmentation")
    if not drawn:
        return None
    if isinstance(drawn, dict):
        sides = drawn.get("size")
        if not isinstance(sides, list) or len(sides) != 2 or "counts" not in drawn:
            raise place.error("its segmentation is no run lengths: size [height, width] and counts are wanted")
        height, width = (int(finite(side, place)) for side in sides)
        if size is not None and (width, height) != size:
            raise place.error(f"its segmentation is {width} x {height} and its image {size[0]} x {size[1]}")
        return Region(label, drawn, (width, height))
    if not isinstance(drawn, list) or not all(isinstance(one, list) and len(one) % 2 == 0 for one in drawn):
        raise place.error("its segmentation is neither polygons (x, y, x, y, …) nor run lengths")
    if size is None:
        raise place.error("its segmentation is polygons, and its image has no width and height to draw them in")
    return Region(label, drawn, size)


format = Format(detects, read, lambda label: tuple(spellings(label)))
