"""The JSON object of one image, `camtool.result/1`, and its lines in `results.jsonl` and `results.csv`."""

from __future__ import annotations

import csv
import json
import math
from io import StringIO
from typing import Any

from cam_cli.types import Box, Explanation, Failure, LeftOut, Prediction

from .kind import Drawn

SCHEMA = "camtool.result/1"
LEFT_OUT_SCHEMA = "camtool.left_out/1"
COLUMNS = (
    "id", "image", "width", "height", "class_index", "class_name", "class_wnid", "logit", "probability",
    "method", "layers", "rows", "cols", "raw_min", "raw_max", "peak_x", "peak_y", "flags", "files",
    "truth_index", "truth_name", "correct", "sign", "against_index", "against_name", "model",
)  # fmt: skip


def result(explanation: Explanation, drawn: tuple[Drawn, ...], files: list[dict[str, str]]) -> dict[str, Any]:
    """An explained image. files: for each map, kind to path."""
    item, geometry = explanation.item, explanation.geometry
    return {
        "schema": SCHEMA,
        "id": item.id,
        "image": item.path,
        "model": item.model,
        "width": geometry.width,
        "height": geometry.height,
        "seen": [number(edge, 6) for edge in geometry.seen],
        "truth": explanation.truth and prediction(explanation.truth),
        "correct": explanation.correct,
        "flags": list(explanation.flags),
        "predictions": [prediction(one) for one in explanation.predictions],
        "maps": [mapped(one, names) for one, names in zip(drawn, files, strict=True)],
        "error": None,
    }


def failed(failure: Failure) -> dict[str, Any]:
    """An image that could not be done: the same keys."""
    empty = dict.fromkeys(("width", "height", "seen", "truth", "correct"))
    return {
        "schema": SCHEMA,
        "id": failure.item.id,
        "image": failure.item.path,
        "model": failure.item.model,
        **empty,
        "flags": [],
        "predictions": [],
        "maps": [],
        "error": {"kind": failure.kind, "message": failure.message},
    }


def left_out(one: LeftOut, place: int) -> dict[str, Any]:
    """What is kept of an image that `--only` passes by. place: among the results of the whole run, from 0."""
    return {
        "schema": LEFT_OUT_SCHEMA,
        "id": one.item.id,
        "image": one.item.path,
        "model": one.item.model,
        "correct": one.correct,
        "place": place,
    }


def mapped(one: Drawn, files: dict[str, str]) -> dict[str, Any]:
    raw = one.map.raw
    return {
        "class": prediction(one.map.target),
        "method": one.map.method,
        "layers": list(one.map.layers),
        "grid": {"rows": raw.shape[0], "cols": raw.shape[1]},
        "raw_range": [number(float(raw.min())), number(float(raw.max()))],
        "peak": list(one.heatmap.peak) if one.heatmap.peak else None,
        "flags": list(one.flags),
        "files": files,
        "boxes": None if one.regions is None else boxes(one),
        "sign": one.map.sign,
        "against": one.map.against and prediction(one.map.against),
    }


def boxes(one: Drawn) -> list[dict[str, Any]]:
    """With their masks, where those are asked for."""
    assert one.regions is not None
    masks = [{"mask": mask} for mask in one.masks] or [{}] * len(one.regions.boxes)
    return [box(found) | mask for found, mask in zip(one.regions.boxes, masks, strict=True)]


def box(one: Box) -> dict[str, Any]:
    """Half-open x0, y0, x1, y1 in pixels of the upright original; what its score and area are: `types.Box`."""
    return {"xyxy": [number(edge) for edge in one.xyxy], "score": number(one.score), "area": one.area}


def prediction(one: Prediction) -> dict[str, Any]:
    return {
        "index": one.index,
        "name": one.name,
        "wnid": one.wnid,
        "logit": number(one.logit),
        "probability": number(one.probability),
    }


def number(value: float, digits: int = 6) -> float | int | None:
    """`value` to so many significant digits, which is what float32 holds; null where it is not finite."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 10**digits else short


def json_line(record: dict[str, Any]) -> bytes:
    """One line of UTF-8."""
    return json_bytes(record) + b"\n"


def json_bytes(value: Any) -> bytes:
    """UTF-8 without a line break. File names that are not UTF-8 are escaped, as JSON allows, so nothing is lost."""
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False).encode()


def csv_lines(record: dict[str, Any]) -> bytes:
    """A line a map."""
    return b"".join(csv_line(row) for row in map_rows(record))


def csv_line(row: tuple[Any, ...]) -> bytes:
    buffer = StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(row)
    return buffer.getvalue().encode("utf-8", "surrogateescape")


def map_rows(record: dict[str, Any]) -> list[tuple[Any, ...]]:
    """In the order of COLUMNS; several layers are joined with +, flags and files with spaces and semicolons."""
    return [
        (
            record["id"], record["image"], record["width"], record["height"],
            *one["class"].values(), one["method"], "+".join(one["layers"]), *one["grid"].values(), *one["raw_range"],
            *(one["peak"] or (None, None)), " ".join(one["flags"]), ";".join(one["files"].values()),
            *named(record["truth"]), record["correct"], one["sign"], *named(one["against"]), record["model"],
        )
        for one in record["maps"]
    ]  # fmt: skip


def named(one: dict[str, Any] | None) -> tuple[Any, Any]:
    """Index and name of a class, or two empty cells."""
    return (one["index"], one["name"]) if one else (None, None)
