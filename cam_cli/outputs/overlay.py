"""The picture under its heatmap."""

from cam_cli.maps import window
from cam_cli.render.boxes import dotted, outlined
from cam_cli.render.legend import with_legend
from cam_cli.render.overlay import overlay
from cam_cli.types import Explanation

from .encode import encode
from .kind import Drawn, Kind
from .marks import marks


class Overlay(Kind):
    """The upright original's own size and no text on it; `--legend` adds a strip below. `localize` has it with boxes
    and peak."""

    def encode(self, explanation: Explanation, drawn: Drawn) -> bytes:
        assert explanation.pixels is not None
        palette = self.style.colours_of(drawn.heatmap)
        seen = window(explanation.geometry)
        picture = overlay(explanation.pixels, drawn.heatmap.heat, palette, self.style.alpha, seen)
        if self.style.boxes:
            found = marks([drawn])
            dotted(outlined(picture, found), found)
        if self.style.legend:
            low, high = drawn.heatmap.scale or (0.0, 0.0)
            ticks = [f"{value:.3g}" for value in ((low, 0.0, high) if drawn.heatmap.signed else (low, high))]
            raw = f"raw {drawn.map.raw.min():.3g} … {drawn.map.raw.max():.3g}"
            text = "  ·  ".join([drawn.caption, drawn.map.method, raw, *drawn.flags])
            picture = with_legend(picture, palette.colours, text, ticks)
        return encode(picture, self.style.format)
