"""The JSON Schema of `camtool.result/1`, as `camtool schema result` prints it."""

from __future__ import annotations

from typing import Any

from cam_cli.errors import CamtoolError
from cam_cli.types import IMAGE_FLAGS, MAP_FLAGS

from .record import SCHEMA


def array(items: dict[str, Any], length: int | None = None) -> dict[str, Any]:
    bounds = {} if length is None else {"minItems": length, "maxItems": length}
    return {"type": "array", "items": items, **bounds}


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """An object with all these keys; fields may be added in later versions, so others are allowed."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def error_kinds() -> list[str]:
    """Every error kind, the tree's root and its inner nodes included, sorted."""
    kinds, left = set(), [CamtoolError]
    while left:
        one = left.pop()
        kinds.add(one.__name__)
        left += one.__subclasses__()
    return sorted(kinds)


STRING, INTEGER, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
CLASS = closed(
    {
        "index": INTEGER,
        "name": STRING,
        "wnid": or_null(STRING),
        "logit": or_null(NUMBER),
        "probability": or_null(NUMBER),
    }
)


def result_schema() -> dict[str, Any]:
    box = closed({"xyxy": array(NUMBER, 4), "score": or_null(NUMBER), "area": INTEGER})
    box["properties"]["mask"] = closed({"size": array(INTEGER, 2), "counts": STRING})  # only there with --masks
    one = closed(
        {
            "class": CLASS,
            "method": STRING,
            "layers": array(STRING),
            "grid": closed({"rows": INTEGER, "cols": INTEGER}),
            "raw_range": array(or_null(NUMBER), 2),
            "peak": or_null(array(INTEGER, 2)),
            "flags": array({"enum": list(MAP_FLAGS)}),
            "files": {"type": "object", "additionalProperties": STRING},
            "boxes": or_null(array(box)),
            "sign": {"enum": [1, -1]},
            "against": or_null(CLASS),
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        **closed(
            {
                "schema": {"const": SCHEMA},
                "id": STRING,
                "image": STRING,
                "model": STRING,
                "width": or_null(INTEGER),
                "height": or_null(INTEGER),
                "seen": or_null(array(NUMBER, 4)),
                "truth": or_null(CLASS),
                "correct": or_null({"type": "boolean"}),
                "flags": array({"enum": list(IMAGE_FLAGS)}),
                "predictions": array(CLASS),
                "maps": array(one),
                "error": or_null(closed({"kind": {"enum": error_kinds()}, "message": STRING})),
            }
        ),
    }
