"""The features of a lesson's images, computed by a frozen trunk as far as they are not on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from threading import Event
from typing import Any

from cam_cli.engine.flow import cores
from cam_cli.specs.train import TrainSpec
from cam_cli.training.cache import FeatureCache, gigabytes
from cam_cli.training.featuring import Featurer, Wanted
from cam_cli.training.samples import Samples
from cam_cli.training.shots import Changes, Shot
from cam_cli.types import Failure, ImageItem

from .lesson import Lesson
from .listener import Listener
from .pupil import Pupil
from .summary import counted


def features(spec: TrainSpec, lesson: Lesson, pupil: Pupil, listener: Listener, stop: Event) -> FeatureCache:
    """Raises OutputRefused, OutputFailed, ModelFailed. Incomplete where it was stopped."""
    changes, views = pupil.changes(spec), spec.learning.views
    sizes = [changes.size, *changes.sizes(views - 1, "views")]
    featurer = Featurer(pupil.trunk, pupil.camera(spec), pupil.batch, workers(spec))
    total, learnt = len(lesson.learn) + len(lesson.choose), len(lesson.learn)
    rows = [total, *[learnt] * (views - 1)]
    folder = Path(spec.output.cache) if spec.output.cache else lesson.files.features
    cache = FeatureCache.open(folder, depends(spec, lesson, pupil, changes), rows, featurer.shapes(sizes))
    there = "" if not cache.done else ", all there" if cache.complete else f", {cache.done} of {total} images there"
    listener.note("cache", f"{folder}: {counted(views, 'view')} an image, {gigabytes(cache.bytes)}{there}")
    for row, (kind, message) in cache.failed.items():
        listener.warn(f"{image_at(lesson, row).path} was left out: {kind}: {message}")
    if not cache.complete:
        listener.begin(total, "features", cache.done)

        def tell(item: ImageItem, failure: Failure | None) -> None:
            listener.judged(item.path, {"kind": failure.kind, "message": failure.message} if failure else None)

        items = chain(lesson.learn.items, lesson.choose.items)
        wanted = (
            Wanted(item, shots(changes, sizes if row < learnt else sizes[:1], item)) for row, item in enumerate(items)
        )
        featurer.fill(cache, wanted, stop, tell)
    return cache


def failures(cache: FeatureCache, lesson: Lesson) -> list[Failure]:
    return [Failure(image_at(lesson, row), *told) for row, told in cache.failed.items()]


def image_at(lesson: Lesson, row: int) -> ImageItem:
    learnt = len(lesson.learn)
    return lesson.learn.items[row] if row < learnt else lesson.choose.items[row - learnt]


def shots(changes: Changes, sizes: Sequence[int], item: ImageItem) -> tuple[Shot, ...]:
    """The first view shows an image as it is, each further one a change of it."""
    changed = (changes.shot(size, item.id, f"view {view}") for view, size in enumerate(sizes[1:], 1))
    return (Shot(sizes[0]), *changed)


def depends(spec: TrainSpec, lesson: Lesson, pupil: Pupil, changes: Changes) -> dict[str, Any]:
    """What features depend on; where all of it is the same, they are read and not computed."""
    return {
        "images": [digest(lesson.learn), digest(lesson.choose)],
        "backbone": pupil.backbone.as_json(),
        "cut": asdict(pupil.cut),
        "recipe": asdict(pupil.recipe),
        "shown": [spec.geometry.fit, spec.geometry.intensity, spec.geometry.max_pixels],
        "views": [spec.learning.views, changes.as_json(), spec.run.seed],
        "passes": [pupil.batch, pupil.device.type, pupil.precision],
    }


def digest(samples: Samples) -> str:
    """Of the images' ids and of what tells, without reading them, whether their files are the same: hex."""
    found = hashlib.sha256()
    for item in samples.items:
        try:
            told = os.stat(item.path)
            state = [told.st_size, told.st_mtime_ns]
        except OSError:
            state = []
        found.update(json.dumps([item.id, state]).encode())
    return found.hexdigest()


def workers(spec: TrainSpec) -> int:
    return spec.run.workers or cores()
