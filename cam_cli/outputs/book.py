"""`results.jsonl` and `results.csv`: a record at a time, in input order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from cam_cli.errors import OutputFailed

from .folder import RESULTS, TABLE, Folder
from .record import COLUMNS, csv_line, csv_lines, json_line

Line = Callable[[dict[str, Any]], bytes]


class Book:
    """Both files of a folder; every record is flushed, so that a run that is cut off leaves what it did."""

    def __init__(self, files: list[tuple[BinaryIO, Line]]):
        self.files = files

    @classmethod
    def open(cls, folder: Folder | None) -> Book:
        """Opens the files of a folder that is ready; without a folder, records are not kept. Raises OutputFailed."""
        if folder is None:
            return cls([])
        try:
            table = (folder.path / TABLE).open("wb")
            table.write(csv_line(COLUMNS))
            results = (folder.path / RESULTS).open("wb")
        except OSError as error:
            raise OutputFailed(f"cannot write in {folder.path}: {error.strerror or error}") from error
        return cls([(results, json_line), (table, csv_lines)])

    def add(self, record: dict[str, Any]) -> None:
        """Raises OutputFailed."""
        for file, line in self.files:
            try:
                file.write(line(record))
                file.flush()
            except OSError as error:
                raise OutputFailed(f"cannot write {file.name}: {error.strerror or error}") from error

    def __enter__(self) -> Book:
        return self

    def __exit__(self, *error: object) -> None:
        for file, _ in self.files:
            file.close()
