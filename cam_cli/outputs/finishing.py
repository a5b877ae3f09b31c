"""One explained image to its files and its record: the work of a finishing thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cam_cli.maps import Range, extent, heatmap
from cam_cli.types import Explanation, Failure

from .destination import Destination, Written
from .kind import Drawn, Kind
from .naming import Naming
from .record import failed, result


@dataclass(frozen=True)
class Finisher:
    """Draws, encodes, writes; fixed for a run. scale: `per-map`, `shared`, or (cold, hot) in raw units."""

    kinds: Mapping[str, Kind]
    naming: Naming
    scale: str | Range
    destination: Destination

    def __call__(self, outcome: Explanation | Failure) -> Written:
        """Raises OutputFailed or OutputRefused, which end the run."""
        if isinstance(outcome, Failure):
            return Written(failed(outcome))
        drawn = self.draw(outcome)
        files: list[dict[str, str]] = [{} for _ in drawn]
        paths: list[str] = []
        data = None
        for name, kind in self.kinds.items():
            groups = [(index,) for index in range(len(drawn))] if kind.each == "map" else [tuple(range(len(drawn)))]
            for group in groups:
                label = drawn[group[0]].map.label if kind.each == "map" else None
                file = self.naming.of(outcome.item.stem, label, kind.infix, kind.suffix)
                data = kind.encode(outcome, tuple(drawn[index] for index in group))
                path = self.destination.put(file, data)
                if path is not None:
                    paths.append(path)
                for index in group:
                    if path is not None:
                        files[index][name] = path if self.destination.file else file
        return Written(result(outcome, drawn, files), tuple(paths), data if self.destination.stdout else None)

    def draw(self, explanation: Explanation) -> tuple[Drawn, ...]:
        """Heatmaps of all maps of an image, on the scale that `--range` asks for."""
        shared = self.shared(explanation) if self.scale == "shared" else {}
        fixed = None if isinstance(self.scale, str) else self.scale
        return tuple(
            Drawn(one, heatmap(one.raw, explanation.geometry, shared.get(one.method, fixed)))
            for one in explanation.maps
        )

    def shared(self, explanation: Explanation) -> dict[str, Range]:
        """Least and most over the maps of each method: methods have different units."""
        extents: dict[str, list[Range]] = {}
        for one in explanation.maps:
            if own := extent(one.raw, explanation.geometry):
                extents.setdefault(one.method, []).append(own)
        return {method: (min(low for low, _ in own), max(high for _, high in own)) for method, own in extents.items()}
