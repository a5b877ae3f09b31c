"""Location prediction as Oquab et al. score it: is the class there, and does its map point at it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from cam_cli.types import Geometry, Truth

from .metric import Found, Metric, Needs, Probe, Row, Value
from .objects import in_original, objects
from .precision import average_precision, mean_defined
from .ranking import about, missed, present, rankings, row_of

Array = np.ndarray


class LocationAp(Metric):
    """location_ap = (1/k) Σ_c AP_c,   AP_c: of all images, ranked by the probability of class c; one with c is a true
    positive only if the maximum of its map of c lies in one of c's boxes, each enlarged by the tolerance on every side

    Otherwise it is a false positive, and what it holds is never found. Oquab et al., CVPR 2015 ("Is object localization
    for free?"), who take 18 pixels, the uncertainty of their network's grid. Those who quote it do not settle in which
    picture: here the original, and with `input_pixels` the network's input. `precision` has the formulas of AP. The
    maximum is the centre of the heatmap's first hottest pixel; a map that is missing or nowhere positive has none. A
    class whose every object is marked difficult (unless the rules keep those), or that has no box in the image, is
    neither there nor not: the image is left out of its ranking. One that failed comes last.
    """

    names: ClassVar[tuple[str, ...]] = ("location_ap",)
    group: ClassVar[str] = "localisation"
    needs: ClassVar[Needs] = Needs.LABELS | Needs.BOXES | Needs.PREDICTIONS
    ranks: ClassVar[bool] = True

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """As `ranking.row_of` has it, and right: the true classes whose maximum lies where it should."""
        truths = objects(truth, self.rules.difficult)
        row = row_of(found, truths, unclear(truth, truths))
        if row is None or truth.objects is None:
            return None
        boxes = {label: in_original(some, truth, found.geometry) for label, some in truths.items()}
        return {**row, "right": [label for label, some in boxes.items() if self.points(found, label, some)]}

    def points(self, found: Found, label: str, boxes: Array) -> bool:
        peak = found.heatmap(label).peak if label in found.maps else None
        if peak is None:
            return False
        point, margin = np.array(peak) + 0.5, self.margin(found.geometry)
        return bool(((point >= boxes[:, :2] - margin) & (point < boxes[:, 2:] + margin)).all(1).any())

    def margin(self, geometry: Geometry) -> Array:
        """The tolerance along x and y, in pixels of the original."""
        scale = geometry.scale if self.rules.input_pixels else (1.0, 1.0)
        return self.rules.tolerance / np.array(scale)

    def miss(self, truth: Truth) -> Row | None:
        if truth.objects is None:
            return None
        truths = objects(truth, self.rules.difficult)
        return {**missed(truths, unclear(truth, truths)), "right": []}

    def about(self, row: Row, label: str) -> Row | None:
        return {**about(row, label), "right": [one for one in row["right"] if one == label]}

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        right: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            for label in row["right"] if row else ():
                right.setdefault(label, []).append(place)
        values = [
            average_precision(one, np.isin(one.places, right.get(one.label, [])), weights, self.rules.interpolation)
            for one in rankings(rows)
        ]
        told = {
            "tolerance": self.rules.tolerance,
            "in_pixels_of": "the network's input" if self.rules.input_pixels else "the original",
            "interpolation": self.rules.interpolation,
            "difficult": self.rules.difficult,
            "mean_over": "classes",
            "classes": len(values),
        }
        return {"location_ap": Value(mean_defined(values, len(weights)), len(present(rows)), told)}

    def cells(self, row: Row) -> Mapping[str, Any]:
        return {}


def unclear(truth: Truth, truths: Mapping[str, Array]) -> list[str]:
    """The classes that are or may be in the image and have no box to hold a point against."""
    named = [*truth.labels, *truth.uncertain, *(one.label for one in truth.objects or ())]
    return [label for label in dict.fromkeys(named) if label not in truths]
