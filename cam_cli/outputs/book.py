"""`results.jsonl` and `results.csv`, and `left_out.jsonl` of what `--only` passes by: line by line, in input order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Any

from .folder import LEFT_OUT, RESULTS, TABLE, Folder
from .lines import Lines
from .record import COLUMNS, csv_line, csv_lines, json_line

Written = tuple[Lines, Callable[[dict[str, Any]], bytes]]


class Book:
    """A context. The records of a folder; without a folder, they are not kept."""

    def __init__(self, records: Sequence[Written], left_out: Lines | None):
        self.records, self.left_out = records, left_out

    @classmethod
    def open(cls, folder: Folder | None, only: bool = False) -> Book:
        """Opens the files of a folder that is ready; only: whether images may be left out. Raises OutputFailed."""
        if folder is None:
            return cls([], None)
        with ExitStack() as opened:
            results, table = (opened.enter_context(closing(Lines(folder.path / name))) for name in (RESULTS, TABLE))
            left_out = opened.enter_context(closing(Lines(folder.path / LEFT_OUT))) if only else None
            table.add(csv_line(COLUMNS))
            opened.pop_all()  # they stay open
        return cls([(results, json_line), (table, csv_lines)], left_out)

    def add(self, record: dict[str, Any]) -> None:
        """Raises OutputFailed."""
        for file, line in self.records:
            file.add(line(record))

    def leave(self, entry: dict[str, Any]) -> None:
        """What `record.left_out` made. Raises OutputFailed."""
        if self.left_out:
            self.left_out.add(json_line(entry))

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *error: object) -> None:
        for file in (*(file for file, _ in self.records), self.left_out):
            if file:
                file.close()
