"""The exports of a run: every record to each of them, in input order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from cam_cli.errors import UsageError
from cam_cli.models.labels import Labels
from cam_cli.specs.export import ExportSpec

from .exports import EXPORTS
from .exports.categories import categories
from .exports.export import Export, Setting
from .exports.files import Files
from .exports.ids import Ids
from .folder import Folder


def make_setting(
    spec: ExportSpec,
    labels: Labels,
    whole: Set[str],
    model: Mapping[str, Any],
    ids: Ids | None = None,
    several: bool = False,
    threshold: str = "",
) -> Setting:
    """What the exports of `spec` need of a run, before anything is written.

    whole: of the listing. model: as `run.json` has it. several: whether the run has more than one method or layer.
    Raises ClassUnknown, and UsageError for a format that cannot hold several.
    """
    able = [name for name in EXPORTS if EXPORTS.load(name).several] if several else list(EXPORTS)
    for name in spec.formats:
        if name not in able:
            raise UsageError(f"--export {name} holds boxes of one method and layer; {', '.join(able)} hold several")
    known = categories(labels, spec.only)
    category_ids = ids.category_ids(known) if ids else {}
    version = "@".join(filter(None, (model["name"], (model["sha256"] or "")[:8])))
    return Setting(known, whole, model["name"], version, threshold, ids, category_ids)


class Exports:
    """A context: the files of each image appear with it, those of the run at `finish`, all of them whole."""

    def __init__(self, exports: Mapping[str, Export], files: Files | None):
        self.exports, self.files = exports, files

    @classmethod
    def open(cls, spec: ExportSpec, setting: Setting, folder: Folder | None) -> Exports:
        """The exports that `spec` asks for, in a folder that is open; none without one. Raises OutputFailed."""
        if folder is None or not spec.formats:
            return cls({}, None)
        files = Files(folder, spec.images)
        return cls({name: EXPORTS.load(name)(setting, files) for name in spec.formats}, files)

    def add(self, record: Mapping[str, Any], beside: Path | None = None) -> None:
        """beside: another run's output folder, with the same exports of this image, from which its pictures are taken.
        Raises OutputFailed, OutputRefused, UsageError."""
        if self.files:
            self.files.beside = beside
        for export in self.exports.values():
            export.add(record)

    def finish(self) -> Sequence[str]:
        """Writes what there is one of a run; returns a line for people about each export. Raises OutputFailed,
        OutputRefused."""
        told = []
        for name, export in self.exports.items():
            place = export.finish()
            left = "".join(f", {count} {why} left out" for why, count in export.left_out.items())
            told.append(f"{name}: {export.images} images, {export.boxes} boxes{left}: {place}")
        if self.files:
            self.files.settle()
        if self.files and self.files.copied:
            told.append(f"{self.files.copied} pictures are copies: hard links cannot be made to where they are")
        return told

    def __enter__(self) -> Exports:
        return self

    def __exit__(self, *error: object) -> None:
        for export in self.exports.values():
            export.close()
        if self.files:
            self.files.close()
