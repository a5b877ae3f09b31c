"""The names of a network's classes, and how a person may call one. Torch-free."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from cam_cli.errors import ClassUnknown, nearest

WNID = re.compile(r"n\d{8}")
SHOWN = 8  # so many candidates are listed in a message


@dataclass(frozen=True)
class Labels:
    """names: one a class, by index; two classes may share one. wnids: the WordNet ids, by index, where known.

    listing: the command that lists them, for messages.
    """

    names: tuple[str, ...]
    wnids: tuple[str, ...] | None = None
    listing: str = field(default="camtool classes", compare=False)

    def __len__(self) -> int:
        return len(self.names)

    def find(self, text: str, *, whole: bool = False) -> int:
        """The index of the class a person calls `text`: an index, a WNID, or a name (exact, then blind to case, spaces,
        `_` and `-`, then, unless `whole`, a unique part of one); `index:`, `wnid:` and `name:` in front settle doubt.

        Raises ClassUnknown with what could have been meant.
        """
        prefix, colon, rest = text.partition(":")
        by_name = partial(self._by_name, whole=whole)
        ways: dict[str, Callable[[str], int]] = {"index": self._by_index, "wnid": self._by_wnid, "name": by_name}
        if colon and prefix.casefold() in ways:
            return ways[prefix.casefold()](rest.strip())
        text = text.strip()
        if text.isascii() and text.isdigit():
            return self._by_index(text)
        return self._by_wnid(text) if WNID.fullmatch(text) else by_name(text)

    def search(self, query: str) -> list[int]:
        """Every index whose name has `query` in it (blind as in `find`), or whose index or WNID it is, in order.

        Raises ClassUnknown, with the nearest names, when there is none.
        """
        part = folded(query)
        found = [
            index
            for index, name in enumerate(self.names)
            if part in folded(name) or query.strip() == str(index) or query.strip() == self._wnid(index)
        ]
        if not found:
            raise ClassUnknown(f"no class name holds {query!r}{nearest(query, list(self.names))}")
        return found

    def _wnid(self, index: int) -> str | None:
        return self.wnids[index] if self.wnids else None

    def _by_index(self, text: str) -> int:
        if text.isascii() and text.isdigit() and int(text) < len(self):
            return int(text)
        raise ClassUnknown(f"no class has the index {text!r}; valid are 0 to {len(self) - 1}")

    def _by_wnid(self, text: str) -> int:
        if self.wnids is None:
            raise ClassUnknown(
                f"these classes have no WordNet ids, so {text!r} cannot be looked up; give an index or a name"
            )
        if text not in self.wnids:
            raise ClassUnknown(f"none of the {len(self)} classes has the WordNet id {text!r}")
        return self.wnids.index(text)

    def _by_name(self, text: str, whole: bool) -> int:
        part, words = folded(text), spaced(text)
        tests = (
            lambda name: name == text,
            lambda name: folded(name) == part,
            lambda name: not whole and words in spaced(name),
        )
        for test in tests if part else ():
            found = [index for index, name in enumerate(self.names) if test(name)]
            if len(found) == 1:
                return found[0]
            if found:
                listed = ", ".join(self._described(index) for index in found[:SHOWN])
                more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
                raise ClassUnknown(f"{text!r} could be {len(found)} classes: {listed}{more}; give one as index:N")
        raise ClassUnknown(f"no class is called {text!r}{nearest(text, list(self.names))} (list: `{self.listing}`)")

    def _described(self, index: int) -> str:
        return f"{index} ({' '.join(filter(None, (self.names[index], self._wnid(index))))})"


@lru_cache(4096)
def folded(name: str) -> str:
    """`name` without what people type differently: case, spaces, `_`, `-`, apostrophes."""
    return re.sub(r"[\s_'’-]+", "", name.casefold())


def spaced(name: str) -> str:
    """`name` in lower case with single spaces between its words, so that a part of it cannot run across two of them
    unseen ("nope" is not in "can opener")."""
    return re.sub(r"[\s_-]+", " ", name.casefold()).strip()


@cache
def imagenet1k() -> Labels:
    """The 1000 classes of ILSVRC2012 in the usual order, from the packaged table (made by docs/make/imagenet1k.py)."""
    with Path(__file__).with_name("imagenet1k.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Labels(tuple(row["name"] for row in rows), tuple(row["wnid"] for row in rows))


def assumed(classes: int) -> tuple[Labels, tuple[str, ...]]:
    """The labels for weights that name no classes, and a note on what was assumed."""
    if classes == 1000:
        return imagenet1k(), ("class names assumed: ImageNet-1k",)
    if classes == 1:
        return Labels(("negative", "positive")), ()
    return Labels(tuple(f"class_{index}" for index in range(classes))), ()


def names_in(value: Any) -> tuple[str, ...] | None:
    """Class names by index from a list of names, from index to name or from name to index; None from anything else."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(value) if value and all(isinstance(name, str) for name in value) else None
    if not isinstance(value, Mapping):
        return None
    if all(isinstance(index, int) for index in value.values()):
        pairs = [(index, name) for name, index in value.items()]
    else:
        pairs = [(int(index), name) for index, name in value.items() if str(index).isdecimal()]
    found = dict(pairs)
    whole = len(found) == len(value) and set(found) == set(range(len(found)))
    if not (found and whole and all(isinstance(name, str) for name in found.values())):
        return None
    return tuple(found[index] for index in range(len(found)))
