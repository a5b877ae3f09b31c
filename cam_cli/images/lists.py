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
    rows = _csv_rows if table.lower().endswith(".csv") else _jsonl_rows
    try:
        with open(table, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from rows(table, file)
    except OSError as error:
        raise InputUnreadable(f"{table}: {error.strerror or error}; check its permissions") from error


def _csv_rows(table: str, lines: Iterator[str]) -> Iterator[str]:
    reader = csv.reader(lines, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if header.count("path") != 1:
            found = ", ".join(header) or "none"
            raise InputUnreadable(f"{table}: the first row must name one column 'path' (columns found: {found})")
        column = header.index("path")
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise InputUnreadable(
                    f"{table}, row {reader.line_num}: {len(row)} cells where the header has {len(header)};"
                    " quote a cell that holds a comma"
                )
            if not row[column].strip():
                raise InputUnreadable(f"{table}, row {reader.line_num}: the path is empty")
            yield row[column]
    except csv.Error as error:
        raise InputUnreadable(f"{table}, row {reader.line_num}: {error}") from error


def _jsonl_rows(table: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputUnreadable(f"{table}, row {number}: not JSON ({error}); one object a line is needed") from error
        path = row.get("path") if isinstance(row, dict) else None
        if not isinstance(path, str) or not path.strip():
            raise InputUnreadable(f"{table}, row {number}: no 'path' with a text in it")
        yield path
