"""The pointing game by energy: how much of the heat lies on the object?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from cam_cli.types import Truth

from .metric import Found
from .objects import pixels
from .pairwise import Pairwise

Array = np.ndarray


class EnergyPointing(Pairwise):
    """energy_pointing = (1/m) Σ over pairs of image i and true class c of Σ_{p in c's boxes} H_ic(p) / Σ_p H_ic(p)

    H_ic: c's heatmap in [0, 1], at the size of the original; a pixel counts as in a box by its centre, and once however
    many boxes cover it. Wang et al., CVPR Workshops 2020 (Score-CAM, arXiv:1910.01279, section 4.3), who take images of
    one box and leave out those whose object fills more than half of them; nothing is left out here. A map without heat,
    0 / 0 by the formula, puts nothing on the object: 0, as any other answer that is none.
    """

    names: ClassVar[tuple[str, ...]] = ("energy_pointing",)

    def pair(self, found: Found, label: str, boxes: Array, truth: Truth) -> Mapping[str, float | bool]:
        if label not in found.maps:
            return {"energy_pointing": 0.0}
        heat = found.heatmap(label).heat
        total = float(heat.sum(dtype=float))
        return {"energy_pointing": min(within(heat, boxes) / total, 1.0) if total > 0 else 0.0}


def within(heat: Array, boxes: Array) -> float:
    """The heat in the union of boxes."""
    parts = [np.s_[y0:y1, x0:x1] for x0, y0, x1, y1 in pixels(boxes).clip(0).tolist()]
    if len(parts) == 1:
        return float(heat[parts[0]].sum(dtype=float))
    inside = np.zeros(heat.shape, bool)
    for part in parts:
        inside[part] = True
    return float(heat[inside].sum(dtype=float))
