"""A folder a class: labels, and no boxes."""

from __future__ import annotations

import os
from collections.abc import Iterator

from cam_cli.errors import InputEmpty, UsageError, nearest
from cam_cli.images.truth import spellings
from cam_cli.images.walk import Pattern, Walk
from cam_cli.types import Truth

from . import FORMATS
from .dataset import Format, Notes, Request
from .pictures import below, item

SPLITS = frozenset(("train", "training", "val", "valid", "validation", "test", "testing", "dev"))
NO_NAMES = frozenset(("images", "jpegimages", "image", "imgs", "img", "pictures", "photos"))
"""What a folder of all images is called; if there is no other, it is no class."""
NO_CLASS = "image outside the class folders"


def detects(path: str) -> bool:
    """Whether images lie in folders, and no other format knows what they are."""
    if not os.path.isdir(path) or any(FORMATS.load(name).detects(path) for name in FORMATS if name != "folder"):
        return False
    return any(
        one.below.partition("/")[0].casefold() not in NO_NAMES
        for one in Walk().files(path, Pattern())
        if "/" in one.below and one.error is None
    )


def read(request: Request, notes: Notes) -> Iterator[Truth]:
    """`CLASS/…/image`, in name order; the class is the first folder below the one named, which may be a WNID, with more
    words behind it or not. ids are the paths below. A split is the folder above: `SPLIT/CLASS/…`; where the folders are
    called train and test and alike, one must be named. Images that lie in no class folder have no truth.

    The format has no boxes, so `objects` is None throughout.
    """
    if request.images is not None:
        raise UsageError(f"--images {request.images}: class folders are the images themselves; name those alone")
    root, split = request.path, request.split
    names = below(root, notes)
    folders = list(dict.fromkeys(name.partition("/")[0] for name in names if "/" in name))
    if split is not None:
        if split not in folders:
            there = ", ".join(folders) or "none"
            raise UsageError(
                f"--split {split}: no such folder with images in {root}{nearest(split, folders)} (there: {there})"
            )
        root = os.path.join(root, split)
        names = [name.removeprefix(f"{split}/") for name in names if name.startswith(f"{split}/")]
    elif folders and all(name.casefold() in SPLITS for name in folders):
        raise UsageError(
            f"{root}: its folders are called as splits, not classes ({', '.join(folders)}); name one with --split"
        )
    if not any("/" in name for name in names):
        raise InputEmpty(f"{root}: no folder with images in it; a class is a folder of images")
    notes.named.extend(sorted(one.name for one in os.scandir(root) if one.is_dir() and one.name[0] != "."))
    for name in names:
        label, slash, _ = name.partition("/")
        if not slash:
            notes.add(NO_CLASS, name)
        yield Truth(item(root, name), (label,) if slash else ())


format = Format(detects, read, lambda label: tuple(spellings(label)))
