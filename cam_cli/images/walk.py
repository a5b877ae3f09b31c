"""The image files below a folder: sorted, without loops, and without the folders that camtool itself has written."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import NamedTuple

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".gif", ".webp"),
    *(".tif", ".tiff", ".jp2", ".avif", ".pbm", ".pgm", ".ppm", ".pnm"),
)
"""What OpenCV decodes in every wheel since 4.12. Only folders and globs go by the suffix; a named file is tried."""

RUN_SCHEMA = re.compile(rb'"schema"\s*:\s*"camtool\.run/')


class Found(NamedTuple):
    """A file below the root, or a folder there that could not be read (`error` says why).

    below: its path below the root, POSIX; empty for the root itself. path: where to read it.
    """

    below: str
    path: str
    error: str | None = None


class Pattern:
    """The wildcard part of a glob, matched against the parts of a path below the glob's root.

    `*`, `?` and `[…]` stay within a part, `**` spans any number of them. A folder that is matched stands for what is
    in it, as on a shell's command line, unless the pattern has a `**` and so says itself how deep it reaches.
    """

    def __init__(self, text: str = "**"):
        self.parts = tuple(part for part in text.split("/") if part not in ("", "."))
        self.deep = self.parts.index("**") if "**" in self.parts else None

    def takes(self, path: tuple[str, ...]) -> bool:
        """Whether the file at `path` belongs to the match."""
        if self.parts == ("**",):
            return True
        return _matches(path if self.deep is not None else path[: len(self.parts)], self.parts)

    def enters(self, path: tuple[str, ...]) -> bool:
        """Whether anything below the folder at `path` may belong to the match; elsewhere nobody need look."""
        fixed = self.parts[: self.deep]
        return all(fnmatchcase(part, pattern) for part, pattern in zip(path, fixed, strict=False))


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[start:], pattern[1:]) for start in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


def is_image_name(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in SUFFIXES


def is_run(folder: str) -> bool:
    """Whether `folder` holds the `run.json` of a camtool run. The schema is its first key."""
    try:
        with open(os.path.join(folder, "run.json"), "rb") as file:
            return RUN_SCHEMA.search(file.read(4096)) is not None
    except OSError:
        return False


@dataclass
class Walk:
    """Walks folders and keeps count of what it passes by.

    output: the folder this run writes to, never entered. others: files that are no images. outputs, loops: folders
    not entered.
    """

    output: str | None = None
    others: int = 0
    outputs: list[str] = field(default_factory=list)
    loops: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._output = _identity(self.output) if self.output and os.path.isdir(self.output) else None

    def is_output(self, folder: str) -> bool:
        return (self._output is not None and _identity(folder) == self._output) or is_run(folder)

    def files(self, root: str, pattern: Pattern) -> Iterator[Found]:
        """The images below `root` that `pattern` takes, in name order, folders and files in one sequence.

        Symbolic links to folders are followed, except to a folder that holds the link itself. A stack instead of
        recursion: Python's limit is below the depth a path can have.
        """
        stack = [(iter([("", root, True)]), frozenset[tuple[int, int]]())]
        while stack:
            level, above = stack[-1]
            child = next(level, None)
            if child is None:
                stack.pop()
                continue
            below, path, is_folder = child
            parts = tuple(below.split("/")) if below else ()
            if not is_folder:
                if pattern.takes(parts):
                    if is_image_name(parts[-1]):
                        yield Found(below, path)
                    else:
                        self.others += 1
                continue
            if not pattern.enters(parts):
                continue
            try:
                identity = _identity(path)
                if identity in above:
                    self.loops.append(path)
                elif below and self.is_output(path):
                    self.outputs.append(path)
                else:
                    stack.append((iter(_children(below, path)), above | {identity}))
            except OSError as error:
                yield Found(below, path, error.strerror or str(error))


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder or ".")
    return status.st_dev, status.st_ino


def _children(below: str, folder: str) -> list[tuple[str, str, bool]]:
    """(path below the root, path, is it a folder) of all but the dot-files, by name. A link that leads nowhere is a
    file: it is listed, and decoding says that it is not there."""
    with os.scandir(folder or ".") as entries:
        found = sorted((entry.name, _is_folder(entry)) for entry in entries if not entry.name.startswith("."))
    prefix = below + "/" if below else ""
    return [(prefix + name, os.path.join(folder, name), is_folder) for name, is_folder in found]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
