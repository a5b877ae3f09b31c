"""One explained image to its files and its record: the work of a finishing thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cam_cli.boxes import locate
from cam_cli.errors import ImageUnwritable
from cam_cli.maps import Range, extent, heatmap
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import ClassMap, Explanation, Failure, Geometry, ImageItem, LeftOut, MapLabel

from .destination import Destination, Written
from .kind import Drawn, Kind, Sheet
from .naming import Naming
from .record import failed, result
from .rle import rle

Column = tuple[str, tuple[str, ...], bool]
"""Maps that one scale can serve: method, layers, signed."""


@dataclass
class Files:
    """What one image has left so far: paths in the order written, and bytes that were asked for on stdout."""

    destination: Destination
    naming: Naming
    paths: list[str] = field(default_factory=list)
    data: bytes | None = None

    def add(self, item: ImageItem, label: MapLabel | None, kind: Kind, data: bytes, end: str = "") -> str | None:
        """Writes one result; returns its name in the record, None for stdout. end: what follows the kind's infix."""
        name = self.naming.of(item, label, kind.infix + end, kind.suffix)
        path = self.destination.put(name, data)
        if path is None:
            self.data = data
            return None
        self.paths.append(path)
        return path if self.destination.file else name

    def remove(self) -> None:
        for path in self.paths:
            Path(path).unlink(missing_ok=True)


@dataclass(frozen=True)
class Finisher:
    """Draws, encodes, writes; fixed for a run. scale: `per-map`, `shared`, or (cold, hot) in raw units. boxes: how they
    are found, where they are. masks: whether each has its own in the record."""

    kinds: Mapping[str, Kind]
    naming: Naming
    scale: str | Range
    destination: Destination
    boxes: BoxSpec | None
    masks: bool = False

    def __call__(self, outcome: Explanation | LeftOut | Failure) -> Written | LeftOut:
        """An image that cannot be written as asked is a failed one. Raises OutputFailed or OutputRefused, which end the
        run."""
        if isinstance(outcome, LeftOut):
            return outcome
        if isinstance(outcome, Failure):
            return Written(failed(outcome))
        files = Files(self.destination, self.naming)
        try:
            return self.finish(outcome, files)
        except ImageUnwritable as error:
            files.remove()
            return Written(failed(Failure.of(outcome.item, error)))

    def finish(self, explanation: Explanation, files: Files) -> Written:
        """One full-size heatmap at a time: an image may have a thousand maps."""
        shared = self.shared(explanation) if self.scale == "shared" else {}
        fixed = None if isinstance(self.scale, str) else self.scale
        sheets: dict[str, list[Any]] = {name: [] for name, kind in self.kinds.items() if isinstance(kind, Sheet)}
        drawn: list[Drawn] = []
        names: list[dict[str, str]] = []
        for one in explanation.maps:
            scale = shared.get((one.method, one.layers, one.signed), fixed)
            own = self.draw(one, explanation.geometry, scale)
            named = {}
            for name, kind in self.kinds.items():
                if isinstance(kind, Sheet):
                    sheets[name].append(kind.part(explanation, own))
                    continue
                for index, data in enumerate(kind.pieces(explanation, own), 1):
                    end = f"-{index}" if index > 1 else ""
                    if file := files.add(explanation.item, one.label, kind, data, end):
                        named[name + end] = file
            names.append(named)
            drawn.append(own.light)
        for name, parts in sheets.items():
            kind = self.kinds[name]
            assert isinstance(kind, Sheet)
            if parts and (file := files.add(explanation.item, None, kind, kind.join(explanation, parts))):
                for named in names:
                    named[name] = file
        return Written(result(explanation, tuple(drawn), names), tuple(files.paths), files.data)

    def draw(self, one: ClassMap, geometry: Geometry, scale: Range | None) -> Drawn:
        """The heatmap, and its boxes if asked for, which --range does not move: they are found per map, where its heat
        is positive."""
        heat = heatmap(one.raw, geometry, scale, one.signed)
        if self.boxes is None:
            return Drawn(one, heat)
        plain = heatmap(one.raw, geometry, signed=one.signed) if scale else heat
        regions = locate(np.maximum(plain.heat, 0), one.probability, self.boxes)
        numbers = range(1, len(regions.boxes) + 1) if self.masks else ()
        masks = tuple(rle(regions.owner == number) for number in numbers)
        return Drawn(one, heat, regions, masks)

    def shared(self, explanation: Explanation) -> dict[Column, Range]:
        """Least and most over the classes' maps of each method and layer, whose units differ; signed ones apart."""
        extents: dict[Column, list[Range]] = {}
        for one in explanation.maps:
            if own := extent(one.raw, explanation.geometry, one.signed):
                extents.setdefault((one.method, one.layers, one.signed), []).append(own)
        return {column: (min(low for low, _ in own), max(high for _, high in own)) for column, own in extents.items()}
