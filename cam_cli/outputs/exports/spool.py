"""A part of a file that is written bit by bit and joined with other parts at the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from cam_cli.errors import OutputFailed

CHUNK = 1 << 16


class Spool:
    """Bytes in a nameless temporary file of `folder`: they cost no memory, and nothing is left of them when the run is
    killed. `separator` stands between entries."""

    def __init__(self, folder: Path, separator: bytes = b""):
        self.separator, self.empty = separator, True
        try:
            self.file = TemporaryFile(dir=folder)  # noqa: SIM115 (until `close`)
        except OSError as error:
            raise OutputFailed(f"cannot write in {folder}: {error.strerror or error}") from error

    def add(self, entry: bytes) -> None:
        """Raises OutputFailed."""
        try:
            self.file.write(entry if self.empty else self.separator + entry)
        except OSError as error:
            raise OutputFailed(f"cannot write an export: {error.strerror or error}") from error
        self.empty = False

    def __iter__(self) -> Iterator[bytes]:
        """Everything from the beginning, in large pieces."""
        self.file.seek(0)
        while piece := self.file.read(CHUNK):
            yield piece

    def close(self) -> None:
        with suppress(OSError):  # what is still to be written to a full disk, and nobody wants any more
            self.file.close()
