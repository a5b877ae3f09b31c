"""Where results go: a folder, one file, stdout as bytes, or nowhere. `-o` and `--save` decide."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cam_cli.errors import OutputRefused, UsageError

from . import atomic
from .folder import Folder


@dataclass(frozen=True)
class Written:
    """What one image left behind: its record, the paths written, and bytes meant for stdout."""

    record: dict[str, Any]
    paths: tuple[str, ...] = ()
    data: bytes | None = None


@dataclass(frozen=True)
class Destination:
    """Exactly one of these is set: a folder, a file, or stdout; none with `--save none`."""

    folder: Folder | None = None
    file: Path | None = None
    stdout: bool = False

    @property
    def single(self) -> bool:
        """Whether only one result fits."""
        return self.file is not None or self.stdout

    @property
    def name(self) -> str:
        """For people."""
        return str(self.folder.path if self.folder else self.file or ("stdout" if self.stdout else "nothing saved"))

    def put(self, name: str, data: bytes) -> str | None:
        """Writes one result called `name` below the folder; returns the path as written, None for stdout."""
        if self.folder:
            return self.folder.write(name, data)
        if self.file:
            atomic.write(self.file, data)
            return str(self.file.resolve())
        return None


def single_file(output: str | None, suffix: str) -> bool:
    """Whether `-o` names a file of the one kind asked for, rather than a folder."""
    return output not in (None, "-") and not Path(str(output)).is_dir() and Path(str(output)).suffix == f".{suffix}"


def choose(output: str | None, *, suffixes: list[str], overwrite: bool, inputs: list[str]) -> Destination:
    """Decides where results go and touches nothing; `suffixes` of the kinds to save, in order.

    Raises UsageError where -o FILE or -o - is asked for more than one kind, OutputRefused where a result would replace
    an input, and what `Folder.check` raises.
    """
    if not suffixes:
        return Destination()
    if output == "-" or single_file(output, suffixes[0]):
        if len(suffixes) > 1:
            raise UsageError(f"-o {output} takes one kind of result, --save names {len(suffixes)}; name a folder")
        if output == "-":
            return Destination(stdout=True)
        file = Path(str(output))
        if any(Path(one).exists() and file.exists() and file.samefile(one) for one in inputs):
            raise OutputRefused(f"-o {output} is the input itself; choose another name")
        return Destination(file=file)
    if output and Path(output).suffix.lower() in PICTURES and not Path(output).is_dir():
        raise UsageError(
            f"-o {output} is no .{suffixes[0]} file; add --format {Path(output).suffix[1:].lower()}, or name a folder"
        )
    if output and any(Path(one).is_dir() and Path(output).resolve() == Path(one).resolve() for one in inputs):
        raise OutputRefused(
            f"-o {output} is an input folder; results beside the pictures would be read as input; choose another"
        )
    return Destination(folder=Folder.check(output, overwrite))


PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".npy")
