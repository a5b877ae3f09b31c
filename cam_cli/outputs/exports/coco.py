"""Boxes and masks as COCO stores instances, and as it takes results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from cam_cli import __version__
from cam_cli.outputs.record import json_bytes

from .export import Annotation, Export, Setting
from .files import Files


class Coco(Export):
    """`coco.json`, in the layout of `instances_*.json`, and `coco_results.json`, which pycocotools' `loadRes` takes.

    `bbox` is [x, y, width, height] in pixels, floats, measured from the top left corner of the image, which is (0, 0)
    (cocodataset.org/#format-data); so x and y are those of the records, and width is x1 − x0. `area` is that of the
    mask, without --masks of the box. `file_name` is relative to the input folder. Image and annotation ids count from 1
    (pycocotools takes an annotation id of 0 for no match); category ids are the model's own indices, or those of
    --classes-only or --ids-from. A score that is not finite becomes 0.
    """

    def __init__(self, setting: Setting, files: Files):
        super().__init__(setting, files)
        self.pictures, self.instances, self.results = (self.spool(b",\n") for _ in range(3))
        self.ids = setting.category_ids or {index: one.id for index, one in setting.categories.items()}
        self.count = 0

    def image(self, record: Mapping[str, Any], found: list[Annotation]) -> None:
        id = self.setting.ids.image(record["id"]) if self.setting.ids else self.images + 1
        picture = {"id": id, "file_name": record["id"], "width": record["width"], "height": record["height"]}
        self.pictures.add(json_bytes(picture))
        for one in found:
            self.count += 1
            x0, y0, x1, y1 = one.xyxy
            width, height = rounded(x1 - x0), rounded(y1 - y0)
            shared: dict[str, Any] = {
                "image_id": id,
                "category_id": self.ids[one.category.index],
                "bbox": [x0, y0, width, height],
                "score": one.score or 0.0,
            }
            area = one.area if one.mask else rounded(width * height)
            if one.mask:
                shared["segmentation"] = one.mask
            self.instances.add(json_bytes({"id": self.count, **shared, "area": area, "iscrowd": 0}))
            self.results.add(json_bytes(shared))

    def finish(self) -> str:
        info = {"description": f"boxes of {self.setting.version}", "version": f"camtool {__version__}"}
        names = self.setting.ids.names if self.setting.ids else {}
        known = [
            {"id": self.ids[index], "name": names.get(self.ids[index], one.name)}
            for index, one in self.setting.categories.items()
        ]
        self.files.write(
            "coco.json",
            chain(
                (b'{"info": ', json_bytes(info), b',\n"licenses": [],\n"categories": ', json_bytes(known)),
                array(b',\n"images": ', self.pictures),
                array(b',\n"annotations": ', self.instances),
                (b"}\n",),
            ),
        )
        self.files.write("coco_results.json", chain(array(b"", self.results), (b"\n",)))
        return "coco.json"


def array(key: bytes, entries: Iterable[bytes]) -> Iterable[bytes]:
    return chain((key, b"[\n"), entries, (b"\n]",))


def rounded(value: float) -> float:
    """A difference or product of two figures with six digits, without the dust of its binary fractions."""
    return round(value, 6)
