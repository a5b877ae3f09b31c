"""What is kept of a training for people and for programs: `train.json`, and the curve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any

from cam_cli import __version__
from cam_cli.outputs.encode import encode
from cam_cli.outputs.record import number
from cam_cli.render.curve import Line, curve
from cam_cli.specs.train import TrainSpec, TrainTerminalSpec
from cam_cli.training.progress import Epoch, Progress
from cam_cli.training.verdict import Verdict
from cam_cli.types import Failure

from .lesson import Lesson
from .pupil import Pupil, told
from .versions import versions

SCHEMA = "camtool.train/1"
TERMINAL = [flag for one in fields(TrainTerminalSpec) for flag in one.metadata["option"].flags]
IDLE = {"--resume", "--overwrite", "--keep-cache", *TERMINAL}  # words of a command that change nothing in the file
BLUE, ORANGE, GREEN = (38, 92, 172), (214, 116, 28), (24, 138, 92)


def key(spec: TrainSpec, lesson: Lesson, pupil: Pupil) -> dict[str, Any]:
    """What the result depends on, in plain values: a training goes on only where all of it is the same."""
    return {
        "images and labels": lesson.digest(),
        "classes": list(lesson.classes),
        "labels": "single" if lesson.competing else "multi",
        "model": pupil.backbone.as_json(),
        "layer": pupil.cut.layer,
        "preprocessing": preprocessing(spec, pupil),
        "head": asdict(pupil.shape),
        "learning": asdict(spec.learning),
        "seed": spec.run.seed,
        "device": pupil.device.type,
        "precision": pupil.precision,
    }


def preprocessing(spec: TrainSpec, pupil: Pupil) -> dict[str, Any]:
    return {**asdict(pupil.recipe), "fit": spec.geometry.fit, "intensity": spec.geometry.intensity}


def metrics(chosen: Epoch | None, verdict: Verdict | None) -> dict[str, Any]:
    """Of the weights that are kept, on the images to choose by; what `camtool metrics` lists has its name there."""
    found: dict[str, Any] = {
        "epoch": chosen.number if chosen else None,
        "loss": number(chosen.loss) if chosen else None,
    }
    if verdict:
        found |= {"val_loss": number(verdict.loss), "classification_ap": number(verdict.map) if verdict.map else None}
        if verdict.top1 is not None:
            found["top1_accuracy"] = number(verdict.top1)
        found["ap"] = {label: number(value) for label, value in verdict.ap.items()}
    return found


def transcript(
    spec: TrainSpec,
    lesson: Lesson,
    pupil: Pupil,
    progress: Progress,
    found: Mapping[str, Any],
    failed: Sequence[Failure],
    stopped: bool,
    seconds: float,
) -> dict[str, Any]:
    """The content of `train.json`. stopped: before the epochs or the patience were at an end. failed: of images."""
    files = lesson.files
    return {
        "schema": SCHEMA,
        "command": list(spec.arguments),
        "spec": spec.as_json(),
        "key": key(spec, lesson, pupil),
        "data": lesson.as_json() | {"failed": failures(failed)},
        "network": {
            "backbone": pupil.source.name,
            "weights": pupil.source.weights,
            "sha256": pupil.source.weights_sha256,
            "layer": asdict(pupil.layer),
            "head": told(pupil.shape),
        },
        "preprocessing": preprocessing(spec, pupil),
        "epochs": [
            {name: number(value) if isinstance(value, float) else value for name, value in asdict(one).items()}
            for one in progress.epochs
        ],
        "stopped": stopped,
        "metrics": dict(found),
        "files": {"checkpoint": files.checkpoint.name, "record": files.record.name, "curve": files.curve.name},
        "device": str(pupil.device),
        "precision": pupil.precision,
        "versions": versions(),
        "timing": {"written": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": round(seconds, 3)},
    }


def failures(failed: Sequence[Failure]) -> dict[str, Any]:
    told = [{"image": one.item.path, "kind": one.kind, "message": one.message} for one in failed]
    return {"count": len(told), "images": told}


def kept_beside(spec: TrainSpec, lesson: Lesson, found: Mapping[str, Any]) -> dict[str, Any]:
    """What the checkpoint says of itself for people: nothing that depends on whether the run was broken off."""
    learning = spec.learning
    return {
        "training": {
            "command": [one for one in spec.arguments if one not in IDLE],
            "regime": "freeze" if learning.freeze else "finetune",
            "images": {"learn": len(lesson.learn), "choose": len(lesson.choose)},
            "seed": spec.run.seed,
        },
        "metrics": {name: value for name, value in found.items() if name != "ap"},
        "camtool": __version__,
    }


def drawn(progress: Progress, title: str) -> bytes:
    """The curve, as PNG."""
    epochs = progress.epochs
    lines = [Line("loss", [one.loss for one in epochs], BLUE)]
    if any(one.val_loss is not None for one in epochs):
        lines.append(Line("loss, images to choose by", [one.val_loss for one in epochs], ORANGE))
        lines.append(Line("mean average precision, right axis", [one.val_map for one in epochs], GREEN, right=True))
    return encode(curve(lines, progress.chosen.number if progress.chosen else None, title), "png")
