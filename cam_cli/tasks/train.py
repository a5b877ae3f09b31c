"""`train`: read the labels, load and cut a network, learn a head of score maps, write one file for --checkpoint.

The lesson needs no torch: a wrong name, a broken dataset, a name that is taken are said at once.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from cam_cli.errors import ImagesFailed, OutputRefused
from cam_cli.outputs import atomic
from cam_cli.specs.train import TrainSpec
from cam_cli.types import Failure

from .lesson import Lesson, make_lesson
from .listener import Listener
from .summary import counted

if TYPE_CHECKING:
    from cam_cli.training.cache import FeatureCache
    from cam_cli.training.loop import Learner

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
    from cam_cli.training.progress import Progress

    from .features import failures, features
    from .pupil import make_pupil
    from .transcript import key

    keep_blocks()
    pupil = make_pupil(spec, lesson, listener)
    wanted = key(spec, lesson, pupil)
    if spec.output.resume and (done := finished(lesson, wanted)):
        outcome.checkpoint, outcome.record, outcome.nothing = lesson.files.checkpoint, done, True
        return outcome
    progress = Progress.read(lesson.files.state, wanted) if spec.output.resume else None
    lesson.files.begin(spec.output.overwrite)
    cache = None
    if spec.learning.freeze:
        cache = features(spec, lesson, pupil, listener, stop)
        outcome.failed = failures(cache, lesson)
    if not stop.is_set():
        learner = make_learner(spec, lesson, pupil, cache, outcome, stop)
        if progress:
            learner.resume(progress)
            listener.note("resume", f"after epoch {len(progress.epochs)}, the best being {progress.best_number}")
        learn(learner, lesson, wanted, listener)
        close(spec, lesson, pupil, learner, outcome)
    outcome.stopped = stop.is_set()
    if not outcome.stopped:
        if cache and not spec.output.keep_cache:
            cache.remove()
        lesson.files.end()
    return outcome


def finished(lesson: Lesson, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """The record of the same training where that came to its end. Raises OutputRefused where it is another."""
    from cam_cli.training.progress import check_key

    files = lesson.files
    if files.state.exists() or not files.checkpoint.exists():
        return None
    try:
        told = json.loads(files.record.read_bytes())
        there, stopped = dict(told["key"]), bool(told["stopped"])
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputRefused(
            f"--resume: there is no record of a training beside {files.checkpoint}; start anew with --overwrite"
        ) from None
    check_key(there, wanted, files.record)
    return None if stopped else dict(told)


def make_learner(
    spec: TrainSpec, lesson: Lesson, pupil: Pupil, cache: FeatureCache | None, outcome: Outcome, stop: Event
) -> Learner:
    """A head on features, or the whole network on pictures. Raises DatasetUnreadable where too few images are left."""
    from cam_cli.training.centring import centred
    from cam_cli.training.featuring import Featurer
    from cam_cli.training.loop import Learner, Plan
    from cam_cli.training.material import Features, Material, Pictures
    from cam_cli.training.recipe import parts

    from .features import workers

    options, seed, device = spec.learning, spec.run.seed, pupil.device
    learn, choose = lesson.learn, lesson.choose
    rows, held = lesson.without({failure.item.id for failure in outcome.failed})
    network, plan = (
        pupil.network,
        Plan(options.epochs, options.patience, options.decay, seed, lesson.competing, device, pupil.precision),
    )
    material: Material
    if cache:
        material = Features(cache, rows, held, len(learn), options.batch_size, seed, device)
        plan = replace(plan, precision="fp32")
    else:
        how = pupil.camera(spec), pupil.changes(spec)
        material = Pictures(learn.items, choose.items, *how, options.batch_size, seed, device, workers(spec), stop)
    learnt = parts(network, pupil.seen, options.rate, 0.0 if cache else options.trunk_rate)
    featurer = Featurer(pupil.trunk, pupil.camera(spec), pupil.batch, workers(spec))
    shown = (one.inputs if cache else featurer.run([*one.inputs]) for one in material.epoch(0))  # and not learnt from
    network.head.centre = centred(shown, pupil.cut.channels).to(device)
    return Learner(
        plan,
        network.head if cache else network,
        learnt,
        material,
        learn,
        choose,
        -(-len(rows) // options.batch_size),
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


def close(spec: TrainSpec, lesson: Lesson, pupil: Pupil, learner: Learner, outcome: Outcome) -> None:
    """Writes the best epoch's network, the curve and the record. Nothing where there was no epoch."""
    from cam_cli.training.material import Pictures
    from cam_cli.training.saving import save

    from .transcript import drawn, kept_beside, metrics, transcript

    progress, files = learner.progress, lesson.files
    if progress.chosen is None:
        return
    if isinstance(learner.material, Pictures):
        outcome.failed = list(learner.material.failures.values())
    verdict = learner.best()
    found = metrics(progress.chosen, verdict)
    network = pupil.network.cpu().eval()
    network.head.settle()
    save(files.checkpoint, network, pupil.described(lesson, kept_beside(spec, lesson, found)))
    title = f"{files.checkpoint.name}: {pupil.source.name}, {spec.head.pool} pooling"
    atomic.write(files.curve, drawn(progress, title))
    outcome.record = transcript(
        spec, lesson, pupil, progress, found, outcome.failed, not learner.finished, outcome.seconds
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
