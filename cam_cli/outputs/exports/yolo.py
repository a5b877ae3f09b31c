"""Boxes as YOLO's trainers read them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .export import Annotation, Export, Setting
from .files import Files


class Yolo(Export):
    """`yolo/`: `labels/train/….txt`, `images/train/…` (by --images), `train.txt` and `data.yaml`. An image without a
    box has an empty label file, as trainers expect of background. Subfolders are mirrored; one that is called `images`
    becomes `images_`, because trainers find a label by putting `labels` for the last `images` of a picture's path.

    A line a box, five columns: class id, then centre x, centre y, width and height as fractions of the image's width
    and height, with six decimals (docs.ultralytics.com/datasets/detect). No sixth column: trainers take exactly five,
    and CVAT would read a score as a track. Class ids are the model's own indices, or count from 0 with --classes-only.
    """

    def __init__(self, setting: Setting, files: Files):
        super().__init__(setting, files)
        self.names = self.spool()

    def image(self, record: Mapping[str, Any], found: list[Annotation]) -> None:
        stem, suffix = self.place(record["id"])
        *folders, name = stem.split("/")
        stem = "/".join([*map(renamed, folders), name])
        self.files.picture(f"yolo/images/train/{stem}{suffix}", record["image"])
        lines = (columns(one, record["width"], record["height"]) for one in found)
        self.files.write(f"yolo/labels/train/{stem}.txt", "".join(lines).encode())
        # Ultralytics takes ./ for the list's own folder, and what has none for the working folder.
        self.names.add(os.fsencode(f"./images/train/{stem}{suffix}\n"))

    def finish(self) -> str:
        self.files.write("yolo/train.txt", self.names)
        known = self.setting.categories.values()
        lines = [
            f"path: {quoted(os.path.abspath(self.files.folder.path / 'yolo'))}  # change it when this folder moves",
            "train: train.txt",
            "# val: a list of your own, with boxes that were checked; Ultralytics asks for one",
            f"nc: {len(known)}",
            "names:",
            *(f"  {one.id}: {quoted(one.name)}" for one in known),
        ]
        self.files.write("yolo/data.yaml", "".join(f"{line}\n" for line in lines).encode())
        return "yolo/data.yaml"


def renamed(folder: str) -> str:
    """`images` and what `images` is renamed to get one `_` more, so that no two folders become one."""
    return folder + "_" if folder.rstrip("_") == "images" else folder


def columns(one: Annotation, width: int, height: int) -> str:
    x0, y0, x1, y1 = one.xyxy
    numbers = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
    return " ".join([str(one.category.id), *(f"{number:.6f}" for number in numbers)]) + "\n"


def quoted(text: str) -> str:
    """A double-quoted YAML scalar: what is not printable is escaped."""
    return '"' + "".join(escaped(one) for one in text) + '"'


def escaped(one: str) -> str:
    if one in '"\\':
        return "\\" + one
    return one if one.isprintable() else f"\\U{ord(one):08x}"
