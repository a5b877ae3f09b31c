"""Names of result files: a function of the listing and the options alone, never of what the model says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from string import Formatter

from cam_cli.errors import UsageError
from cam_cli.types import ImageItem, MapLabel

FIELDS = ("stem", "model", "method", "layer", "class")


@dataclass(frozen=True)
class Naming:
    """`{stem}[.{model}].{method}[.{layer}][.{class}]` below the item's folder; the bracketed parts only where several
    were asked for, or whatever `template` makes of the same parts. The kind's infix and suffix follow."""

    several: frozenset[str]
    template: str | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a template that is malformed, names an unknown part, leaves the folder, or lacks a
        part of which there are several. (Parts that run together may still make one name twice: `Folder.write`.)"""
        if self.template is None:
            return
        try:
            fields = [field for field in Formatter().parse(self.template) if field[1] is not None]
        except ValueError as error:
            raise UsageError(f"--name {self.template!r}: {error}") from None
        if any(spec or conversion for _, _, spec, conversion in fields):
            raise UsageError(f"--name {self.template!r}: parts stand as {{part}}, without : or !")
        parts = [str(part) for _, part, _, _ in fields]
        for part in parts:
            if part not in FIELDS:
                raise UsageError(f"--name knows {{stem}} {{model}} {{method}} {{layer}} {{class}}, not {{{part}}}")
        if "/" in self.template or "\\" in self.template or self.template.startswith("."):
            raise UsageError(f"--name {self.template!r} is a file name: no slash, no dot in front")
        if "stem" not in parts:
            raise UsageError(f"--name {self.template!r} would give every image one name; add {{stem}}")
        for part in self.several:
            if part not in parts:
                raise UsageError(f"--name {self.template!r} gives several results one name; add {{{part}}}")

    def of(self, item: ImageItem, label: MapLabel | None, infix: str, suffix: str) -> str:
        """The path of one result below the output folder, POSIX. `label` is None for what there is one of an image."""
        place = PurePosixPath(item.stem)
        model = [item.model] if "model" in self.several else []
        if label is None:
            body = ".".join([place.name, *model])
        elif self.template is not None:
            parts = {"stem": place.name, "model": item.model, "method": label.method, "layer": label.layer}
            body = self.template.format_map(parts | {"class": label.selection})
        else:
            kept = [label.method, *(getattr(label, part) for part in ("layer", "selection") if self.asked(part))]
            body = ".".join(filter(None, [place.name, *model, *kept]))
        return str(place.with_name(".".join(filter(None, [body, infix, suffix]))))

    def asked(self, part: str) -> bool:
        return {"layer": "layer", "selection": "class"}[part] in self.several
