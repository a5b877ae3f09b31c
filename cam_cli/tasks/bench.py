"""Where an evaluation's maps come from: here files, in `judges` models side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from math import nan
from typing import Any

from cam_cli.datasets.dataset import Dataset, among
from cam_cli.datasets.predictions import Predictions, Said, read_predictions
from cam_cli.engine.flow import Flow, cores
from cam_cli.engine.judged import Baseline, Judged, Sketch, with_baselines
from cam_cli.errors import ImageUnreadable, InputEmpty, InputMissing, MapMissing, MapUnreadable
from cam_cli.images.header import Header, read_header
from cam_cli.images.mapfile import NO_MAPS, find_map, read_map
from cam_cli.images.naming import short_stem
from cam_cli.metrics.baselines import centre, random
from cam_cli.metrics.metric import Found
from cam_cli.specs.evaluate import EvaluateSpec
from cam_cli.types import Failure, Geometry, ImageItem, Truth

from .listener import Listener

IN_FILES = "maps"  # what a run is called whose maps come from files, and its model
SIZES = 16  # so many sizes of pictures are remembered of the centred map
UNKNOWN = "is none of the model's; it is left out, and counted in the report"
PARTLY = "image whose file lacks the map of a class; that counts as wrong"


@lru_cache(SIZES)
def centred(geometry: Geometry) -> Sketch:
    """The same for all pictures of a size, and so are its boxes."""
    return Sketch(centre(geometry), {})


BASELINES: dict[str, Baseline] = {
    "centre": lambda geometry, seed: centred(geometry),
    "random": lambda geometry, seed: Sketch(random(seed), {}),
}


@dataclass(frozen=True)
class Lineup:
    """Who is compared. runs: of each, what the report says of it. baselines: their names. unknown: the classes of the
    data that some model lacks. facts: what `run.json` says of models and device."""

    runs: tuple[dict[str, Any], ...]
    baselines: tuple[str, ...]
    unknown: tuple[str, ...]
    facts: dict[str, Any]

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """Of each model, those of its runs, then the baselines'."""
        models = dict.fromkeys(run["model"] for run in self.runs)
        own = {model: [run["run"] for run in self.runs if run["model"] == model] for model in models}
        return {model: (*runs, *self.baselines) for model, runs in own.items()}

    def as_json(self) -> dict[str, Any]:
        """For `run.json`."""
        return {**self.facts, "runs": list(self.runs), "unknown_classes": list(self.unknown)}

    @classmethod
    def of(cls, run: Mapping[str, Any], baselines: bool) -> Lineup:
        """Out of a `run.json`; baselines: whether it had them."""
        facts = {key: run[key] for key in ("models", "device", "precision")}
        return cls(tuple(run["runs"]), tuple(BASELINES) if baselines else (), tuple(run["unknown_classes"]), facts)


@dataclass(frozen=True)
class Bench:
    """What an evaluation runs on. flow: up to what is judged. truths: of each model by id, in the classes that it
    knows."""

    flow: Flow[Judged | Failure]
    lineup: Lineup
    truths: Mapping[str, Mapping[str, Truth]]


def from_files(spec: EvaluateSpec, dataset: Dataset, listener: Listener) -> Bench:
    """The maps of --maps. Raises InputMissing, InputEmpty where not one of them is there, and DatasetUnreadable."""
    folder = str(spec.metric.maps)
    if not os.path.isdir(folder):
        raise InputMissing(f"--maps {folder}: no such folder; check the path")
    if not any(find_map(folder, truth.item.id) for truth in dataset.truths):
        first = dataset.truths[0].item.id
        raise InputEmpty(
            f"--maps {folder}: no map of any of the {len(dataset.truths)} images (looked for {first}.npy …)"
        )
    table, truths = None, dataset.by_id
    unknown: tuple[str, ...] = ()
    if spec.metric.predictions is not None:
        table = read_predictions(spec.metric.predictions, dataset.spellings)
        if table.classes is not None:
            unknown = tuple(label for label in dataset.classes if label not in table.classes)
            truths = {id: among(truth, table.classes) for id, truth in truths.items()}
    for label in unknown:
        listener.warn(f"class {label!r} of the data {UNKNOWN}")
    baselines = BASELINES if spec.metric.baselines else {}
    read = MapReader(folder, truths, table, baselines, spec.run.seed)
    run = {"run": IN_FILES, "model": IN_FILES, "network": folder, "weights": None, "sha256": None}
    return Bench(
        Flow(read, (list,), 64, spec.run.workers or cores()),
        Lineup(
            ({**run, "method": IN_FILES, "layers": []},),
            tuple(baselines),
            unknown,
            {"models": [], "device": "none", "precision": "none", "maps": folder},
        ),
        {IN_FILES: truths},
    )


@dataclass(frozen=True)
class MapReader:
    """What a reading thread does with one image whose maps are in a file. table: what the model said, if somebody
    tells."""

    folder: str
    truths: Mapping[str, Truth]
    table: Predictions | None
    baselines: Mapping[str, Baseline]
    seed: int

    def __call__(self, item: ImageItem) -> Judged | Failure:
        item = replace(item, model=IN_FILES)
        try:
            return self.judged(item, self.truths[item.id])
        except (MapMissing, MapUnreadable, ImageUnreadable) as error:
            return Failure.of(item, error)

    def judged(self, item: ImageItem, truth: Truth) -> Judged:
        """An image without a class needs no map."""
        path = find_map(self.folder, item.id) if truth.labels else None
        if path is None and truth.labels:
            raise MapMissing(f"no map of it in {self.folder} ({item.id}.npy, .npz, .png, .tif)")
        file = NO_MAPS if path is None else read_map(path)
        maps = {} if path is None else file.of(truth.labels, path)
        header = read_header(read_start(item.path)) if truth.size is None or os.path.isfile(item.path) else None
        width, height, orientation = upright(header, truth)
        geometry = file.geometry(width, height, orientation)
        said = self.answer(item)
        found = Found(geometry, maps, said.predictions if said else None, said.probabilities if said else None)
        judged = with_baselines({IN_FILES: found}, self.baselines, self.seed, item.id)
        return Judged(item, geometry, judged, notes=(PARTLY,) * (len(maps) < len(truth.labels)))

    def answer(self, item: ImageItem) -> Said | None:
        """What the table says of an image; nothing of one that it does not have counts as no answer at all."""
        if self.table is None:
            return None
        none = None if self.table.classes is None else dict.fromkeys(self.table.classes, nan)
        names = (item.id, item.path, short_stem(item.id))
        return next((self.table.said[name] for name in names if name in self.table.said), Said((), none))


def read_start(path: str) -> bytes:
    """The bytes of an image file. Raises ImageUnreadable."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ImageUnreadable(f"cannot read the file: {error.strerror or error}") from error


def upright(header: Header | None, truth: Truth) -> tuple[int, int, int]:
    """Width and height of an upright original and its EXIF orientation: by its header, else as the data say."""
    if header is None:
        assert truth.size is not None
        return (*truth.size, 1)
    width, height = header.width, header.height
    return (height, width, header.orientation) if header.orientation > 4 else (width, height, header.orientation)
