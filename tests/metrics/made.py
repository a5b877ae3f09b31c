"""Answers and truths by hand, and a whole dataset of them by lot."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np

from cam_cli.metrics import METRICS
from cam_cli.metrics.metric import Found, Metric, Row, Rules, Value
from cam_cli.types import Geometry, ImageItem, Object, Truth

NAMES = [name for name, entry in METRICS.items() if entry.target.partition(":")[0].rpartition(".")[2] in {
    "accuracy", "classification_ap", "auroc", "location", "corloc", "mean_iou", "maxboxacc", "pxap", "pointing",
    "energy", "location_ap",
}]  # fmt: skip
"""Of the numbers that need no network: what the tests of this folder are about."""
CLASSES = ("ant", "bee", "cat", "dog", "elk", "fox", "gnu")


def squash(width: int, height: int, side: int = 8) -> Geometry:
    return Geometry(width, height, side, side, (side / width, side / height), (0.0, 0.0), "squash")


def cropped(width: int, height: int) -> Geometry:
    """The short side to 10, the middle 8 × 8 of it: as `--fit model` does."""
    scale = 10 / min(width, height)
    offset = 4 - width * scale / 2, 4 - height * scale / 2
    return Geometry(width, height, 8, 8, (scale, scale), offset, "model")


def padded(width: int, height: int) -> Geometry:
    scale = 8 / max(width, height)
    offset = 4 - width * scale / 2, 4 - height * scale / 2
    return Geometry(width, height, 8, 8, (scale, scale), offset, "pad")


def drawn(text: str) -> np.ndarray:
    """float32 (u, v): a digit is its tenth, `x` is 1, a dot is 0."""
    levels = {".": 0.0, "x": 1.0} | {str(digit): digit / 10 for digit in range(1, 10)}
    return np.array([[levels[one] for one in row] for row in text.split()], np.float32)


def found(maps: Mapping[str, np.ndarray] | np.ndarray, geometry: Geometry | None = None, **more) -> Found:
    """maps: by label, or that of `cat`. geometry: by default a picture with a pixel for each cell."""
    maps = maps if isinstance(maps, Mapping) else {"cat": maps}
    if geometry is None:
        height, width = next(iter(maps.values())).shape
        geometry = Geometry(width, height, width, height, (1.0, 1.0), (0.0, 0.0), "squash")
    return Found(geometry, maps, **more)


def truth(*boxes: Sequence[float] | Object, label: str = "cat", **more) -> Truth:
    """Of a picture with objects of one class, or with `labels` in `more`."""
    objects = tuple(one if isinstance(one, Object) else Object(label, tuple(map(float, one))) for one in boxes)
    more = {"labels": tuple(dict.fromkeys(one.label for one in objects)) or (label,), **more}
    return Truth(ImageItem("a", "a", "a"), objects=objects, **more)


def metric(name: str, **rules) -> Metric:
    return METRICS.load(name)(Rules(**rules))


def values(name: str, rows: Sequence[Row | None], **rules) -> Mapping[str, Value]:
    """Of each image once."""
    return metric(name, **rules).reduce(rows, np.ones((1, len(rows)), np.float32))


def value(name: str, *cases: tuple[Found, Truth], **rules) -> float:
    """A number over some images."""
    one = metric(name, **rules)
    return float(values(name, [one.row(*case) for case in cases], **rules)[name].values[0])


def through_json(row: Row | None) -> Row | None:
    return json.loads(json.dumps(row, allow_nan=False))


def dataset(count: int, seed: int = 0) -> list[tuple[Found | None, Truth]]:
    """Images with up to three classes and several objects each, some difficult; doubtful classes; all sorts of maps and
    geometries; some maps missing; some images without boxes or predictions; some failed (None)."""
    rng = np.random.default_rng(seed)
    return [one(rng, number) for number in range(count)]


def one(rng: np.random.Generator, number: int) -> tuple[Found | None, Truth]:
    width, height = rng.integers(12, 40, 2).tolist()
    labels = tuple(rng.choice(CLASSES, rng.integers(1, 4), replace=False).tolist())
    objects = tuple(thing(rng, label, width, height) for label in labels for _ in range(rng.integers(1, 3)))
    doubtful = tuple(rng.choice([label for label in CLASSES if label not in labels], rng.integers(0, 2)).tolist())
    told = Truth(
        ImageItem(str(number), "", ""),
        labels,
        objects if rng.random() < 0.95 else None,
        doubtful,
        size=(width * 2, height * 2) if rng.random() < 0.2 else None,
    )
    if rng.random() < 0.08:
        return None, told
    lots = rng.dirichlet(np.where(np.isin(CLASSES, labels), 2, 0.5)) + 1e-3
    chances = dict(zip(CLASSES, lots.round(2).tolist(), strict=True))
    best = tuple(sorted(chances, key=lambda label: -chances[label])[:5])
    geometry = (squash, cropped, padded)[rng.integers(3)](width, height)
    maps = {
        label: hit(objects, label, told, geometry) if rng.random() < 0.5 else raw(rng)
        for label in labels
        if rng.random() < 0.95
    }
    masks = {label: rng.choice(np.array([0, 1, 255], np.uint8), (9, 11), p=[0.6, 0.3, 0.1]) for label in labels[:2]}
    predictions = best if rng.random() < 0.95 else None
    return Found(geometry, maps, predictions, chances if predictions else None, masks=masks), told


def thing(rng: np.random.Generator, label: str, width: int, height: int) -> Object:
    x0, y0 = rng.uniform(0, width * 0.6), rng.uniform(0, height * 0.6)
    x1, y1 = x0 + rng.uniform(2, width * 0.7), y0 + rng.uniform(2, height * 0.7)
    box = x0, y0, min(x1, float(width)), min(y1, float(height))
    return Object(label, box if rng.random() < 0.5 else tuple(np.round(box).tolist()), bool(rng.random() < 0.25))


def hit(objects: Sequence[Object], label: str, told: Truth, geometry: Geometry) -> np.ndarray:
    """A map that is hot on the first object, on 24 × 24 cells."""
    x0, y0, x1, y1 = next(one.xyxy for one in objects if one.label == label)
    width, height = told.size or (geometry.width, geometry.height)
    cells = (np.arange(24) + 0.5) / 24
    x, y = geometry.to_original(cells * geometry.input_width, cells * geometry.input_height)
    x, y = x * width / geometry.width, y * height / geometry.height
    return np.outer((y >= y0) & (y < y1), (x >= x0) & (x < x1)).astype(np.float32)


def raw(rng: np.random.Generator) -> np.ndarray:
    kind, cells = rng.integers(12), rng.normal(size=rng.integers(2, 8, 2)).astype(np.float32)
    if kind == 0:
        cells[:] = 0.5
    elif kind == 1:
        cells[0, 0] = np.nan
    elif kind == 2:
        cells = -np.abs(cells)
    return cells


def rows_of(name: str, cases: Sequence[tuple[Found | None, Truth]], **rules) -> list[Row | None]:
    one = metric(name, **rules)
    return [one.miss(told) if answer is None else one.row(answer, told) for answer, told in cases]
