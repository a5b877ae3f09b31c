"""One image judged to the row that is kept of it: the work of a finishing thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np

from cam_cli.datasets.masks import read_mask
from cam_cli.datasets.placing import place
from cam_cli.errors import DatasetUnreadable
from cam_cli.metrics.metric import Found, Metric, Needs
from cam_cli.types import Failure, Truth

from .judged import Judged

LARGEST = 32  # cells a side of the map that is kept to be drawn in the report


@dataclass(frozen=True)
class Scorer:
    """metrics: by run, or baseline, and key. truths: by model and id. runs: of each model, the names of its runs, then
    the baselines'. drawn: those whose maps are kept to be drawn. probable: whether probabilities are kept as well."""

    metrics: Mapping[str, Mapping[str, Metric]]
    truths: Mapping[str, Mapping[str, Truth]]
    runs: Mapping[str, tuple[str, ...]]
    drawn: frozenset[str]
    probable: bool = False

    def __call__(self, outcome: Judged | Failure) -> dict[str, Any]:
        """The row, in plain values. An image whose mask cannot be read is a failed one."""
        if isinstance(outcome, Failure):
            return self.failed(outcome)
        try:
            return self.scored(outcome)
        except DatasetUnreadable as error:
            return self.failed(Failure.of(outcome.item, error))

    def scored(self, one: Judged) -> dict[str, Any]:
        geometry = one.geometry
        whole = self.truths[one.item.model][one.item.id]
        placed = place(whole, geometry.width, geometry.height, geometry.orientation)
        truth = placed.truth
        labels = {region.label for region in truth.regions if not region.ignored} if self.masked else set()
        masks = {label: read_mask(truth, label) for label in labels}
        runs = {}
        for name, found in one.found.items():
            found.masks = masks
            rows = {
                key: one.rows[name][key] if key in one.rows.get(name, {}) else metric.row(found, truth)
                for key, metric in self.metrics[name].items()
            }
            runs[name] = {"rows": rows, "drawn": drawn(found, truth) if name in self.drawn else None}
        first = next(iter(one.found.values()))
        row = self.row(one.item.id, one.item.path, one.item.model, truth, runs) | {
            "flags": list(one.flags),
            "notes": [*one.notes, *placed.notes],
            "predictions": None if first.predictions is None else list(first.predictions),
            "geometry": asdict(geometry),
        }
        return row | {"probabilities": finite(first.probabilities)} if self.probable else row

    def failed(self, failure: Failure) -> dict[str, Any]:
        """A failed image is wrong wherever it could have been right."""
        item, truth = failure.item, self.truths[failure.item.model][failure.item.id]
        runs = {
            name: {"rows": {key: metric.miss(truth) for key, metric in self.metrics[name].items()}, "drawn": None}
            for name in self.runs[item.model]
        }
        row = self.row(item.id, item.path, item.model, truth, runs)
        return row | {"error": {"kind": failure.kind, "message": failure.message}}

    @cached_property
    def masked(self) -> bool:
        """Whether a metric looks at masks."""
        return any(Needs.REGIONS in one.needs for metrics in self.metrics.values() for one in metrics.values())

    def row(self, id: str, path: str, model: str, truth: Truth, runs: dict[str, Any]) -> dict[str, Any]:
        """What every row has, in the order of its keys."""
        return {
            "id": id,
            "image": path,
            "model": model,
            "labels": list(truth.labels),
            "columns": dict(truth.columns),
            "boxes": [[one.label, *one.xyxy] for one in truth.objects or ()],
            "flags": [],
            "notes": [],
            "predictions": None,
            "geometry": None,
            "runs": runs,
            "error": None,
        }


def finite(probabilities: Mapping[str, float] | None) -> dict[str, float | None] | None:
    """As JSON has them: None for what is no number."""
    if probabilities is None:
        return None
    return {label: chance if np.isfinite(chance) else None for label, chance in probabilities.items()}


def drawn(found: Found, truth: Truth) -> dict[str, Any] | None:
    """The map that a report shows of an image: that of its first true class, else of the class explained."""
    label = next((label for label in truth.labels if label in found.maps), found.explained)
    if label is None or label not in found.maps:
        return None
    heatmap = found.heatmap(label)
    return {"label": label, "raw": small(found.maps[label]), "flags": list(heatmap.flags)}


def small(raw: np.ndarray) -> list[list[float | None]]:
    """A raw map to be drawn small: four digits, at most `LARGEST` cells a side; what is not finite is None."""
    rows, columns = (min(side, LARGEST) for side in raw.shape)
    if (rows, columns) != raw.shape:
        raw = cv2.resize(raw.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return [[float(f"{value:.4g}") if np.isfinite(value) else None for value in line] for line in raw.tolist()]
