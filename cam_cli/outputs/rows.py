"""`rows.jsonl`: what `evaluate` keeps of each image and model, so that every number is a fold over this file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cam_cli.errors import ReportUnreadable

from .folder import ROWS
from .lines import Lines, whole_lines
from .record import json_line

SCHEMA = "camtool.row/1"


class RowBook:
    """A context. The rows of a folder that is ready."""

    def __init__(self, folder: Path):
        """Raises OutputFailed."""
        self.lines = Lines(folder / ROWS)

    def add(self, row: Mapping[str, Any]) -> None:
        """Raises OutputFailed."""
        self.lines.add(json_line({"schema": SCHEMA, **row}))

    def __enter__(self) -> RowBook:
        return self

    def __exit__(self, *error: object) -> None:
        self.lines.close()


def read_rows(folder: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of an evaluation's folder, in their order; a torn last line is left out. Raises ReportUnreadable."""
    path = Path(folder, ROWS)
    try:
        path.stat()
        for number, (_, line) in enumerate(whole_lines(path), 1):
            row = parsed(line)
            if row is None:
                raise ReportUnreadable(f"{path}, row {number}: not a row of `camtool evaluate`; run it again")
            yield row
    except OSError as error:
        raise ReportUnreadable(
            f"{path}: {error.strerror or error}; name the output folder of `camtool evaluate`"
        ) from error


def parsed(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and row.get("schema") == SCHEMA else None
