"""The raw map for other programs."""

from io import BytesIO

import numpy as np

from cam_cli.types import Explanation

from .kind import Drawn, Kind


class Raw(Kind):
    """float32 (u, v), signed, unscaled, at the layer's grid, as NumPy's .npy."""

    @property
    def suffix(self) -> str:
        return "npy"

    def encode(self, explanation: Explanation, drawn: Drawn) -> bytes:
        buffer = BytesIO()
        np.save(buffer, drawn.map.raw.astype(np.float32), allow_pickle=False)
        return buffer.getvalue()
