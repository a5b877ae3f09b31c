"""Boxes as Label Studio's pre-annotations."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import chain
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from cam_cli.outputs.record import json_bytes

from .export import Annotation, Export, Setting
from .files import Files
from .voc import UNWRITABLE


class LabelStudio(Export):
    """`labelstudio.json`, tasks with predictions, and `labelstudio.xml`, the labelling interface that they fit, with
    the classes that occur.

    x, y, width and height are percentages of the image's width and height, x and y of the top left corner
    (labelstud.io/guide/predictions; `value` of `rectanglelabels`). A prediction holds the boxes of one method and
    layer: `model_version` names model, method and layer, `score` is the best of its boxes, and each box has its own.

    `image` is `/data/local-files/?d=` and the path of the picture: below the working folder, relative to it, which is
    to be LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT; elsewhere from `/`, which is to be the root then.
    """

    several = True

    def __init__(self, setting: Setting, files: Files):
        super().__init__(setting, files)
        self.tasks = self.spool(b",\n")
        self.names: dict[str, None] = {}

    def image(self, record: Mapping[str, Any], found: list[Annotation]) -> None:
        predictions: dict[str, list[dict[str, Any]]] = {}
        for number, one in enumerate(found):
            self.names[one.category.name] = None
            predictions.setdefault(f"{self.setting.version} {one.method} {one.layers}".rstrip(), []).append(
                {
                    "id": f"camtool-{self.images + 1}-{number + 1}",
                    "type": "rectanglelabels",
                    "from_name": "label",
                    "to_name": "image",
                    "original_width": record["width"],
                    "original_height": record["height"],
                    "image_rotation": 0,
                    "value": {
                        **percent(one.xyxy, record["width"], record["height"]),
                        "rotation": 0,
                        "rectanglelabels": [one.category.name],
                    },
                    "score": one.score or 0.0,
                }
            )
        task = {
            "data": {"image": url(record["image"])},
            "predictions": [
                {"model_version": version, "score": max(box["score"] for box in boxes), "result": boxes}
                for version, boxes in predictions.items()
            ],
        }
        self.tasks.add(json_bytes(task))

    def finish(self) -> str:
        self.files.write("labelstudio.json", chain((b"[\n",), self.tasks, (b"\n]\n",)))
        view = ElementTree.Element("View")
        ElementTree.SubElement(view, "Image", name="image", value="$image")
        labels = ElementTree.SubElement(view, "RectangleLabels", name="label", toName="image")
        for name in self.names:
            ElementTree.SubElement(labels, "Label", value=UNWRITABLE.sub("\ufffd", name))
        ElementTree.indent(view)
        self.files.write("labelstudio.xml", ElementTree.tostring(view, "utf-8") + b"\n")
        return "labelstudio.json"


def percent(xyxy: tuple[float, float, float, float], width: int, height: int) -> dict[str, float]:
    x0, y0, x1, y1 = xyxy
    sides = {"x": x0 / width, "y": y0 / height, "width": (x1 - x0) / width, "height": (y1 - y0) / height}
    return {key: round(100 * value, 6) for key, value in sides.items()}


def url(path: str) -> str:
    """Where Label Studio's server of local files has a picture."""
    inside = os.path.relpath(path)
    if inside.split(os.sep)[0] == os.pardir:
        inside = os.path.abspath(path).lstrip(os.sep)
    return "/data/local-files/?d=" + quote(os.fsencode(inside))
