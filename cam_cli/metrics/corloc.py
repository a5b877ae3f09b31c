"""Correct localisation: does the one box of each class's map fit an object of that class?"""

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


class CorLoc(Pairwise):
    """CorLoc = (1/k) Σ_c (1/n_c) Σ over images i that hold class c of [ max_j IoU(B_ic, G_icj) ≥ δ ]

    B_ic, G_icj, δ: as in Location. Deselaers, Alexe and Ferrari, IJCV 2012, and after them the papers on weakly
    supervised detection, on VOC's trainval: the mean over its classes, whatever the rules say of other shares. k: the
    classes that occur. Papers differ in whether objects marked difficult count; here the rules say.
    """

    names: ClassVar[tuple[str, ...]] = ("corloc",)

    @property
    def by_class(self) -> bool:
        return True

    def pair(self, found: Found, label: str, boxes: Array, truth: Truth) -> Mapping[str, float | bool]:
        return {"corloc": fit(box(found, label, self.rules.threshold), boxes) >= self.rules.overlap}

    def told(self, name: str) -> Mapping[str, Any]:
        return {"threshold": named(self.rules.threshold), "overlap": self.rules.overlap}
