"""The mask for other programs."""

import numpy as np

from cam_cli.types import Explanation

from .encode import encode
from .kind import Drawn, Kind


class Mask(Kind):
    """8-bit grey PNG at the upright original's size, whatever --format says: 255 on the components that the boxes stand
    for, 0 elsewhere. Components touch nowhere, not even at corners, so that each can be told apart again."""

    infix = "mask"
    boxed = True

    @property
    def suffix(self) -> str:
        return "png"

    def encode(self, explanation: Explanation, drawn: Drawn) -> bytes:
        assert drawn.regions is not None
        return encode(drawn.regions.mask.astype(np.uint8) * 255, self.suffix)
