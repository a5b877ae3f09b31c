"""`rows.jsonl`: what `evaluate` keeps of each image and model, so that every number is a fold over this file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from cam_cli.errors import OutputFailed, ReportUnreadable

from .record import json_line

ROWS = "rows.jsonl"
SCHEMA = "camtool.row/1"


class RowBook:
    """Every row is flushed, so that a run that is cut off leaves what it did."""

    def __init__(self, file: BinaryIO):
        self.file = file

    @classmethod
    def open(cls, folder: Path) -> RowBook:
        """Raises OutputFailed."""
        try:
            return cls((folder / ROWS).open("wb"))
        except OSError as error:
            raise OutputFailed(f"cannot write in {folder}: {error.strerror or error}") from error

    def add(self, row: Mapping[str, Any]) -> None:
        """Raises OutputFailed."""
        try:
            self.file.write(json_line({"schema": SCHEMA, **row}))
            self.file.flush()
        except OSError as error:
            raise OutputFailed(f"cannot write {self.file.name}: {error.strerror or error}") from error

    def __enter__(self) -> RowBook:
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()


def read_rows(folder: str | Path) -> Iterator[dict[str, Any]]:
    """The rows of an evaluation's folder, in their order; a torn last line is left out. Raises ReportUnreadable."""
    path = Path(folder, ROWS)
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.endswith(b"\n"):
                    return
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
