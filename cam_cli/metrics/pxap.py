"""wsolevaluation's average precision of pixels."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import cv2
import numpy as np

from cam_cli.types import Truth

from .metric import Curve, Found, Metric, Needs, Probe, Row, Value
from .pairs import BLOCK, Pairs, gathered
from .wsol import SIDE, TAUS, scores, whole

Array = np.ndarray
EDGES = np.append(TAUS, [1.0, 2.0, 3.0])  # of bins; the last two hold what is exactly 1, and nothing
BINS = len(EDGES) - 1
IGNORED = 255


class PxAp(Metric):
    """PxAP = Σ_l Prec(τ_l) · (Rec(τ_l) − Rec(τ_{l−1})),   τ from the highest to the lowest
    Prec(τ) = |{s ≥ τ, inside}| / |{s ≥ τ}|,   Rec(τ) = |{s ≥ τ, inside}| / |{inside}|

    over the pixels of all images together, so that large objects weigh more; s: the map's value in the frame of `wsol`.
    Choe et al., CVPR 2020 (arXiv:2001.07437, section 4), and to the bit the `MaskEvaluator` of clovaai/wsolevaluation:
    τ = 0, 0.001 … 0.999, 1 and 2; a value at the threshold counts, unlike in its boxes; masks are resized to 224×224 by
    nearest neighbour; ignored pixels are left out; thresholds that nothing reaches are passed over. As a fraction. NaN
    without a pixel inside, where the kit raises. A missing map is zero everywhere, as those are that are flat; of an
    image that failed no mask is at hand, so it does not count: give `row` a Found with masks and no map to have it do.
    """

    names: ClassVar[tuple[str, ...]] = ("pxap",)
    group: ClassVar[str] = "localisation"
    needs: ClassVar[Needs] = Needs.LABELS | Needs.REGIONS

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """Lists, one entry a class with a mask. labels; inside, outside: the histograms of its map's values over the
        bins between EDGES, as `counted` has them. placed: whether the model saw a part of the picture only."""
        if not found.masks:
            return None
        histograms = [self.histograms(found, label, mask) for label, mask in found.masks.items()]
        inside, outside = zip(*histograms, strict=True)
        return {
            "labels": [*found.masks],
            "placed": not whole(found.geometry),
            "inside": [text(counts) for counts in inside],
            "outside": [text(counts) for counts in outside],
        }

    def histograms(self, found: Found, label: str, mask: Array) -> tuple[Array, Array]:
        """int (1002,) each, of the pixels inside and outside."""
        seen = cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST)
        values = scores(found, label)
        inside, outside = (np.histogram(values[seen == kind], EDGES)[0] for kind in (1, 0))
        return inside, outside

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        pairs, inside, outside = pooled(rows, weights)
        told: dict[str, Any] = {
            "frame": "wsolevaluation: 224×224, bicubic, masks by nearest neighbour",
            "mean_over": "pixels of all images",
            "placed": sum(bool(row["placed"]) for row in rows if row),
        }
        if len(pairs) and not inside[0].any():
            told["undefined"] = "no pixel is inside a mask"
        values = [area(*line) for line in zip(inside, outside, strict=True)]
        return {"pxap": Value(np.array(values, float), len(pairs), told)}

    def curves(self, rows: Sequence[Row | None]) -> Mapping[str, Curve]:
        _, (inside,), (outside,) = pooled(rows, np.ones((1, len(rows)), np.float32))
        if not inside.any():
            return {}
        precision, recall, reached = precision_recall(inside, outside)
        return {"pxap": Curve(recall[reached], precision[reached], "recall of pixels", "precision of pixels")}

    def cells(self, row: Row) -> Mapping[str, Any]:
        own = [area(*map(counted, pair)) for pair in zip(row["inside"], row["outside"], strict=True)]
        defined = [value for value in own if not np.isnan(value)]
        return {"pxap": float(np.mean(defined))} if defined else {}


def text(counts: Array) -> str:
    """A histogram of at most 224² pixels, whole, in little space: 16 bits a bin, little-endian, base64. Most maps have
    something in most bins, so that a list of those which are not empty would be longer."""
    return b64encode(counts.astype("<u2").tobytes()).decode()


def counted(packed: str) -> Array:
    return np.frombuffer(b64decode(packed), "<u2")


def pooled(rows: Sequence[Row | None], weights: Array) -> tuple[Pairs, Array, Array]:
    """The pairs, and for each weighting the histograms of all images together: float64 (b, 1002), inside, outside."""
    pairs = Pairs.of(rows)
    totals = []
    for key in ("inside", "outside"):
        texts, total = gathered(rows, key), np.zeros((len(weights), BINS))
        for start in range(0, len(texts), BLOCK):
            part = slice(start, start + BLOCK)
            counts = np.stack([counted(one) for one in texts[part]]).astype(float)
            total += np.take(weights, pairs.image[part], axis=1).astype(float) @ counts
        totals.append(total)
    return pairs, totals[0], totals[1]


def precision_recall(inside: Array, outside: Array) -> tuple[Array, Array, Array]:
    """Of histograms (1002,), from the highest threshold down; and whether any pixel reaches it: bool."""
    true, false = inside[::-1].cumsum(), outside[::-1].cumsum()
    reached = (true + false) != 0
    return true / np.where(reached, true + false, 1), true / true[-1], reached


def area(inside: Array, outside: Array) -> float:
    """PxAP of one pair of histograms; NaN without a pixel inside."""
    if not inside.any():
        return float("nan")
    precision, recall, reached = precision_recall(inside.astype(float), outside.astype(float))
    return float((precision[1:] * np.diff(recall))[reached[1:]].sum())
