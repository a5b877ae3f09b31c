"""A CSV file in memory, with its rows' numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from cam_cli.errors import DatasetUnreadable, InputEmpty, InputMissing


@dataclass(frozen=True)
class Table:
    """A table in memory. header: as written, stripped. rows: a row's number in the file, and a cell a column."""

    file: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]

    def column(self, *names: str) -> int | None:
        """Where the first of `names` is, blind to case. Raises DatasetUnreadable if two columns have that name."""
        folded = [name.casefold() for name in self.header]
        name = next((name for name in names if name in folded), None)
        if name is not None and folded.count(name) > 1:
            raise DatasetUnreadable(f"{self.file}: two columns are called {name!r}; rename one")
        return None if name is None else folded.index(name)

    def place(self, number: int) -> str:
        return f"{self.file}, row {number}"


def read_table(file: str) -> Table:
    """Raises InputMissing, InputEmpty, DatasetUnreadable."""
    rows: list[tuple[int, tuple[str, ...]]] = []
    number = 0
    try:
        with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            for cells in reader:
                number = reader.line_num
                if cells and rows and len(cells) != len(rows[0][1]):
                    raise DatasetUnreadable(
                        f"{file}, row {number}: {len(cells)} cells where the header has {len(rows[0][1])}; quote a "
                        "cell that holds a comma"
                    )
                if cells:
                    rows.append((number, tuple(cell.strip() for cell in cells)))
    except FileNotFoundError as error:
        raise InputMissing(f"{file}: no such file; check the path") from error
    except OSError as error:
        raise DatasetUnreadable(f"{file}: {error.strerror or error}; check its permissions") from error
    except csv.Error as error:
        raise DatasetUnreadable(f"{file}, row {number + 1}: {error}; export the table again") from error
    if len(rows) < 2:
        raise InputEmpty(f"{file}: no rows; a header and a row an image are wanted")
    return Table(file, rows[0][1], tuple(rows[1:]))


def read_header(file: str) -> list[str]:
    """The names of the columns, in lower case; none where there is no such file, or no table in it."""
    try:
        with open(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
            return [name.strip().casefold() for name in next(csv.reader(lines), [])]
    except (OSError, csv.Error):
        return []
