"""The picture with its boxes."""

from collections.abc import Sequence

from cam_cli.maps import window
from cam_cli.render.boxes import dotted, enlarged, labelled, outlined
from cam_cli.render.overlay import hatch
from cam_cli.types import Explanation

from .encode import encode
from .kind import Drawn, Sheet
from .marks import marks


class Boxes(Sheet[Drawn]):
    """The boxes of all maps in one picture, a colour a class, labelled with class and score; a dot at each map's peak.
    A small picture is enlarged so that labels can be read."""

    infix = "boxes"
    boxed = True

    def part(self, explanation: Explanation, drawn: Drawn) -> Drawn:
        return drawn.light

    def join(self, explanation: Explanation, parts: Sequence[Drawn]) -> bytes:
        assert explanation.pixels is not None
        found = marks(parts)
        picture, times = enlarged(hatch(explanation.pixels.copy(), window(explanation.geometry)))
        for draw in (outlined, labelled, dotted):
            draw(picture, found, times)
        return encode(picture, self.style.format)
