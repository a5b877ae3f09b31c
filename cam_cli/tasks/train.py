"""`train`: read the labels, load and cut a network, learn a head of score maps, write one file for --checkpoint.

The lesson needs no torch: a wrong name, a broken dataset, a name that is taken are said at once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from cam_cli.errors import ImagesFailed, OutputRefused
from cam_cli.outputs import atomic
from cam_cli.specs.train import TrainSpec
from cam_cli.types import Failure, ImageItem

from .explain import counted
from .lesson import Lesson, make_lesson
from .listener import Listener

if TYPE_CHECKING:
    from cam_cli.training.cache import FeatureCache
    from cam_cli.training.loop import Learner
    from cam_cli.training.material import Material

    from .pupil import Pupil


@dataclass
class Outcome:
    """What a training came to. checkpoint: None where it was stopped before there was one. record: what `train.json`
    holds. failed: images that could not be read. nothing: there was nothing left to do."""

    images: int
    checkpoint: Path | None = None
    record: dict[str, Any] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)
    stopped: bool = False
    nothing: bool = False
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def train(spec: TrainSpec, listener: Listener, stop: Event) -> Outcome:
    """One run of `spec`. Tells `listener` as it goes; `stop` ends it soon, with the best epoch so far in its file.

    Raises what planning and loading raise, DatasetUnreadable where too little can be read to learn from, OutputFailed
    and OutputRefused while writing. That images failed is not raised here: see `check_failures`.
    """
    lesson = make_lesson(spec)
    lesson.tell(listener)
    outcome = Outcome(len(lesson.learn) + len(lesson.choose))

    from cam_cli.engine.allocator import keep_blocks  # torch from here on

    from .pupil import make_pupil
    from .transcript import key

    keep_blocks()
    pupil = make_pupil(spec, lesson, listener)
    wanted = key(spec, lesson, pupil)
    if spec.output.resume and (done := finished(lesson, wanted)):
        outcome.checkpoint, outcome.record, outcome.nothing = lesson.files.checkpoint, done, True
        return outcome
    progress = kept(spec, lesson, wanted)
    lesson.files.begin(spec.output.overwrite)
    cache = None
    if spec.learning.freeze:
        cache = features(spec, lesson, pupil, outcome, listener, stop)
    if not stop.is_set():
        learner = make_learner(spec, lesson, pupil, cache, outcome, stop)
        if progress:
            learner.resume(progress)
            listener.note("resume", f"after epoch {len(progress.epochs)} of at most {spec.learning.epochs}")
        learn(learner, lesson, wanted, listener)
        close(spec, lesson, pupil, learner, outcome, stop.is_set())
    outcome.stopped = stop.is_set()
    if not outcome.stopped:
        if cache and not spec.output.keep_cache:
            cache.remove()
        lesson.files.end()
    return outcome


def finished(lesson: Lesson, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The record of a training that came to its end, where it is the same. Raises OutputRefused where it is another."""
    from cam_cli.training.progress import check_key

    files = lesson.files
    if files.state.exists() or not files.checkpoint.exists():
        return None
    try:
        told = json.loads(files.record.read_bytes())
        there, stopped = told["key"], told["stopped"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputRefused(
            f"--resume: {files.checkpoint} has no record of a training beside it; start anew with --overwrite"
        ) from None
    check_key(there, wanted, files.record)
    return None if stopped else dict(told)


def kept(spec: TrainSpec, lesson: Lesson, wanted: dict[str, Any]) -> Any:
    """The training to go on with, if one was asked for and was stopped. Raises OutputRefused where it is another."""
    from cam_cli.training.progress import Progress

    return Progress.read(lesson.files.state, wanted) if spec.output.resume else None


def features(
    spec: TrainSpec, lesson: Lesson, pupil: Pupil, outcome: Outcome, listener: Listener, stop: Event
) -> FeatureCache:
    """The features of all images, computed as far as they are not there."""
    from cam_cli.training.cache import FeatureCache, gigabytes
    from cam_cli.training.featuring import Featurer, Wanted
    from cam_cli.training.shots import Shot

    camera, changes, views = pupil.camera(spec), pupil.changes(spec), spec.learning.views
    sizes = [changes.size, *changes.sizes(views - 1, "views")]
    featurer = Featurer(pupil.trunk, camera, pupil.batch, workers(spec))
    learn, choose = lesson.learn.items, lesson.choose.items
    jobs = [Wanted(item, (Shot(changes.size), *shots_of(changes, sizes, item))) for item in learn]
    jobs += [Wanted(item, (Shot(changes.size),)) for item in choose]
    depends = {
        "images": [fingerprint(item) for item in (*learn, *choose)],
        "learn": len(learn),
        "backbone": asdict(pupil.backbone)
        | {"arguments": {name: repr(value) for name, value in pupil.backbone.arguments}},
        "cut": asdict(pupil.cut),
        "recipe": asdict(pupil.recipe),
        "shown": [spec.geometry.fit, spec.geometry.intensity],
        "views": [views, changes.as_json(), spec.run.seed],
        "passes": [pupil.batch, pupil.device.type, pupil.precision],
    }
    rows = [len(jobs), *[len(learn)] * (views - 1)]
    folder = Path(spec.output.cache) if spec.output.cache else lesson.files.features
    cache = FeatureCache.open(folder, depends, rows, featurer.shapes(sizes))
    there = "all there already" if cache.complete else f"{cache.done} of {len(jobs)} images there already"
    listener.note(
        "cache",
        f"{folder}: {counted(views, 'view')} an image, {gigabytes(cache.bytes)}" + f", {there}" * bool(cache.done),
    )
    if not cache.complete:
        listener.begin(len(jobs), "features", cache.done)

        def tell(item: ImageItem, failure: Failure | None) -> None:
            error = {"kind": failure.kind, "message": failure.message} if failure else None
            listener.judged(item.path, error)

        featurer.fill(cache, jobs, stop, tell)
    outcome.failed = [Failure(jobs[row].item, *told) for row, told in cache.failed.items()]
    return cache


def shots_of(changes: Any, sizes: Sequence[int], item: ImageItem) -> list[Any]:
    return [changes.shot(size, item.id, f"view {view}") for view, size in enumerate(sizes[1:], 1)]


def fingerprint(item: ImageItem) -> list[Any]:
    """What tells whether a file is still the same, without reading it."""
    try:
        told = Path(item.path).stat()
    except OSError:
        return [item.id, None, None]
    return [item.id, told.st_size, told.st_mtime_ns]


def workers(spec: TrainSpec) -> int:
    import os

    return spec.run.workers or os.cpu_count() or 1


def make_learner(
    spec: TrainSpec, lesson: Lesson, pupil: Pupil, cache: FeatureCache | None, outcome: Outcome, stop: Event
) -> Learner:
    """A head on features, or the whole network on pictures. Raises DatasetUnreadable where too few images are left."""
    from cam_cli.training.loop import Learner, Plan
    from cam_cli.training.material import Features, Pictures
    from cam_cli.training.recipe import parts

    options, seed = spec.learning, spec.run.seed
    learn, choose, rows, held = lesson.without({failure.item.id for failure in outcome.failed})
    material: Material
    if cache:
        material = Features(cache, rows, held, len(learn), options.batch, seed, pupil.device)
    else:
        images = (learn.items, choose.items, pupil.camera(spec), pupil.changes(spec))
        material = Pictures(*images, options.batch, seed, pupil.device, workers(spec), stop)
    network = pupil.network
    plan = Plan(options.epochs, options.patience, options.decay, seed, lesson.competing, pupil.device, pupil.precision)
    trunk_rate = 0.0 if cache else options.trunk_rate
    return Learner(
        replace(plan, precision="fp32") if cache else plan,
        network.head if cache else network,
        parts(network, pupil.seen, options.rate, trunk_rate),
        material,
        learn,
        choose,
        -(-len(rows) // options.batch),
        stop,
    )


def learn(learner: Learner, lesson: Lesson, wanted: dict[str, Any], listener: Listener) -> None:
    """Epoch by epoch, each kept, so that --resume goes on after it."""
    from cam_cli.training.progress import Epoch

    listener.begin(learner.plan.epochs, "learning", len(learner.progress.epochs))

    def tell(epoch: Epoch) -> None:
        learner.progress.save(lesson.files.state, wanted)
        listener.learnt(asdict(epoch), learner.progress.chosen is epoch)

    learner.run(tell)


def close(spec: TrainSpec, lesson: Lesson, pupil: Pupil, learner: Learner, outcome: Outcome, stopped: bool) -> None:
    """Writes the best epoch's network, the curve and the record. Nothing where there was no epoch."""
    from cam_cli.training.material import Pictures
    from cam_cli.training.saving import save

    from .transcript import drawn, kept_beside, metrics, transcript

    progress, files, material = learner.progress, lesson.files, learner.material
    if progress.chosen is None:
        return
    learner.keep_best()
    learner.stop = Event()
    if isinstance(material, Pictures):
        outcome.failed = list(material.failures.values())
        learner.material = replace(material, stop=Event())
    verdict = learner.judge()
    found = metrics(progress.chosen, verdict)
    save(files.checkpoint, pupil.network.cpu().eval(), pupil.described(lesson, kept_beside(spec, lesson, found)))
    title = f"{files.checkpoint.name}: {pupil.source.name}, {spec.head.pool} pooling"
    atomic.write(files.curve, drawn(progress, title))
    failed = [{"image": one.item.path, "kind": one.kind, "message": one.message} for one in outcome.failed]
    outcome.record = transcript(
        spec, lesson, pupil, progress, found, failed, stopped and not learner.finished, outcome.seconds
    )
    atomic.write(files.record, (json.dumps(outcome.record, indent=1) + "\n").encode())
    outcome.checkpoint = files.checkpoint


def check_failures(spec: TrainSpec, outcome: Outcome) -> None:
    """Raises ImagesFailed when more images failed than --max-failures allows."""
    failed = len(outcome.failed)
    if failed > spec.run.failures_allowed(outcome.images):
        raise ImagesFailed(
            f"{failed} of {counted(outcome.images, 'image')} failed; the network is trained on the others"
        )
