"""Boxes as a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cam_cli.outputs.record import csv_line

from .export import Annotation, Export, Setting
from .files import Files

COLUMNS = (
    "id", "image", "class_index", "class_name", "class_wnid", "score", "x0", "y0", "x1", "y1", "width", "height",
    "model", "method", "layers", "threshold",
)  # fmt: skip


class Csv(Export):
    """`boxes.csv`: a header, then a row a box; an image without a box has none.

    Coordinates are those of the records: pixels of the upright original, half-open, so `x1 - x0` is the width and pixel
    i covers [i, i + 1); `width` and `height` are the image's.
    """

    several = True

    def __init__(self, setting: Setting, files: Files):
        super().__init__(setting, files)
        self.rows = self.spool()
        self.rows.add(csv_line(COLUMNS))

    def image(self, record: Mapping[str, Any], found: list[Annotation]) -> None:
        for one in found:
            known = one.category
            self.rows.add(
                csv_line(
                    (
                        record["id"], record["image"], known.index, known.label, known.wnid, one.score, *one.xyxy,
                        record["width"], record["height"], self.setting.model, one.method, one.layers,
                        self.setting.threshold,
                    )
                )
            )  # fmt: skip

    def finish(self) -> str:
        self.files.write("boxes.csv", self.rows)
        return "boxes.csv"
