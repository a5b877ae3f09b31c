"""Everything about one image, side by side."""

import numpy as np

from cam_cli.maps import window
from cam_cli.render.overlay import overlay
from cam_cli.render.panel import panel, tile
from cam_cli.types import Explanation

from .encode import encode
from .kind import Drawn, Kind


class Panel(Kind):
    """The picture, then a column a method and layer, a row a class; captions above."""

    each = "image"
    infix = "panel"

    def encode(self, explanation: Explanation, drawn: tuple[Drawn, ...]) -> bytes:
        assert explanation.pixels is not None
        classes = list(dict.fromkeys(one.map.label.selection for one in drawn))
        best = explanation.predictions[0]
        picture = tile(explanation.pixels, f"{explanation.item.id}  ·  {best.name}  {best.probability:.1%}")
        rows = [
            [picture, *(self.tile(explanation, one) for one in drawn if one.map.label.selection == selection)]
            for selection in classes
        ]
        return encode(panel(rows or [[picture]]), self.style.format)

    def tile(self, explanation: Explanation, one: Drawn) -> np.ndarray:
        assert explanation.pixels is not None
        seen = window(explanation.geometry)
        layer = "+".join(one.map.layers)
        flags = "".join(f"  ·  {flag}" for flag in one.heatmap.flags)
        drawn = overlay(explanation.pixels, one.heatmap.heat, self.style.table, self.style.alpha, seen)
        return tile(drawn, f"{one.map.method} at {layer}  ·  {one.caption}{flags}")
