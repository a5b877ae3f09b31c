"""The pointing game: does the hottest point lie on the object?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from cam_cli.types import Truth

from .metric import Found
from .objects import in_original, objects, pixels
from .pairwise import Pairwise

Array = np.ndarray
TOLERANCE = 15  # pixels of the original


class PointingGame(Pairwise):
    """pointing_game = (1/m) Σ over pairs of image i and true class c of [ p_ic lies in a box of c ]
    pointing_game_15px = the same with [ min over the boxes' pixels q of |p_ic − q|² < 15² ]

    p_ic: the first maximum, in reading order, of c's heatmap in pixels of the original. A map that is nowhere positive
    points nowhere, which is a miss, and so is one that is missing. Pixels count as in a box by their centres.
    Zhang et al., ECCV 2016 (arXiv:1608.00507), who give the mean over classes (`by_class`); the distance is TorchRay's
    (`torchray/benchmark/pointing_game.py`): strictly less, between pixels rather than to the box's edge. As there,
    objects marked difficult do not make a pair, but where there is one they may be hit: in pointing_game_15px alone.
    Unlike there, a class that does not occur has no accuracy of 0.
    """

    names: ClassVar[tuple[str, ...]] = ("pointing_game", "pointing_game_15px")

    def pair(self, found: Found, label: str, boxes: Array, truth: Truth) -> Mapping[str, float | bool]:
        peak = found.heatmap(label).peak if label in found.maps else None
        if peak is None:
            return dict.fromkeys(self.names, False)
        marked = in_original(objects(truth, difficult=True)[label], truth, found.geometry)
        return {
            "pointing_game": bool(distance(peak, boxes) == 0),
            "pointing_game_15px": bool(distance(peak, marked) < TOLERANCE**2),
        }

    def told(self, name: str) -> Mapping[str, Any]:
        return {"tolerance": TOLERANCE if name.endswith("15px") else 0}


def distance(point: tuple[int, int], boxes: Array) -> float:
    """The square of that between a pixel and the nearest pixel of the boxes; infinite if they hold none."""
    inside = pixels(boxes)
    inside = inside[(inside[:, 2:] > inside[:, :2]).all(1)]
    away = np.maximum(inside[:, :2] - point, np.array(point) - (inside[:, 2:] - 1)).clip(0)
    return float((away**2).sum(1).min()) if len(away) else np.inf
