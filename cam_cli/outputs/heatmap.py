"""The heatmap alone."""

from cam_cli.maps import window
from cam_cli.render.overlay import heat_picture
from cam_cli.types import Explanation

from .encode import encode
from .kind import Drawn, Kind


class HeatmapPicture(Kind):
    """The heat in its colours at the upright original's size."""

    infix = "heatmap"

    def encode(self, explanation: Explanation, drawn: Drawn) -> bytes:
        palette = self.style.colours_of(drawn.heatmap)
        picture = heat_picture(drawn.heatmap.heat, palette, window(explanation.geometry))
        return encode(picture, self.style.format)
