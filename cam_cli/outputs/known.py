"""What earlier runs of a folder did, and still stands: it need not be done again.

A run with --resume writes `results.jsonl` (`rows.jsonl`) anew, in input order, so what stands is first set aside in
`earlier.jsonl`, as a whole or not at all; that goes when the run is over. Whenever one is killed, everything it or the
runs before it did is in one of the two.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from cam_cli.errors import OutputFailed

from . import atomic, record, rows
from .folder import EARLIER, LEFT_OUT, below, named
from .lines import whole_lines

SCHEMAS = (record.SCHEMA, record.LEFT_OUT_SCHEMA, rows.SCHEMA)
NOWHERE = -1


class Known:
    """Records by place: position of the image in the listing × models + position of the model. Of each only where it
    begins in the file is held in memory. A context, which closes the file."""

    def __init__(self, file: BinaryIO | None, begins: Sequence[int]):
        self.file, self.begins = file, begins

    @classmethod
    def nothing(cls) -> Known:
        return cls(None, ())

    @classmethod
    def gather(cls, folder: Path, records: str, ids: Sequence[str], models: Sequence[str]) -> Known:
        """Sets aside what stands in an output folder: of images in the listing and models of the run, without an error,
        its files still there. records: the name of the file that has it. What remains of results that do not stand goes
        away.

        Raises OutputFailed.
        """
        try:
            return cls.set_aside(folder, standing(folder, records, ids, models))
        except OSError as error:
            raise OutputFailed(f"cannot read what is in {folder}: {error.strerror or error}") from error

    @classmethod
    def set_aside(cls, folder: Path, found: Found) -> Known:
        begins, end = array("q", [NOWHERE]) * len(found.begins), 0

        def lines() -> Iterator[bytes]:
            nonlocal end
            for place, begin in enumerate(found.begins):
                if begin != NOWHERE:
                    begins[place] = end
                    line = found.line(place)
                    end += len(line)
                    yield line

        with found:
            atomic.write(folder / EARLIER, lines())
        return cls((folder / EARLIER).open("rb"), begins)

    def __contains__(self, place: object) -> bool:
        return isinstance(place, int) and place < len(self.begins) and self.begins[place] != NOWHERE

    def __len__(self) -> int:
        return sum(begin != NOWHERE for begin in self.begins)

    def between(self, start: int, stop: int | None = None) -> Iterator[int]:
        """The known places of a range, without `stop` all from `start` on."""
        for place in range(start, len(self.begins) if stop is None else min(stop, len(self.begins))):
            if self.begins[place] != NOWHERE:
                yield place

    def __getitem__(self, place: int) -> dict[str, Any]:
        """The record of a known place. Raises OutputFailed."""
        assert self.file
        try:
            self.file.seek(self.begins[place])
            return dict(json.loads(self.file.readline()))
        except OSError as error:
            raise OutputFailed(f"cannot read {self.file.name}: {error.strerror or error}") from error

    def remove(self) -> None:
        """What was set aside, once it is written again. Raises OutputFailed."""
        if self.file:
            try:
                Path(self.file.name).unlink(missing_ok=True)
            except OSError as error:
                raise OutputFailed(f"cannot remove {self.file.name}: {error.strerror or error}") from error

    def __enter__(self) -> Known:
        return self

    def __exit__(self, *error: object) -> None:
        if self.file:
            self.file.close()


class Found:
    """Where the records that stand are, in the files that earlier runs left. A context, which closes them."""

    def __init__(self, paths: Sequence[Path], places: int):
        self.files = [path.open("rb") for path in paths if path.exists()]
        self.begins = array("q", [NOWHERE]) * places
        self.sources = array("b", [0]) * places

    def line(self, place: int) -> bytes:
        file = self.files[self.sources[place]]
        file.seek(self.begins[place])
        return file.readline()

    def __enter__(self) -> Found:
        return self

    def __exit__(self, *error: object) -> None:
        for file in self.files:
            file.close()


def standing(folder: Path, records: str, ids: Sequence[str], models: Sequence[str]) -> Found:
    """Of two records of a place the later one counts."""
    found = Found([folder / name for name in (EARLIER, records, LEFT_OUT)], len(ids) * len(models))
    images = {id: position for position, id in enumerate(ids)}
    order = {model: position for position, model in enumerate(models)}
    for source, file in enumerate(found.files):
        for begin, line in whole_lines(Path(file.name)):
            one = parsed(line)
            image, model = images.get(str(one.get("id"))), order.get(str(one.get("model")))
            if image is not None and model is not None and stands(folder, one):
                place = image * len(models) + model
                found.begins[place], found.sources[place] = begin, source
    return found


def parsed(line: bytes) -> Mapping[str, Any]:
    """The object of a line, empty where it is none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def stands(folder: Path, one: Mapping[str, Any]) -> bool:
    """Whether an image was done and its files are there; where only some are, the others go."""
    if one.get("schema") not in SCHEMAS or one.get("error") is not None:
        return False
    try:
        paths = [below(folder, name) for name in named(one)]
    except (KeyError, TypeError, AttributeError):
        return False
    if all(path is not None and path.is_file() for path in paths):
        return True
    for path in filter(None, paths):
        path.unlink(missing_ok=True)
    return False
