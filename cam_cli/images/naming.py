"""The id of each image and the stem its results are named by: relative, unique, and unable to lead out of a folder."""

import os
from collections import Counter
from collections.abc import Collection, Sequence
from unicodedata import normalize

UP = "_up"
"""What `..` becomes in an id: the name still tells where the file came from, the path cannot climb."""


def segments(path: str) -> list[str]:
    """The parts of a path as written, without a drive, a leading slash, `.` or empty parts; `..` stays."""
    return [part for part in os.path.splitdrive(path)[1].replace(os.sep, "/").split("/") if part not in ("", ".")]


def safe_id(parts: Sequence[str]) -> str:
    """Joins path parts to an id: never empty, never absolute, no `..` part, and always writable as a file name."""
    id = "/".join(UP if part == ".." else part for part in parts if part not in ("", ".")).replace("\0", "_")
    try:
        os.fsencode(id)
    except UnicodeEncodeError:  # a lone surrogate out of a JSON escape: no file system could hold it
        id = id.encode("utf-8", "replace").decode()
    return id or "_"


def listed_id(path: str, base: str) -> str:
    """The id of a list's entry: its path as written; an absolute one in the folder `base`, below that."""
    parts = segments(path)
    if os.path.isabs(path):
        root = segments(os.path.abspath(base))
        if len(parts) > len(root) and parts[: len(root)] == root:
            parts = parts[len(root) :]
    return safe_id(parts)


def distinct_names(folders: Sequence[str]) -> dict[str, str]:
    """A name for each of several distinct folders: the last part of its path, and more where that tells it apart."""
    parts = {folder: segments(os.path.abspath(folder)) or ["_"] for folder in folders}
    taken = dict.fromkeys(folders, 1)
    while True:
        names = {folder: safe_id(parts[folder][-taken[folder] :]) for folder in folders}
        count = Counter(fold(name) for name in names.values())
        short = [f for f in folders if count[fold(names[f])] > 1 and taken[f] < len(parts[f])]
        if not short:
            return names
        for folder in short:
            taken[folder] += 1


class Ids:
    """Hands out ids, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, *wanted: str) -> str:
        """The first of `wanted` that is free, else the last with `~2`, `~3` … before its suffix."""
        id = next((id for id in wanted if id not in self._taken), wanted[-1])
        stem, number = short_stem(id), 1
        claimed = id
        while claimed in self._taken:
            number += 1
            claimed = f"{stem}~{number}{id[len(stem) :]}"
        self._taken.add(claimed)
        return claimed


def short_stem(id: str) -> str:
    """An id without its suffix; a name that is all suffix (`.jpg`) is all stem."""
    folder, slash, name = id.rpartition("/")
    return folder + slash + os.path.splitext(name)[0]


def fold(name: str) -> str:
    """A name as macOS and Windows compare it: names that differ in case or Unicode form alone are one there."""
    return name.lower() if name.isascii() else normalize("NFC", name).casefold()


def whole_stems(ids: Collection[str]) -> set[str]:
    """The ids whose stem keeps the suffix, so that no two results share a name: where two share the short stem, all do.

    Repeated, because a stem that has grown may meet another: `a.jpg`, `a.png` and `a.jpg.bmp`. It ends: ids only join.
    """
    whole: set[str] = set()
    while True:
        count = Counter(fold(id if id in whole else short_stem(id)) for id in ids)
        joining = {id for id in ids if id not in whole and count[fold(short_stem(id))] > 1}
        if not joining:
            return whole
        whole |= joining
