"""What is to be learnt, and from which images: all of a training that can be known before torch is loaded."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cam_cli.datasets.dataset import Dataset, Request
from cam_cli.datasets.opening import NO_TRUTH, open_dataset
from cam_cli.errors import DatasetUnreadable, InputEmpty, OutputRefused, nearest
from cam_cli.images.intensity import Intensity
from cam_cli.images.recipe import asked
from cam_cli.outputs.trained import TrainedFiles
from cam_cli.specs.train import TrainDataSpec, TrainSpec
from cam_cli.training.samples import SHOWN, Samples, check, choose_classes, single, telling
from cam_cli.training.splitting import drawn
from cam_cli.types import Truth

from .listener import Listener
from .summary import counted

OF_BOXES = "size", "box", "mask", "object"  # in what is odd about the data, and does not matter here


@dataclass(frozen=True)
class Lesson:
    """learn, choose: both sides of the split; nothing to choose by is no images. competing: a picture has one class.

    datasets: what was read, the second one where there is one. blank: images whose annotation says nothing.
    notes: what is odd, to be said. files: where everything goes.
    """

    datasets: tuple[Dataset, ...]
    learn: Samples
    choose: Samples
    competing: bool
    blank: int
    notes: tuple[str, ...]
    files: TrainedFiles

    @property
    def classes(self) -> tuple[str, ...]:
        return self.learn.classes

    def without(self, failed: set[str]) -> tuple[list[int], list[int]]:
        """The rows of both sides that are left without the images (by id) that could not be read. Raises
        DatasetUnreadable where that is too little."""
        learn, choose = (
            [row for row, item in enumerate(side.items) if item.id not in failed] for side in (self.learn, self.choose)
        )
        try:
            check(self.learn.take(learn), self.choose.take(choose), self.competing)
        except DatasetUnreadable as error:
            raise DatasetUnreadable(
                f"{counted(len(failed), 'image')} could not be read, and {error.message}"
            ) from error
        return learn, choose

    def tell(self, listener: Listener) -> None:
        for data in self.datasets:
            listener.note("data", f"{data.path} ({data.format}): {counted(len(data.truths), 'image')}")
            for kind, count in data.notes.counts.items():
                if kind == NO_TRUTH or any(word in kind for word in OF_BOXES):
                    continue
                where = ", ".join(data.notes.places[kind][:3])
                listener.note("data", f"{count} × {kind}: {where}{', …' * (count > 3)}")
        how = "one a picture (softmax)" if self.competing else "any number a picture (sigmoid)"
        listener.note(
            "learn",
            f"{counted(len(self.classes), 'class')}, {how}, from {counted(len(self.learn), 'image')}; "
            + (f"{len(self.choose)} to choose by" if len(self.choose) else "none to choose by"),
        )
        for text in self.notes:
            listener.warn(text)

    def as_json(self) -> dict[str, Any]:
        """For the record: of each class, how many images show it on either side."""
        return {
            "data": [{"path": data.path, "format": data.format, "images": len(data.truths)} for data in self.datasets],
            "labels": "single" if self.competing else "multi",
            "images": {"learn": len(self.learn), "choose": len(self.choose), "without_labels": self.blank},
            "classes": {
                label: {"learn": count, "choose": self.choose.counts()[label]}
                for label, count in self.learn.counts().items()
            },
            "uncertain": int((~self.learn.known).sum() + (~self.choose.known).sum()),
        }

    def digest(self) -> str:
        """Of the images of both sides and what is known of them: hex."""
        told = [
            [item.id, side.present[row].tolist(), side.known[row].tolist()]
            for side in (self.learn, self.choose)
            for row, item in enumerate(side.items)
        ]
        text = json.dumps([self.classes, len(self.learn), told])
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def outline(spec: TrainSpec) -> dict[str, Any]:
    """What a run would do, and what it costs: passes of the network over one image. Raises as `make_lesson`."""
    lesson = make_lesson(spec)
    learn, choose, options = len(lesson.learn), len(lesson.choose), spec.learning
    if options.freeze:
        passes = {"passes": learn * options.views + choose, "epochs": f"at most {options.epochs}, of the head alone"}
    else:
        passes = {
            "passes": options.epochs * (learn + choose) + learn,
            "passes back": options.epochs * learn,
            "epochs": f"at most {options.epochs}",
        }
    return {
        "data": ", ".join(f"{data.path} ({data.format})" for data in lesson.datasets),
        "learn": learn,
        "choose": choose,
        "without labels": lesson.blank,
        "classes": ", ".join(lesson.classes),
        "labels": "single" if lesson.competing else "multi",
        "model": ", ".join(choice.alias for choice in spec.model.choices()),
        "pool": spec.head.pool,
        "regime": "freeze" if options.freeze else "finetune",
        "output": str(lesson.files.checkpoint),
        **passes,
        **({"odd": "; ".join(lesson.notes)} if lesson.notes else {}),
    }


def make_lesson(spec: TrainSpec) -> Lesson:
    """Reads the options that name things and the annotations; touches nothing.

    Raises UsageError, InputMissing, InputEmpty, DatasetUnreadable, ClassUnknown, OutputRefused.
    """
    _ = spec.model.only
    Intensity.parse(spec.geometry.intensity)
    asked(spec.geometry)
    files = TrainedFiles(Path(spec.output.output))
    files.check(spec.output.overwrite, spec.output.resume)
    if spec.model.checkpoint and files.is_one(spec.model.checkpoint):
        raise OutputRefused(f"-o {files.checkpoint} would replace the --checkpoint that is read; choose another name")
    data = spec.data
    whole = opened(data, spec.dataset, data.split)
    other = None
    if data.val_data or data.val_split:
        other = opened(data, data.val_data or spec.dataset, data.val_split)
    part = whole.take(spec.run.limit, spec.run.sample, spec.run.seed)
    sure, blank = telling(part.truths)
    held, more = telling(other.truths) if other else ([], [])
    for dataset, found in ((part, sure), (other, held)):
        if dataset and not found:
            raise InputEmpty(f"{dataset.path}: none of {counted(len(dataset.truths), 'image')} has a label to learn")
    known = part.classes
    classes = choose_classes(known, data.classes)
    if other:
        check_words(known, other)
    competing = single([*sure, *held], known, data.kind)
    if competing:
        sure, held = ([one for one in side if one.labels[0] in classes] for side in (sure, held))
    learn, choose, notes = sides(spec, part, sure, held, other, classes)
    notes += unseen(part, data.classes)
    notes += [f"{counted(len(blank) + len(more), 'image')} without labels left out"] * bool(blank or more)
    notes += check(learn, choose, competing)
    datasets = (part, other) if other else (part,)
    return Lesson(datasets, learn, choose, competing, len(blank) + len(more), tuple(notes), files)


def unseen(part: Dataset, asked: Sequence[str]) -> list[str]:
    """Classes that the data list and no image of them shows, in words."""
    names = [label for label in dict.fromkeys(part.notes.named) if label not in part.classes and not asked]
    listed = ", ".join(names[:SHOWN]) + ", …" * (len(names) > SHOWN)
    return [f"no image shows {listed}, which the data name: not learnt"] if names else []


def opened(data: TrainDataSpec, path: str, split: str | None) -> Dataset:
    columns = (data.group,) if data.group else ()
    return open_dataset(Request(path, split, data.images, columns, data.separator, data.uncertain), data.format)


def check_words(known: Sequence[str], other: Dataset) -> None:
    """Raises DatasetUnreadable for a class of the data to choose by that nothing is learnt of."""
    for label in other.classes:
        if label not in known:
            shows = [truth.item.id for truth in other.truths if label in (*truth.labels, *truth.uncertain)]
            raise DatasetUnreadable(
                f"{other.path}: {label!r} ({counted(len(shows), 'image')}, the first: {shows[0]}) is no class of the "
                f"images to learn from{nearest(label, list(known))}; correct one of them"
            )


def sides(
    spec: TrainSpec,
    part: Dataset,
    sure: list[Truth],
    held: list[Truth],
    other: Dataset | None,
    classes: tuple[str, ...],
) -> tuple[Samples, Samples, list[str]]:
    """What is learnt from and what is chosen by, as given or as drawn, and what is odd about them."""
    learn = Samples.of(sure, classes, spec.data.group)
    if not len(learn):
        raise InputEmpty(f"{part.path}: no image shows a class of --classes")
    if other is None:
        if not spec.data.val:
            return learn, learn.take([]), []
        rows, kept = drawn(learn, spec.data.val, spec.run.seed)
        return learn.take(rows), learn.take(kept), []
    choose = Samples.of(held, classes)
    if other.path == part.path:
        both = {item.id for item in learn.items} & {item.id for item in choose.items}
    else:
        places = {Path(item.path).resolve() for item in learn.items}
        both = {item.id for item in choose.items if Path(item.path).resolve() in places}
    notes = [
        f"{counted(len(both), 'image')} to choose by {'are' if len(both) > 1 else 'is'} learnt from as well"
    ] * bool(both)
    return learn, renamed(choose, learn), notes


def renamed(choose: Samples, learn: Samples) -> Samples:
    """The images to choose by with ids that none of the others has: two datasets may share some."""
    taken = {item.id for item in learn.items}
    items = tuple(replace(item, id=f"val:{item.id}") if item.id in taken else item for item in choose.items)
    return replace(choose, items=items)
