"""Where the records of a run go, one by one, in input order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cam_cli.outputs.book import Book
from cam_cli.outputs.destination import Written
from cam_cli.outputs.exporting import Exports
from cam_cli.outputs.folder import Folder, named
from cam_cli.outputs.record import LEFT_OUT_SCHEMA, left_out
from cam_cli.types import LeftOut

from .listener import Listener
from .summary import Summary


@dataclass(frozen=True)
class Keeper:
    """Records are results, as `record.result` makes them, or entries of what was left out. folder: None where they are
    not kept."""

    folder: Folder | None
    book: Book
    exports: Exports
    summary: Summary
    listener: Listener

    def put(self, done: Written | LeftOut, place: int) -> None:
        """What this run did, and now tells. place: among the results of the whole run. Raises as `again`."""
        if isinstance(done, LeftOut):
            self.add(left_out(done, place))
            self.listener.left_out(done.item.path, done.correct)
        else:
            self.add(done.record)
            self.listener.result(done.record, done.paths, done.data)

    def again(self, record: dict[str, Any]) -> None:
        """What an earlier run did and told. Raises OutputRefused where this run has given the name of a file to another
        result, and what books and exports raise."""
        if self.folder:
            for name in named(record):
                self.folder.claim(name)
        self.add(record)

    def add(self, record: dict[str, Any], beside: Path | None = None) -> None:
        """beside: of `Exports.add`."""
        if record["schema"] == LEFT_OUT_SCHEMA:
            self.book.leave(record)
            self.summary.leave(record["correct"])
            return
        self.book.add(record)
        self.exports.add(record, beside)
        self.summary.add(record)

    def finish(self) -> None:
        """The files that exports write once. Raises OutputFailed, OutputRefused."""
        for text in self.exports.finish():
            self.listener.note("export", text)
