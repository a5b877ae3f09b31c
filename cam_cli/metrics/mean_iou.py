"""How well the box fits, on a scale rather than right or wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from cam_cli.types import Truth

from .answer import box, fit
from .location import named
from .metric import Found
from .pairwise import Pairwise

Array = np.ndarray


class MeanIou(Pairwise):
    """mean_iou = (1/m) Σ over pairs of image i and true class c of max_j IoU(B_ic, G_icj)

    B_ic, G_icj: as in Location (Zhou et al., CVPR 2016, arXiv:1512.04150, section 3.2). A map without a box has 0. No
    paper owns the name.
    """

    names: ClassVar[tuple[str, ...]] = ("mean_iou",)

    def pair(self, found: Found, label: str, boxes: Array, truth: Truth) -> Mapping[str, float | bool]:
        return {"mean_iou": fit(box(found, label, self.rules.threshold), boxes)}

    def told(self, name: str) -> Mapping[str, Any]:
        return {"threshold": named(self.rules.threshold)}
