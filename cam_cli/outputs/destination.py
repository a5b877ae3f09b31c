"""Where results go: a folder, one file, stdout as bytes, or nowhere. `-o` and `--save` decide."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cam_cli.errors import OutputRefused, UsageError
from cam_cli.images.walk import is_run
from cam_cli.specs import OutputSpec

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


def choose(spec: OutputSpec, suffixes: Sequence[str], exports: bool = False) -> Destination:
    """Decides where results go and touches nothing; `suffixes` of the kinds to save, in order. `exports` take a folder.

    Raises UsageError where -o FILE or -o - is asked for more than one kind or for another, and what `Folder.check`
    raises.
    """
    output = spec.output
    if spec.resume and (output == "-" or names_file(output) or (not suffixes and not exports)):
        raise UsageError("--resume completes what is in an output folder, and this run has none; drop it")
    if not suffixes and not exports:
        return Destination()
    if output is not None and not output.strip():
        raise UsageError("-o was given no name")
    if output == "-" or names_file(output):
        if exports:
            raise UsageError(f"-o {output} takes one result, --export writes several files; name a folder")
        if len(suffixes) > 1:
            raise UsageError(f"-o {output} takes one kind of result, --save names {len(suffixes)}; name a folder")
        if output == "-":
            return Destination(stdout=True)
        file, suffix = Path(str(output)), Path(str(output)).suffix[1:].lower().replace("jpeg", "jpg")
        if suffix != suffixes[0]:
            what = f"--format {suffix}" if spec.format and suffixes[0] != "npy" else f"a .{suffixes[0]} name"
            what = "--save raw" if suffix == "npy" else what
            raise UsageError(f"-o {output} would hold {suffixes[0]}; use {what}, or name a folder")
        return Destination(file=file)
    return Destination(folder=Folder.check(output, spec.overwrite, spec.name is not None, spec.resume))


def names_file(output: str | None) -> bool:
    """Whether `-o` names a file, rather than a folder: by its suffix."""
    return output is not None and not Path(output).is_dir() and Path(output).suffix.lower() in SUFFIXES


SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".npy")


def spare_inputs(destination: Destination, inputs: Sequence[str]) -> None:
    """Raises OutputRefused where the output folder is an input folder, as typed."""
    folder = destination.folder and destination.folder.path
    if folder and any(Path(one).is_dir() and Path(one).resolve() == folder.resolve() for one in inputs):
        raise OutputRefused(
            f"-o {folder} is an input folder; results beside the pictures would be read as input; choose another"
        )


def spare_images(destination: Destination, images: Sequence[str]) -> None:
    """Raises OutputRefused where a result would replace one of the `images` listed, or taking the output folder over
    from its last run could remove one."""
    if destination.file and destination.file.exists() and any(same(destination.file, image) for image in images):
        raise OutputRefused(f"-o {destination.file} is an input itself; choose another name")
    folder = destination.folder and destination.folder.path
    if folder and is_run(str(folder)):
        for place in {os.path.dirname(image) for image in images}:
            if Path(place).resolve().is_relative_to(folder.resolve()):
                raise OutputRefused(f"the pictures in {place} lie in the output folder {folder}; choose another -o")


def same(file: Path, image: str) -> bool:
    return os.path.exists(image) and file.samefile(image)
