"""ILSVRC's classification and localisation set: images, and XML with boxes in a tree of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from cam_cli.errors import CamtoolError, InputMissing
from cam_cli.images.naming import short_stem
from cam_cli.images.truth import LEADING_WNID, spellings
from cam_cli.images.walk import Pattern, Walk, is_image_name
from cam_cli.types import Truth

from .annotation import kind_of, read_annotation
from .dataset import Format, Notes, Request
from .pictures import below, item
from .voc import NO_XML

IMAGES = "Data/CLS-LOC/{split}", "ILSVRC2012_img_{split}", "{split}", "images", ""
BOXES = (
    *("Annotations/CLS-LOC/{split}", "Annotations/{split}", "Annotations"),
    *("ILSVRC2012_bbox_{split}_v3/{split}", "ILSVRC2012_bbox_{split}_v3", "ILSVRC2012_bbox_{split}", "{split}", ""),
)
OTHER_CLASS = "XML that names another class than the image's folder"
FEW = 200
FIRST = 0
"""ILSVRC's top left pixel is (0, 0), and xmax, ymax are inside. The development kit's readme says no more than "PASCAL
VOC format", whose pixels count from 1; the numbers say otherwise: of 1022 boxes of 663 validation images, as
wsolevaluation copied them, xmin is 0 in 91 and ymin in 83, xmax is the width less 1 in 92 and never the width."""


class Layout(NamedTuple):
    """images: their root. boxes: the root of the XML files."""

    images: str
    boxes: str


def detects(path: str) -> bool:
    try:
        found = layout(path, None, None, ("ilsvrc", "torn"))
        return found is not None and any(
            xml_of(found.boxes, one.below) for one in islice(Walk().files(found.images, Pattern()), FEW)
        )
    except (CamtoolError, OSError):
        return False


def layout(path: str, split: str | None, images: str | None, kinds: tuple[str, ...]) -> Layout | None:
    """Where images and boxes are: in the folder named, or the boxes beside it or beside a folder above. The layouts are
    those of the download from image-net.org (`ILSVRC/Data/CLS-LOC/val`, `ILSVRC/Annotations/CLS-LOC/val`), of the
    single archives (`ILSVRC2012_img_val`, `ILSVRC2012_bbox_val_v3/val`), and a folder with `Annotations` in it.
    kinds: what the XML may be, as `kind_of` says."""
    here = os.path.abspath(path)
    last = os.path.basename(here)
    split = split or (last if last in ("train", "val") else "val")
    roots = [images] if images else [os.path.join(path, one.format(split=split)) for one in IMAGES]
    root = next((os.path.normpath(one) for one in roots if has_images(one)), None)
    if root is None:
        return None
    bases = [path]
    for _ in range(3):
        here = os.path.dirname(here)
        bases.append(here)
    for base in bases:
        for name in BOXES:
            folder = os.path.normpath(os.path.join(base, name.format(split=split)))
            deep = name not in ("{split}", "")  # those may be trees of a million images
            if (name or base == path) and os.path.isdir(folder) and kind_of(folder, deep) in kinds:
                return Layout(root, folder)
    return None


def has_images(folder: str) -> bool:
    """Whether there are images, or folders called by a WNID."""
    try:
        with os.scandir(folder) as entries:
            return any(is_image_name(one.name) or LEADING_WNID.fullmatch(one.name) for one in entries)
    except OSError:
        return False


def xml_of(boxes: str, image: str) -> str | None:
    """The XML file of an image, by its path below the root of images: at the same place in the tree of boxes, or at its
    top where the images alone are sorted into folders, or in the folder that a training image's name begins with."""
    stem = short_stem(image)
    name = stem.rpartition("/")[2]
    tried = (stem, name, f"{name.partition('_')[0]}/{name}")
    return next((file for one in tried if os.path.isfile(file := os.path.join(boxes, f"{one}.xml"))), None)


def read(request: Request, notes: Notes) -> Iterator[Truth]:
    """Images flat or in folders named by WNID, and the XML of each by its name; see `layout`. The split is `val` unless
    another is named. ids are paths below the images' root, in name order.

    The class is the WNID of the folder an image lies in; where that names none, the WNIDs of its XML's objects. The
    validation images come flat, so a class without XML is not known: such an image has no truth.

    Boxes: xmin, ymin, xmax, ymax are pixels from 0, both inside: the half-open box is xmin, ymin, xmax + 1, ymax + 1.
    """
    asked = request.path, request.split, request.images
    found = layout(*asked, ("ilsvrc", "torn")) or layout(*asked, ("voc",))  # somebody insists, and is to have it
    if found is None:
        split = request.split or "val"
        raise InputMissing(
            f"{request.path}: not both images (looked for {', '.join(IMAGES[:-1]).format(split=split)}) and their XML "
            f"(looked for {', '.join(BOXES[:4]).format(split=split)}, also in the folders above); lay them so, or name "
            "the images with --images"
        )
    for name in below(found.images, notes):
        folder = next((match[1] for part in name.split("/")[-2::-1] if (match := LEADING_WNID.fullmatch(part))), None)
        file = xml_of(found.boxes, name)
        if file is None:
            notes.add(NO_XML, name)
            yield Truth(item(found.images, name), (folder,) if folder else ())
            continue
        annotation = read_annotation(file)
        size = annotation.known_size(notes)
        objects = annotation.objects(size, notes, FIRST)
        named = tuple(dict.fromkeys(one.label for one in annotation.drawn))
        if folder and named and folder not in named:
            notes.add(OTHER_CLASS, file)
        yield Truth(item(found.images, name), (folder,) if folder else named, objects, size=size)


format = Format(detects, read, lambda label: tuple(spellings(label)))
