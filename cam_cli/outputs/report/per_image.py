"""`per_image.csv`: a row an image and run, the columns of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cam_cli.outputs.record import csv_line, number

Row = Mapping[str, Any]
FIRST = ("id", "run", "class", "predicted", "correct", "error")
"""These columns, where there are any, stand in front; the others follow by name, whatever order they come in."""


def per_image(rows: Iterable[Row]) -> Iterator[bytes]:
    """The file in pieces, a line each, so that it costs no memory however many rows there are.

    rows: cells by column: numbers, texts, yes and no, or nothing; rows may differ in what they have. They are gone
    through twice, first for the columns: an iterator would be empty by then, so it is a TypeError. Without rows the
    file is a header of `id` and `run`.
    """
    if iter(rows) is rows:
        raise TypeError("per_image goes through its rows twice; give it a list, or an object that begins anew")
    names = {"id", "run"}.union(*rows)
    columns = [name for name in FIRST if name in names] + sorted(names.difference(FIRST))
    return lines(rows, columns)


def lines(rows: Iterable[Row], columns: list[str]) -> Iterator[bytes]:
    yield csv_line(tuple(columns))
    for row in rows:
        yield csv_line(tuple(cell(row.get(name)) for name in columns))


def cell(value: Any) -> Any:
    """Floats as in the records, to 6 significant digits; empty where not finite."""
    return number(value) if isinstance(value, float) else value
