"""COCO's JSON file as lists of entries, each of which can say where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cam_cli.errors import DatasetUnreadable, InputMissing
from cam_cli.images.naming import safe_id, segments

from .annotation import NO_SIZE, SIZE_0
from .dataset import Notes
from .rows import Unique

Entry = dict[str, Any]


def load(file: str) -> Entry:
    try:
        with open(file, encoding="utf-8-sig") as stream:
            content = json.load(stream)
    except FileNotFoundError as error:
        raise InputMissing(f"{file}: no such file; check the path") from error
    except OSError as error:
        raise DatasetUnreadable(f"{file}: {error.strerror or error}; check its permissions") from error
    except (ValueError, RecursionError) as error:
        raise DatasetUnreadable(f"{file}: not JSON, or torn ({error}); fetch or export it again") from error
    if not isinstance(content, dict) or "images" not in content:
        raise DatasetUnreadable(
            f"{file}: no 'images' at its top; COCO's instances have images, annotations, categories"
        )
    return content


class Place(NamedTuple):
    """An entry of one of the lists, from 0, with its id where it has one."""

    file: str
    name: str
    number: int
    id: object = None

    def __str__(self) -> str:
        return f"{self.file}, {self.name}[{self.number}]" + (f" (id {self.id})" if self.id is not None else "")

    def error(self, what: str, hint: str = "correct that entry, or take it out") -> DatasetUnreadable:
        return DatasetUnreadable(f"{self}: {what}; {hint}")


def entries(file: str, content: Entry, name: str) -> Iterator[Entry]:
    """The objects of one of the lists; it is taken out of the content. Raises DatasetUnreadable."""
    found = content.pop(name, [])
    if not isinstance(found, list):
        raise DatasetUnreadable(f"{file}: '{name}' is no list; COCO's instances have a list there")
    for number, entry in enumerate(found):
        if not isinstance(entry, dict):
            raise Place(file, name, number).error("no object")
        yield entry


def plain(id: object) -> int | str | None:
    """An id, if it can be one."""
    return id if isinstance(id, int | str) and not isinstance(id, bool) else None


class Image(NamedTuple):
    """size: None where it has none, for the reason in `oddity`."""

    id: int | str
    file_name: str
    size: tuple[int, int] | None
    oddity: str


def pictures(file: str, content: Entry) -> Iterator[Image]:
    ids, names = Unique(), Unique()
    for number, entry in enumerate(entries(file, content, "images")):
        id, name = plain(entry.get("id")), entry.get("file_name")
        place = Place(file, "images", number, entry.get("id"))
        if id is None or not isinstance(name, str) or not name.strip():
            raise place.error("an image needs an id and a file_name")
        ids.claim(f"image id {id!r}", str(place))
        names.claim(safe_id(segments(name)), str(place))
        if entry.get("width") is None and entry.get("height") is None:
            yield Image(id, name, None, NO_SIZE)
            continue
        width, height = (finite(entry.get(side), place) for side in ("width", "height"))
        if width != int(width) or height != int(height):
            raise place.error(f"width and height are {width} and {height}; whole numbers are wanted")
        yield Image(id, name, (int(width), int(height)) if min(width, height) > 0 else None, SIZE_0)


def finite(value: object, place: Place) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12:
        return float(value)
    raise place.error(f"{value!r} stands where a number is wanted")


def categories(file: str, content: Entry, notes: Notes) -> dict[int | str | None, str]:
    found: dict[int | str | None, str] = {}
    for number, entry in enumerate(entries(file, content, "categories")):
        id, name = plain(entry.get("id")), entry.get("name")
        place = Place(file, "categories", number, entry.get("id"))
        if id is None or not isinstance(name, str) or not name.strip():
            raise place.error("a category needs an id and a name")
        if id in found:
            raise place.error("another category has this id")
        if name in found.values():
            notes.add("category with the name of another; they count as one", str(place))
        found[id] = name
    return found
