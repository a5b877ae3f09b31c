"""What lies in each box."""

from math import ceil, floor

from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import Explanation

from .encode import encode
from .kind import Drawn, Kind


class Crop(Kind):
    """The box's cut-out of the upright original, with `--margin` as far as the picture goes; a file a box."""

    infix = "crop"
    boxed = True

    def pieces(self, explanation: Explanation, drawn: Drawn) -> list[bytes]:
        assert explanation.pixels is not None
        assert drawn.regions is not None
        spec = self.style.boxes or BoxSpec()
        cuts = []
        for x0, y0, x1, y1 in (box.xyxy for box in drawn.regions.boxes):
            across, down = spec.around(x1 - x0), spec.around(y1 - y0)
            left, top = max(0, floor(x0 - across)), max(0, floor(y0 - down))
            cut = explanation.pixels[top : ceil(y1 + down), left : ceil(x1 + across)]
            cuts.append(encode(cut, self.style.format))
        return cuts
