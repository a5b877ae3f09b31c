"""`report.json`: everything, keys in the schema's order, one line a number list; and `canonical`, which the other
formats start from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cam_cli.outputs.record import number

from .schema import report_schema

PLAIN = {int, str, bool, type(None)}
"""What stays as it is."""


def document(report: dict[str, Any]) -> bytes:
    """`timing` comes last: what stands before it depends on nothing but the report's other values.

    Text that is not UTF-8 (a file name's stray bytes) makes the whole document escape what is not ASCII, as JSON
    allows, so that nothing is lost.
    """
    whole = canonical(report)
    try:
        return "".join(pieces(whole, "\n", ascii=False)).encode() + b"\n"
    except UnicodeEncodeError:
        return "".join(pieces(whole, "\n", ascii=True)).encode() + b"\n"


def canonical(report: dict[str, Any]) -> dict[str, Any]:
    """A report with its keys in the schema's order (what the schema does not know comes after, as it came) and its
    floats as records have them: 6 significant digits, null where not finite. A new value; twice is the same as once."""
    whole: dict[str, Any] = ordered(report, report_schema())
    return whole


def ordered(value: Any, schema: dict[str, Any]) -> Any:
    schema = next((one for one in schema.get("anyOf", ()) if one != {"type": "null"}), schema)
    if isinstance(value, dict):
        known, other = schema.get("properties", {}), schema.get("additionalProperties", {})
        keys = [key for key in known if key in value] + [key for key in value if key not in known]
        return {key: ordered(value[key], known.get(key, other)) for key in keys}
    if isinstance(value, (list, tuple)):
        items = schema.get("items", {})
        return [one if type(one) in PLAIN else ordered(one, items) for one in value]
    return number(value) if isinstance(value, float) else value


def pieces(value: Any, line: str, ascii: bool) -> Iterator[str]:
    """JSON indented by one space; a list without lists or objects in it stays on one line. line: a line break and the
    indentation where `value` stands."""
    if isinstance(value, dict) and value:
        for index, (key, one) in enumerate(value.items()):
            yield ("," if index else "{") + line + " " + json.dumps(key, ensure_ascii=ascii) + ": "
            yield from pieces(one, line + " ", ascii)
        yield line + "}"
    elif isinstance(value, list) and any(isinstance(one, (dict, list)) for one in value):
        for index, one in enumerate(value):
            yield ("," if index else "[") + line + " "
            yield from pieces(one, line + " ", ascii)
        yield line + "]"
    else:
        yield json.dumps(value, ensure_ascii=ascii, allow_nan=False)
