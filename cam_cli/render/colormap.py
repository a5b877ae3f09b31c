"""Colour maps, as tables of 256 RGB colours from cold to hot."""

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
