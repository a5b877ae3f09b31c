"""What an image's true class is called: after its folder, in a table, or the same for all."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cam_cli.errors import InputEmpty, InputMissing, InputUnreadable

from .listing import Listing
from .lists import TABLE_SUFFIXES, read_columns
from .naming import listed_id, safe_id, segments

Called = Callable[[str, str], tuple[str, ...]]
"""An image's id and path → what its class may be called, best first, as `--class` takes it; nothing if nobody says."""

PATH, CLASS = ("path", "id", "image", "file"), ("class", "truth", "label")
LEADING_WNID = re.compile(r"(n\d{8})([-_ .].*)?")


def read_truth(text: str, listing: Listing) -> Called:
    """A value of `--truth`: `folder`, a `.csv` or `.jsonl`, or one class for all; listing: all images of the inputs.

    Raises InputMissing, InputUnreadable, and InputEmpty for a table that names none of the images.
    """
    if text.casefold() == "folder":
        return named_by_folder
    if not text.lower().endswith(TABLE_SUFFIXES):
        return lambda id, path: (text,)
    if not os.path.isfile(text):
        raise InputMissing(f"--truth {text}: no such file; check the path")
    return Table.read(text, listing).find


def named_by_folder(id: str, path: str) -> tuple[str, ...]:
    """The names of the folders an image lies in, the nearest first, up to the one that was the input.

    A folder is named as its class or by its WNID, more words after that or not (`n02123045`, `n02123045-tabby`); never
    by an index.
    """
    if path == "-":
        return ()
    folders = segments(os.path.dirname(os.path.abspath(path)))[::-1][: id.count("/") + 1]
    return tuple(spelling for folder in folders for spelling in spellings(folder))


def spellings(folder: str) -> Iterator[str]:
    if match := LEADING_WNID.fullmatch(folder):
        yield f"wnid:{match[1]}"
    yield f"name:{folder}"


@dataclass(frozen=True)
class Table:
    """True classes by the ids and absolute paths of a table's rows (`rows`), and by file names (`names`) that only one
    row and only one image have."""

    rows: dict[str, str]
    names: dict[str, str]

    @classmethod
    def read(cls, table: str, listing: Listing) -> Table:
        """Raises InputUnreadable for a table that is malformed or gives an image two classes, InputEmpty for one that
        names no image of the listing."""
        base = os.path.dirname(table) or os.curdir
        rows: dict[str, str] = {}
        for path, called in read_columns(table, PATH, CLASS):
            for key in (listed_id(path, base), os.path.abspath(os.path.join(base, path))):
                if rows.setdefault(key, called) != called:
                    raise InputUnreadable(
                        f"{table}: {path} has two classes, {rows[key]!r} and {called!r}; an image has one true class"
                    )
        written = {key: os.path.basename(key) for key in rows if os.path.isabs(key)}
        counts = Counter(written.values()), Counter(map(os.path.basename, listing.ids))
        names = {name: rows[key] for key, name in written.items() if all(count[name] == 1 for count in counts)}
        found = cls(rows, names)
        if not any(found.find(id, path) for id, path in zip(listing.ids, listing.paths, strict=True)):
            first = next((key for key in rows if not os.path.isabs(key)), "no row")
            raise InputEmpty(
                f"--truth {table} gives no class of an image here (its first row: {first}; the first image: "
                f"{listing.paths[0]}); rows are matched by id, path, or a file name that is there once"
            )
        return found

    def find(self, id: str, path: str) -> tuple[str, ...]:
        """By id, by path as typed, by absolute path, then by file name."""
        for key in (id, safe_id(segments(path)), os.path.abspath(path)):
            if key in self.rows:
                return tuple(filter(None, [self.rows[key].strip()]))
        return tuple(filter(None, [self.names.get(os.path.basename(id), "").strip()]))
