"""Colour maps, as tables of 256 RGB colours from cold to hot, and what level of them a heat has."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from cam_cli.errors import UsageError, nearest

# Perceptually uniform maps first; jet and rainbow invent edges that the map does not have, so they are not offered.
COLORMAPS = {
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "plasma": cv2.COLORMAP_PLASMA,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "cividis": cv2.COLORMAP_CIVIDIS,
    "turbo": cv2.COLORMAP_TURBO,
    "hot": cv2.COLORMAP_HOT,
    "bone": cv2.COLORMAP_BONE,
}


@cache
def colours(name: str) -> np.ndarray:
    """The table of a colour map: uint8 (256, 3) RGB. Raises UsageError for an unknown name."""
    if name not in COLORMAPS:
        known = list(COLORMAPS)
        raise UsageError(f"no colour map is called {name!r}{nearest(name, known)} (known: {', '.join(known)})")
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    return np.ascontiguousarray(cv2.applyColorMap(ramp, COLORMAPS[name])[:, 0, ::-1])


@dataclass(frozen=True, eq=False)  # arrays cannot be hashed; a palette is itself alone
class Palette:
    """How heat becomes colour. colours: uint8 (256, 3) RGB. zero: the level that no evidence has, which shows nothing;
    128 of a signed map, whose level 0 is not used."""

    colours: np.ndarray
    zero: int = 0

    @property
    def opacity(self) -> np.ndarray:
        """By level, 0 at no evidence to 1 at the most, in either direction: float64 (256,)."""
        return np.minimum(abs(np.arange(256) - self.zero) / (255 - self.zero), 1)

    def levels(self, heat: np.ndarray) -> np.ndarray:
        """float32 in [0, 1], of a signed map in [−1, 1], to uint8, rounded."""
        return np.asarray(cv2.convertScaleAbs(heat, alpha=255 - self.zero, beta=self.zero))


COOL_WARM = ((59, 76, 192), (141, 176, 254), (221, 221, 221), (244, 154, 123), (180, 4, 38))


@cache
def diverging() -> Palette:
    """For signed maps: blue what is negative, red what is positive, light grey between. Five of the colours of
    Moreland's cool-warm map (2009, doi:10.1007/978-3-642-10520-3_9) at equal distances, straight lines between them."""
    channels = [np.interp(np.arange(256), np.linspace(1, 255, 5), channel) for channel in zip(*COOL_WARM, strict=True)]
    return Palette(np.rint(np.stack(channels, 1)).astype(np.uint8), zero=128)
