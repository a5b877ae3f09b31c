"""Rows of a text file of annotations, each of which can say where it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from cam_cli.errors import DatasetUnreadable, InputMissing

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
"""What Python's float takes, less NaN, infinity and `1_0`."""


class Row(NamedTuple):
    """number: from 1, blank lines counted. text: without the end of the line."""

    file: str
    number: int
    text: str

    @property
    def place(self) -> str:
        return f"{self.file}, row {self.number}"

    def cells(self, layout: str, separator: str | None = None, wide: bool = False) -> list[str]:
        """The cells that `layout` names (words with spaces between), stripped; the first is never empty.

        separator: None for white space. wide: the last cell is the rest of the row, as it is. Raises DatasetUnreadable.
        """
        names = layout.split()
        found = [cell.strip() for cell in self.text.split(separator, len(names) - 1 if wide else -1)]
        if len(found) != len(names):
            wanted = (separator or " ").join(names)
            raise DatasetUnreadable(
                f"{self.place}: {len(found)} cells where {len(names)} are wanted; a row is {wanted}"
            )
        if not found[0]:
            raise DatasetUnreadable(f"{self.place}: the {names[0]} is empty; a row is {(separator or ' ').join(names)}")
        return found


def read_rows(file: str, wanted: str) -> Iterator[Row]:
    """The rows of a text file, UTF-8, less blank ones. wanted: what the file is for, said where it is not there.

    Raises InputMissing, DatasetUnreadable.
    """
    try:
        with open(file, encoding="utf-8-sig", errors="surrogateescape") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield Row(file, number, line.rstrip("\r\n"))
    except FileNotFoundError as error:
        raise InputMissing(f"{file}: no such file; {wanted}") from error
    except OSError as error:
        raise DatasetUnreadable(f"{file}: {error.strerror or error}; check its permissions") from error


def decimal(text: str, name: str, place: str) -> float:
    """A finite number. name: what it is. Raises DatasetUnreadable."""
    value = float(text) if NUMBER.fullmatch(text.strip()) else float("inf")
    if abs(value) == float("inf"):
        raise DatasetUnreadable(f"{place}: {name} is {text!r}; a number is wanted")
    return value


def whole(text: str, name: str, place: str) -> int:
    """A whole number, `500.0` being one. Raises DatasetUnreadable."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    value = decimal(text, name, place)
    if value != int(value):
        raise DatasetUnreadable(f"{place}: {name} is {text!r}; a whole number is wanted")
    return int(value)


class Unique:
    """Remembers where each id was met."""

    def __init__(self) -> None:
        self._places: dict[str, str] = {}

    def __contains__(self, id: str) -> bool:
        return id in self._places

    def claim(self, id: str, place: str) -> str:
        """The id. Raises DatasetUnreadable where it was met before."""
        if id in self._places:
            raise DatasetUnreadable(f"{place}: {id} was there before, in {self._places[id]}; an image is listed once")
        self._places[id] = place
        return id
