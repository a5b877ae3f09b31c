"""Boxes as Pascal VOC stores them."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from .export import Annotation, Export, Setting
from .files import Files

UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped: control characters, and bytes of a name that is not UTF-8."""


class Voc(Export):
    """`voc/`: `Annotations/….xml`, `JPEGImages/…` (by --images; formats are not changed), `ImageSets/Main/train.txt`.
    Subfolders are mirrored.

    Coordinates are whole pixels, and the top left pixel is (1, 1), as the annotation files of VOC2005 and VOC2006 say;
    xmax and ymax are still inside (VOCevaldet.m: width = xmax − xmin + 1). A box becomes the least box of whole pixels
    that holds it: xmin = ⌊x0⌋ + 1, xmax = ⌈x1⌉, kept within 1 and the image's width.
    """

    def __init__(self, setting: Setting, files: Files):
        super().__init__(setting, files)
        self.names = self.spool()

    def image(self, record: Mapping[str, Any], found: list[Annotation]) -> None:
        stem, suffix = self.place(record["id"])
        self.files.picture(f"voc/JPEGImages/{stem}{suffix}", record["image"])
        tree = {
            "folder": "JPEGImages",
            "filename": stem + suffix,
            "source": {"database": "camtool", "annotation": self.setting.version},
            "size": {"width": record["width"], "height": record["height"], "depth": 3},
            "segmented": 0,
        }
        root = element("annotation", tree)
        width, height = record["width"], record["height"]
        for one in found:
            corners = dict(zip(("xmin", "ymin", "xmax", "ymax"), inclusive(one.xyxy, width, height), strict=True))
            known = {"name": one.category.name, "pose": "Unspecified", "truncated": 0, "difficult": 0}
            root.append(element("object", known | {"bndbox": corners}))
        ElementTree.indent(root)
        self.files.write(f"voc/Annotations/{stem}.xml", ElementTree.tostring(root, "utf-8") + b"\n")
        self.names.add(os.fsencode(stem) + b"\n")

    def finish(self) -> str:
        self.files.write("voc/ImageSets/Main/train.txt", self.names)
        return "voc"


def inclusive(xyxy: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """xmin, ymin, xmax, ymax of VOC."""
    x0, y0, x1, y1 = xyxy
    left, top = clamp(math.floor(x0) + 1, width), clamp(math.floor(y0) + 1, height)
    return left, top, clamp(math.ceil(x1), width), clamp(math.ceil(y1), height)


def clamp(value: int, most: int) -> int:
    return min(max(value, 1), most)


def element(tag: str, content: Mapping[str, Any]) -> ElementTree.Element:
    """An element with an element for each key."""
    made = ElementTree.Element(tag)
    for key, value in content.items():
        if isinstance(value, Mapping):
            made.append(element(key, value))
        else:
            ElementTree.SubElement(made, key).text = UNWRITABLE.sub("\ufffd", str(value))
    return made
