"""wsolevaluation's box accuracy, at the best threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cam_cli.boxes import overlaps
from cam_cli.types import Truth

from .bits import packed, unpacked
from .metric import Curve, Found, Metric, Needs, Probe, Row, Value
from .objects import objects
from .pairs import Pairs, gathered
from .wsol import CUTS, LEVELS, TAUS, closed, contours, whole

Array = np.ndarray


class MaxBoxAcc(Metric):
    """MaxBoxAcc = max_τ (1/m) Σ over pairs of image i and true class c of [ max_j IoU(B_ic(τ), G_icj) ≥ δ ],   δ = 0.5

    B_ic(τ): the box of the contour of the largest area above τ, τ = 0, 0.001 … 0.999. Choe et al., CVPR 2020
    (arXiv:2001.07437, section 4), and to the bit the `BoxEvaluator` of clovaai/wsolevaluation, in the frame of `wsol`:
    a value must be above int(τ · 255); no contour is the box 0, 0, 0, 0; a box ends one pixel beyond its contour, yet
    IoU counts both ends (+1); δ itself is enough. The threshold is the best for these very images: an oracle, chosen
    anew in each resample. As a fraction; in the kit in percent. Never a mean over classes. Of several classes in an
    image each has its own map and boxes, where the kit's images have one.
    """

    names: ClassVar[tuple[str, ...]] = ("maxboxacc",)
    group: ClassVar[str] = "localisation"
    needs: ClassVar[Needs] = Needs.LABELS | Needs.BOXES
    overlaps_asked: ClassVar[tuple[int, ...]] = (50,)  # percent

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """Lists, one entry a pair. labels; right50 (30, 70): at each of the 255 levels that τ cuts at, as `bits` has
        it. placed: whether the model saw a part of the picture only."""
        truths = objects(truth, self.rules.difficult)
        if not truths:
            return None
        fits = [self.fits(found, label, closed(boxes, truth, found.geometry)) for label, boxes in truths.items()]
        right = {f"right{percent}": [packed(one >= percent / 100) for one in fits] for percent in self.overlaps_asked}
        return {"labels": [*truths], "placed": not whole(found.geometry), **right}

    def fits(self, found: Found, label: str, truth: Array) -> Array:
        """IoU at each level with the box of the truth that it fits best: float64 (255,); 0 for a missing map."""
        if label not in found.maps:
            return np.zeros(LEVELS)
        seen = contours(found, label)
        return np.asarray(overlaps(seen.boxes[seen.largest], truth, closed=True).max(1))

    def miss(self, truth: Truth) -> Row | None:
        labels, wrong = [*objects(truth, self.rules.difficult)], packed(np.zeros(LEVELS, bool))
        right = {f"right{percent}": [wrong] * len(labels) for percent in self.overlaps_asked}
        return {"labels": labels, "placed": False, **right} if labels else None

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        shares = self.shares(rows, weights)
        n = len(Pairs.of(rows))
        best = {percent: float(TAUS[values[0, CUTS].argmax()]) if n else None for percent, values in shares.items()}
        told = {
            "threshold": [*best.values()] if len(best) > 1 else best[50],
            "chosen_on": "the images it is measured on (oracle)",
            "overlap": [percent / 100 for percent in best] if len(best) > 1 else 0.5,
            "frame": "wsolevaluation: 224×224, bicubic, contours, both ends of a box included",
            "difficult": self.rules.difficult,
            "mean_over": "(image, class) pairs",
            "placed": sum(bool(row["placed"]) for row in rows if row),
        }
        maxima = np.stack([values.max(1) for values in shares.values()], 1)
        return {self.names[0]: Value(maxima.mean(1), n, told)}

    def shares(self, rows: Sequence[Row | None], weights: Array) -> dict[int, Array]:
        """By δ in percent, of each level: float64 (b, 255)."""
        pairs = Pairs.of(rows)
        right = {percent: unpacked(gathered(rows, f"right{percent}"), LEVELS) for percent in self.overlaps_asked}
        return {percent: pairs.mean(values, weights) for percent, values in right.items()}

    def curves(self, rows: Sequence[Row | None]) -> Mapping[str, Curve]:
        if not any(rows):
            return {}
        shares = self.shares(rows, np.ones((1, len(rows)), np.float32))
        names = {percent: self.names[0] + (f"_{percent}" if len(shares) > 1 else "") for percent in shares}
        axes = "threshold, of the map from its lowest to its highest", "share of right boxes"
        return {names[percent]: Curve(TAUS, values[0, CUTS], *axes) for percent, values in shares.items()}

    def cells(self, row: Row) -> Mapping[str, Any]:
        return {}


class MaxBoxAccV2(MaxBoxAcc):
    """MaxBoxAccV2 = (1/3) Σ_δ max_τ (1/m) Σ over pairs of [ max_kj IoU(B_ick(τ), G_icj) ≥ δ ],   δ = 0.3, 0.5, 0.7

    B_ick(τ): the boxes of all contours above τ, those of holes and of what lies in holes too: the best of them counts.
    Choe et al. 2020, second version (arXiv:2007.04178), and clovaai/wsolevaluation with `multi_contour_eval` and
    `multi_iou_eval`; each δ has its own τ. Everything else: as MaxBoxAcc.
    """

    names: ClassVar[tuple[str, ...]] = ("maxboxacc_v2",)
    overlaps_asked: ClassVar[tuple[int, ...]] = (30, 50, 70)

    def fits(self, found: Found, label: str, truth: Array) -> Array:
        if label not in found.maps:
            return np.zeros(LEVELS)
        seen = contours(found, label)
        each = overlaps(seen.boxes, truth, closed=True).max(1)
        return np.asarray(np.maximum.reduceat(each, seen.first))
