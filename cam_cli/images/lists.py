"""Paths out of a list: a `.csv` or `.jsonl` with a `path` column, or the bytes of stdin, told from an image."""

import csv
import json
import os
import re
from collections.abc import Iterator

from cam_cli.errors import InputUnreadable

TABLE_SUFFIXES = (".csv", ".jsonl")
MAGIC = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|BM|II[*+]\0|MM\0[*+]|RIFF....WEBP|\0\0\0\x0cjP  |....ftypavi|P[1-7]\s",
    re.DOTALL,
)


def is_image(data: bytes) -> bool:
    """Whether bytes are an image rather than a list of paths: they begin as one, and hold a NUL early on.

    The second half is what keeps a list that begins with `BMW/1.jpg` a list.
    """
    return MAGIC.match(data) is not None and b"\0" in data[:4096]


def read_lines(data: bytes, nul: bool) -> list[str]:
    """The paths of a list, one a line, or NUL-separated with `nul`; blank ones are dropped, spaces kept."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not nul and b"\0" in data:
        raise InputUnreadable(
            "stdin is neither an image nor a list of paths, a line each; with NULs between paths, add -0"
        )
    if nul:
        return [os.fsdecode(entry) for entry in data.split(b"\0") if entry]
    return [os.fsdecode(line) for entry in data.split(b"\n") if (line := entry.removesuffix(b"\r")).strip()]


def read_table(table: str) -> Iterator[str]:
    """The `path` of each row of a `.csv` or `.jsonl`, as written. Raises InputUnreadable with file and row."""
    return (path for (path,) in read_columns(table, ("path",)))


Column = tuple[str, ...]
"""The names that a column may have; the first that is there counts."""


def read_columns(table: str, *columns: Column) -> Iterator[tuple[str, ...]]:
    """Of each row of a `.csv` or `.jsonl` the cells of these columns, as written.

    The first cell is never empty; others are, where a cell is empty or null, and in `.jsonl` where a row lacks it or
    holds no text or whole number. Raises InputUnreadable with file and row.
    """
    rows = _csv_rows if table.lower().endswith(".csv") else _jsonl_rows
    try:
        with open(table, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from rows(table, file, columns)
    except OSError as error:
        raise InputUnreadable(f"{table}: {error.strerror or error}; check its permissions") from error


def _csv_rows(table: str, lines: Iterator[str], columns: tuple[Column, ...]) -> Iterator[tuple[str, ...]]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        places = []
        for names in columns:
            name = next((name for name in names if name in header), "")
            if header.count(name) != 1:
                found = ", ".join(header) or "none"
                raise InputUnreadable(
                    f"{table}: the first row must name one column {_either(names)} (columns found: {found})"
                )
            places.append(header.index(name))
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise InputUnreadable(
                    f"{table}, row {reader.line_num}: {len(row)} cells where the header has {len(header)};"
                    " quote a cell that holds a comma"
                )
            if not row[places[0]].strip():
                raise InputUnreadable(f"{table}, row {reader.line_num}: the {header[places[0]]} is empty")
            yield tuple(row[place] for place in places)
    except csv.Error as error:
        raise InputUnreadable(f"{table}, row {reader.line_num}: {error}") from error


def _jsonl_rows(table: str, lines: Iterator[str], columns: tuple[Column, ...]) -> Iterator[tuple[str, ...]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputUnreadable(f"{table}, row {number}: not JSON ({error}); one object a line is needed") from error
        given = row if isinstance(row, dict) else {}
        cells = [next((given[name] for name in names if name in given), None) for names in columns]
        if not isinstance(cells[0], str) or not cells[0].strip():
            raise InputUnreadable(f"{table}, row {number}: no {_either(columns[0])} with a text in it")
        yield tuple(str(cell) if isinstance(cell, str | int) and not isinstance(cell, bool) else "" for cell in cells)


def _either(names: Column) -> str:
    """`'path'`, or `'path' (or id, image)`."""
    return f"'{names[0]}'" + (f" (or {', '.join(names[1:])})" if names[1:] else "")
