"""The files of a run's exports, and the list of them that lets the next run clear them."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cam_cli.errors import OutputFailed, UsageError
from cam_cli.outputs import atomic
from cam_cli.outputs.folder import EXPORTED, Folder
from cam_cli.specs.export import Images


class Files:
    """Writes below an output folder that is open. images: what becomes of the pictures in a dataset's folders.
    copied: how many could not be linked."""

    def __init__(self, folder: Folder, images: Images):
        self.folder, self.images, self.copied = folder, images, 0
        try:
            self.names = (folder.path / EXPORTED).open("wb")
        except OSError as error:
            raise OutputFailed(f"cannot write in {folder.path}: {error.strerror or error}") from error

    def write(self, name: str, data: bytes | Iterable[bytes]) -> None:
        """Raises what `Folder.write` raises."""
        self.folder.write(name, data)
        self.note(name)

    def picture(self, name: str, original: str) -> None:
        """Puts the picture `original` at `name`, as --images says: a hard link shares the bytes of the original and
        never changes them; across devices, or where the file system has no links, it is a copy.

        Raises UsageError for a picture from stdin, and what `Folder.admit` and `atomic.place` raise.
        """
        if self.images == "none":
            return
        if original == "-":
            raise UsageError("the picture came over stdin, so there is no file to put into the export; --images none")
        linked = atomic.place(self.folder.admit(name), original, link=self.images == "link")
        self.copied += self.images == "link" and not linked
        self.note(name)

    def note(self, name: str) -> None:
        """Only what is there is noted, so that clearing can never meet somebody else's file of that name."""
        try:
            self.names.write(json.dumps(name).encode() + b"\n")
            self.names.flush()
        except OSError as error:
            raise OutputFailed(f"cannot write {self.names.name}: {error.strerror or error}") from error

    def close(self) -> None:
        self.names.close()
