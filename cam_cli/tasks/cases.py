"""The images that a report shows of each run: those it did worst, and those it did best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import inf, nan
from typing import Any

import numpy as np

from cam_cli.errors import ImageTooLarge, ImageUnreadable
from cam_cli.images.decode import decode
from cam_cli.images.intensity import Intensity, to_rgb8, value_range
from cam_cli.maps import heatmap, window
from cam_cli.outputs.report.case import Case, Xyxy
from cam_cli.outputs.report.thumbnail import thumbnails
from cam_cli.specs.evaluate import EvaluateSpec
from cam_cli.types import Geometry, ImageItem

from .reporting import Reporter

SHOWN = 24  # of the worst, and as many of the best
BOXES = "top1_loc"  # the key of the metric that keeps boxes


def cases_of(run: Mapping[str, Any], reporter: Reporter, spec: EvaluateSpec) -> Iterator[Case]:
    """Worst first, by the overlap of the found box with the truth; where there are no boxes, by the first number that
    an image has for itself. Pictures are read again; one that is gone is not shown."""
    rows = [row for row in reporter.rows_of(run["model"]) if row["runs"][run["run"]]["drawn"]]
    ranked = sorted(rows, key=lambda row: standing(row, run["run"], reporter))
    chosen = ranked if len(ranked) <= 2 * SHOWN else [*ranked[:SHOWN], *ranked[-SHOWN:]]
    for row in chosen:
        try:
            yield case(row, run["run"], spec)
        except (ImageUnreadable, ImageTooLarge):
            continue


def standing(row: Mapping[str, Any], run: str, reporter: Reporter) -> float:
    """How well an image went: higher is better."""
    kept = row["runs"][run]["rows"]
    boxes = kept.get(BOXES)
    if boxes:
        return float(min(boxes["iou"]))
    for key, metric in reporter.numbers[run].metrics.items():
        cells = metric.cells(kept[key]) if kept[key] is not None else {}
        numbers = [float(value) for value in cells.values() if isinstance(value, (int, float))]
        if numbers:
            return numbers[0] if metric.higher_is_better else -numbers[0]
    return inf


def case(row: Mapping[str, Any], run: str, spec: EvaluateSpec) -> Case:
    """Raises ImageUnreadable, ImageTooLarge."""
    mine = row["runs"][run]
    drawn, boxes = mine["drawn"], mine["rows"].get(BOXES)
    kept: dict[str, Any] = row["geometry"]
    geometry = replace(Geometry(**kept), scale=tuple(kept["scale"]), offset=tuple(kept["offset"]))
    decoded = decode(ImageItem(row["id"], row["image"], row["id"]), spec.geometry.max_pixels)
    pixels = to_rgb8(decoded.values, value_range(decoded.values, Intensity.parse(spec.geometry.intensity)))
    raw = np.array([[nan if value is None else value for value in line] for line in drawn["raw"]], np.float32)
    label, score, right = drawn["label"], None, None
    found: tuple[Xyxy, ...] = ()
    if boxes and label in boxes["labels"]:
        place = boxes["labels"].index(label)
        found = (tuple(boxes["box"][place]),) if boxes["box"][place] else ()
        score, right = boxes["iou"][place], boxes["right"][place]
    elif row["labels"] and row["predictions"]:
        right = row["predictions"][0] in row["labels"]
    photograph, overlay = thumbnails(pixels, heatmap(raw, geometry).heat, window(geometry))
    return Case(
        run,
        row["id"],
        label,
        tuple(row["predictions"] or ()),
        score,
        right,
        (*row["flags"], *drawn["flags"]),
        geometry.width,
        geometry.height,
        tuple(tuple(box[1:]) for box in row["boxes"] if box[0] == label),
        found,
        photograph,
        overlay,
    )
