"""Localisation accuracy: the right class, and its box in the right place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cam_cli.types import Truth

from .accuracy import GUESSES, rank_of, ranked
from .answer import THRESHOLDS, box, boxes, fit, fits
from .bits import packed, unpacked
from .metric import Curve, Found, Metric, Needs, Probe, Row, Value
from .objects import in_original, objects
from .pairs import Pairs, gathered

Array = np.ndarray


class Location(Metric):
    """gt_known_loc = (1/m) Σ over pairs of image i and true class c of [ max_j IoU(B_ic, G_icj) ≥ δ ]
    topk_loc = (1/n) Σ_i [ for some true c: c is among i's k most probable and max_j IoU(B_ic, G_icj) ≥ δ ]

    B_ic: the box of the largest part of c's heatmap above a threshold (Zhou et al., CVPR 2016, arXiv:1512.04150,
    section 3.2; `cam_cli.boxes` settles what that leaves open); G_icj: c's boxes in the truth; δ = 0.5, itself enough.
    Boxes are half-open, in pixels of the original. A map without a box is wrong, and so is one that is missing.
    ILSVRC's localisation error (Russakovsky et al. 2015, arXiv:1409.0575) at k guesses is 1 − topk_loc; its kit takes
    whole pixels, both ends included, and a box for each guess: those of classes that are not true are never right, so
    only the true classes' maps are asked for. Over classes (`by_class`) each true class counts by itself.

    _best: at the threshold of 0.00, 0.01 … 0.99 at which the number is highest on these very images: an oracle, and
    chosen anew in each resample. gt_known_loc_calibrated: at a threshold chosen on other data; there only with one.
    """

    names: ClassVar[tuple[str, ...]] = (
        "top1_loc", "top5_loc", "gt_known_loc", "top1_loc_best", "top5_loc_best", "gt_known_loc_best",
        "gt_known_loc_calibrated",
    )  # fmt: skip
    group: ClassVar[str] = "localisation"
    needs: ClassVar[Needs] = Needs.LABELS | Needs.BOXES

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """Lists, one entry a pair. labels; box: half-open xyxy in pixels of the original, or None; iou: of that box
        with the truth that it fits best; right; sweep: the same at each of THRESHOLDS, as `bits` has it; calibrated: as
        right, without a calibrated threshold None; ranks: as in Accuracy. told: whether somebody says what they are;
        None of an image that failed.
        """
        truths = objects(truth, self.rules.difficult)
        if not truths:
            return None
        each = [self.pair(found, label, in_original(some, truth, found.geometry)) for label, some in truths.items()]
        lists = {key: [one[key] for one in each] for key in each[0]}
        ranks = [rank_of(label, found) for label in truths]
        return {"labels": [*truths], "ranks": ranks, "told": found.predictions is not None, **lists}

    def pair(self, found: Found, label: str, truth: Array) -> dict[str, Any]:
        one, enough = box(found, label, self.rules.threshold), self.rules.overlap
        iou = fit(one, truth)
        calibrated = None
        if self.rules.calibrated is not None:
            calibrated = fit(box(found, label, self.rules.calibrated[0]), truth) >= enough
        return {
            "box": one.tolist() if one.any() else None,
            "iou": iou,
            "right": iou >= enough,
            "sweep": packed(fits(boxes(found, label), truth) >= enough),
            "calibrated": calibrated,
        }

    def miss(self, truth: Truth) -> Row | None:
        labels = [*objects(truth, self.rules.difficult)]
        wrong = {
            "box": None,
            "iou": 0.0,
            "right": False,
            "sweep": packed(np.zeros(len(THRESHOLDS), bool)),
            "calibrated": None if self.rules.calibrated is None else False,
        }
        lists = {key: [value] * len(labels) for key, value in wrong.items()}
        return {"labels": labels, "ranks": [None] * len(labels), "told": None, **lists} if labels else None

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        found = {}
        for name, (some, right) in self.right(rows).items():
            shares, n, told = some.mean(right, weights, self.rules.by_class), len(some), self.told(name, some)
            found[name] = Value(shares[:, 0], n, {"threshold": named(self.rules.threshold), **told})
            best = THRESHOLDS[int(shares[0, 1:].argmax())] if n else None
            oracle = {"threshold": best, "chosen_on": "the images it is measured on (oracle)", **told}
            found[f"{name}_best"] = Value(shares[:, 1:].max(1), n, oracle)
        calibrated = gathered(rows, "calibrated")
        if (
            self.rules.calibrated is not None and None not in calibrated
        ):  # rows of a run without one have no such number
            threshold, where = self.rules.calibrated
            pairs, right = Pairs.of(rows), np.array(calibrated, bool)
            told = {"threshold": threshold, "chosen_on": where, **self.told("gt_known_loc", pairs)}
            shared = pairs.mean(right, weights, self.rules.by_class)
            found["gt_known_loc_calibrated"] = Value(shared, len(pairs), told)
        return found

    def right(self, rows: Sequence[Row | None]) -> dict[str, tuple[Pairs, Array]]:
        """By name what it is a mean over (pairs, or images each once), and whether each is right: bool (m, 1 + t), at
        the rules' threshold and at each of THRESHOLDS."""
        pairs, ranks = Pairs.of(rows), ranked(gathered(rows, "ranks"))
        fixed, sweep = np.array(gathered(rows, "right"), bool), unpacked(gathered(rows, "sweep"), len(THRESHOLDS))
        right = np.column_stack([fixed, sweep])
        told = np.repeat(told_of(rows), [len(row["labels"]) for row in rows if row])
        found = {"gt_known_loc": (pairs, right)}
        for name, most in GUESSES.items():
            some, values = pairs.only(told), (right & (ranks <= most)[:, None])[told]
            found[f"{name}_loc"] = (some, values) if self.rules.by_class else some.images(values)
        return found

    def told(self, name: str, pairs: Pairs) -> dict[str, Any]:
        unit = "(image, class) pairs" if name == "gt_known_loc" else "images"
        over = pairs.over(self.rules.by_class, unit)
        return {"overlap": self.rules.overlap, "difficult": self.rules.difficult, **over}

    def curves(self, rows: Sequence[Row | None]) -> Mapping[str, Curve]:
        once, found = np.ones((1, len(rows)), np.float32), {}
        for name, (some, right) in self.right(rows).items():
            if len(some):
                shares = some.mean(right[:, 1:], once, self.rules.by_class)[0]
                axes = "threshold, of the heatmap's maximum", "share of right boxes"
                found[name] = Curve(np.array(THRESHOLDS), shares, *axes)
        return found

    def cells(self, row: Row) -> Mapping[str, Any]:
        right, ranks = row["right"], ranked(row["ranks"])
        found = {"gt_known_loc": float(np.mean(right)), "iou": float(np.mean(row["iou"]))}
        if row["told"] is not False:
            found |= {f"{name}_loc": float((right & (ranks <= most)).any()) for name, most in GUESSES.items()}
        return found


def told_of(rows: Sequence[Row | None]) -> Array:
    """Whether each row counts for what needs predictions: bool. A failed image does where those of others do."""
    told = [row["told"] for row in rows if row]
    silent = False in told and True not in told
    return np.array([not silent if one is None else one for one in told], bool)


def named(threshold: float | None) -> float | str:
    return "otsu" if threshold is None else threshold
