"""Everything about one image, side by side."""

from collections.abc import Sequence

import numpy as np

from cam_cli.maps import window
from cam_cli.render.overlay import overlay
from cam_cli.render.panel import panel, tile
from cam_cli.types import Explanation

from .encode import encode
from .kind import Drawn, Sheet


class Panel(Sheet[np.ndarray]):
    """The picture, then a column a method and layer, a row a class; captions above."""

    infix = "panel"

    def part(self, explanation: Explanation, drawn: Drawn) -> np.ndarray:
        assert explanation.pixels is not None
        seen = window(explanation.geometry)
        picture = overlay(explanation.pixels, drawn.heatmap.heat, self.style.table, self.style.alpha, seen)
        words = [drawn.caption, *drawn.flags, f"{drawn.map.method} at {'+'.join(drawn.map.layers)}"]
        return tile(picture, "  ·  ".join(words))

    def join(self, explanation: Explanation, parts: Sequence[np.ndarray]) -> bytes:
        assert explanation.pixels is not None
        best = explanation.predictions[0]
        picture = tile(explanation.pixels, f"{explanation.item.id}  ·  {best.name}  {best.probability:.1%}")
        rows: dict[str, list[np.ndarray]] = {}
        for one, part in zip(explanation.maps, parts, strict=True):
            rows.setdefault(one.label.selection, [picture]).append(part)
        return encode(panel(list(rows.values())), self.style.format)
