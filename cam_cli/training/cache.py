"""Features of a frozen trunk on disk: computed once, read again every epoch, however many there are.

A folder: `features.json` says what they are of and how far they got; `view-N.f16` holds one grid (c, u, v) an image,
float16, one after the other. Files are only ever appended to, so that a full disk is an error and not a crash; they are
read through memory maps, so that memory is bounded by what a step needs.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from torch import Tensor

from cam_cli.errors import OutputFailed, OutputRefused
from cam_cli.outputs import atomic

SCHEMA = "camtool.features/1"
CONTENTS = "features.json"
LARGEST = float(np.finfo(np.float16).max)
Shape = tuple[int, ...]


@dataclass
class FeatureCache:
    """key: what the features depend on, in plain values. rows: of each view, how many images have it: all of the first,
    of the others those that are learnt from, which come first. shapes: of each view's grid, (c, u, v).

    done: so many images, from the first, are there. failed: of those, the error's kind and message by row.
    """

    folder: Path
    key: Mapping[str, Any]
    rows: tuple[int, ...]
    shapes: tuple[Shape, ...]
    done: int = 0
    failed: dict[int, tuple[str, str]] = field(default_factory=dict)
    maps: dict[int, np.memmap[Any, Any]] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, folder: Path, key: Mapping[str, Any], rows: Sequence[int], shapes: Sequence[Shape]) -> FeatureCache:
        """What is in `folder` already, if it depends on the same; else it begins anew.

        Raises OutputRefused for a folder of something else, OutputFailed where it cannot be written, or where there is
        not enough room.
        """
        check_folder(folder)
        cache = cls(folder, json.loads(json.dumps(key)), tuple(rows), tuple(map(tuple, shapes)))
        there = contents(folder)
        if there.get("key") == cache.key and cache.resumable(there):
            cache.done = int(there["done"])
            cache.failed = {int(row): (kind, message) for row, (kind, message) in there["failed"].items()}
        else:
            clear(folder)
        cache.check_room()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for view in range(len(rows)):
                with cache.path(view).open("ab") as file:
                    file.truncate(min(cache.done, rows[view]) * cache.row_bytes(view))
        except OSError as error:
            raise cache.failure(error) from error
        cache.note()
        return cache

    def resumable(self, there: Mapping[str, Any]) -> bool:
        """Are the files as long as they are said to be?"""
        if (there.get("rows"), there.get("shapes")) != ([*self.rows], [[*shape] for shape in self.shapes]):
            return False
        try:
            done = int(there["done"])
            sizes = [os.path.getsize(self.path(view)) for view in range(len(self.rows))]
        except (OSError, KeyError, ValueError):
            return False
        wanted = (min(done, rows) * self.row_bytes(view) for view, rows in enumerate(self.rows))
        return all(size >= least for size, least in zip(sizes, wanted, strict=True))

    @property
    def complete(self) -> bool:
        return self.done == self.rows[0]

    @property
    def bytes(self) -> int:
        """When it is complete."""
        return sum(rows * self.row_bytes(view) for view, rows in enumerate(self.rows))

    def row_bytes(self, view: int) -> int:
        return 2 * prod(self.shapes[view])

    def path(self, view: int) -> Path:
        return self.folder / f"view-{view}.f16"

    def check_room(self) -> None:
        """Raises OutputFailed where the disk has no room for what is to come."""
        there = next(one for one in (self.folder.absolute(), *self.folder.absolute().parents) if one.exists())
        written = sum(min(self.done, rows) * self.row_bytes(view) for view, rows in enumerate(self.rows))
        free = shutil.disk_usage(there).free
        if self.bytes - written > free:
            raise OutputFailed(
                f"features take {gigabytes(self.bytes - written)}, {there} has {gigabytes(free)} free; choose another "
                "--cache, fewer --views or a smaller --size"
            )

    def append(self, grids: Sequence[Sequence[Tensor | None]], failed: Mapping[int, tuple[str, str]]) -> None:
        """The next images: of each view its grids (c, u, v) in order, None in the place of an image that failed; then
        `failed`, by row. Values beyond those of float16 (±65504) are cut to them. Raises OutputFailed."""
        count = len(grids[0])
        try:
            for view, found in enumerate(grids):
                with self.path(view).open("ab") as file:
                    for grid in found[: max(0, self.rows[view] - self.done)]:
                        self.write(file, view, grid)
        except OSError as error:
            raise self.failure(error) from error
        self.done += count
        self.failed.update(failed)
        self.note()

    def write(self, file: BinaryIO, view: int, grid: Tensor | None) -> None:
        if grid is None:
            file.write(bytes(self.row_bytes(view)))
        else:
            file.write(grid.clamp(-LARGEST, LARGEST).to(torch.float16).contiguous().numpy().tobytes())

    def note(self) -> None:
        """Raises OutputFailed."""
        told = {
            "schema": SCHEMA,
            "key": self.key,
            "rows": self.rows,
            "shapes": self.shapes,
            "done": self.done,
            "failed": self.failed,
        }
        atomic.write(self.folder / CONTENTS, json.dumps(told).encode())

    def read(self, view: int, rows: Sequence[int]) -> Tensor:
        """float32 (b, c, u, v): the features of these images in one view."""
        if view not in self.maps:
            shape = (self.rows[view], *self.shapes[view])
            self.maps[view] = np.memmap(self.path(view), np.float16, "r", shape=shape)
        return torch.from_numpy(self.maps[view][list(rows)].astype(np.float32))

    def failure(self, error: OSError) -> OutputFailed:
        return OutputFailed(
            f"features cannot be written in {self.folder}: {error.strerror or error}; choose another --cache"
        )

    def remove(self) -> None:
        self.maps.clear()
        clear(self.folder)


def contents(folder: Path) -> dict[str, Any]:
    """What `features.json` says; nothing where there is none, or a torn one."""
    try:
        told = json.loads((folder / CONTENTS).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) and told.get("schema") == SCHEMA else {}


def check_folder(folder: Path) -> None:
    """Raises OutputRefused for a folder that holds something else, or is none."""
    if folder.is_dir():
        others = sorted(one.name for one in folder.iterdir())
        if others and not contents(folder):
            raise OutputRefused(f"{folder} holds other things ({others[0]}); features want a folder of their own")
    elif folder.exists():
        raise OutputRefused(f"{folder} is a file; features want a folder of their own")


def clear(folder: Path) -> None:
    """Removes the features in a folder, and the folder if nothing else is in it."""
    if contents(folder):
        for path in (*folder.glob("view-*.f16"), folder / CONTENTS):
            path.unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()


def gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 5e7 else f"{count / 1e6:.1f} MB"
