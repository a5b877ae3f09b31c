"""The files of a run's exports, and the list of them that lets the next run clear them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cam_cli.errors import UsageError
from cam_cli.outputs import atomic
from cam_cli.outputs.folder import EXPORTED, Folder
from cam_cli.outputs.lines import Lines, whole_lines
from cam_cli.specs.export import Images


class Files:
    """Writes below an output folder that is open. images: what becomes of the pictures in a dataset's folders.
    copied: how many could not be linked. beside: another run's folder, where the pictures are taken from."""

    def __init__(self, folder: Folder, images: Images):
        """Raises OutputFailed."""
        self.folder, self.images, self.copied = folder, images, 0
        self.beside: Path | None = None
        self.names = Lines(folder.path / EXPORTED, append=folder.before is not None)

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
        source = str(self.beside / name) if self.beside else original
        linked = atomic.place(self.folder.admit(name), source, link=self.images == "link")
        self.copied += self.images == "link" and not linked
        self.note(name)

    def note(self, name: str) -> None:
        """Only what is there is noted, so that clearing can never meet somebody else's file of that name. Raises
        OutputFailed."""
        self.names.add(json.dumps(name).encode() + b"\n")

    def settle(self) -> None:
        """At the end of a run that completed another: the list is now this run's, which noted all of them again. Until
        then it has the other's as well. Raises OutputFailed."""
        if self.names.start:
            self.names.close()
            atomic.write(self.names.path, (line for _, line in whole_lines(self.names.path, self.names.start)))

    def close(self) -> None:
        self.names.close()
