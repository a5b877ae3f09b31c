"""The pictures below a root, and where those are that annotations name."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cam_cli.errors import InputMissing, InputUnreadable
from cam_cli.images.naming import safe_id, segments, short_stem
from cam_cli.images.walk import Pattern, Walk
from cam_cli.types import ImageItem

from .dataset import Notes

NO_MASK = "mask picture that is not there; the image counts as one without masks"
UNLISTED = "folder that cannot be listed"


def item(root: str, written: str, id: str | None = None) -> ImageItem:
    """The image that a dataset writes as `written`, a path below `root` or an absolute one. id: where it has another.

    The stem is that of the id alone; `open_dataset` settles what two images share.
    """
    name = safe_id(segments(id or written))
    return ImageItem(name, os.path.join(root, written), short_stem(name))


def below(root: str, notes: Notes) -> list[str]:
    """The images below a folder, as POSIX paths, in name order. Raises InputMissing, InputUnreadable."""
    if not os.path.isdir(root):
        raise InputMissing(f"{root}: no such folder of images; name it with --images")
    found = []
    for one in Walk().files(root, Pattern()):
        if one.error is None:
            found.append(one.below)
        elif not one.below:
            raise InputUnreadable(f"{root}: {one.error}; check its permissions")
        else:
            notes.add(UNLISTED, one.path)
    return found


def first_holding(roots: Sequence[str], written: Iterable[str]) -> str:
    """The first of several folders below which one of a few images is, else the first of all."""
    few = list(written)
    return next((root for root in roots if any(os.path.isfile(os.path.join(root, one)) for one in few)), roots[0])


@dataclass
class Pictures:
    """The images below `root`, to be found by name."""

    root: str
    names: list[str]
    stems: dict[str, list[str]] = field(default_factory=dict)
    bare: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def read(cls, root: str, notes: Notes) -> Pictures:
        """Raises InputMissing, InputUnreadable."""
        found = cls(root, below(root, notes))
        for name in found.names:
            found.stems.setdefault(short_stem(name), []).append(name)
            found.bare.setdefault(name.rpartition("/")[2], []).append(name)
        return found

    def find(self, stem: str, filename: str) -> str | None:
        """The picture of an annotation, which is called like it (`stem`, without a suffix); where no picture is, the
        only one with the file name that stands in it, whatever folders of whatever machine stand before that."""
        name = ntpath.basename(filename)
        same = self.stems.get(stem) or [one for one in self.bare.get(name, []) if len(self.bare[name]) == 1]
        suffix = ntpath.splitext(name)[1]
        return next((one for one in same if one.endswith(suffix)), same[0]) if same else None
