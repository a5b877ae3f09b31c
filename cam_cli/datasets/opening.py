"""A dataset by its path: which format it is, and its truths, checked as a whole."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from cam_cli.errors import DatasetUnreadable, InputEmpty, InputMissing, UsageError
from cam_cli.images.naming import whole_stems
from cam_cli.types import Truth

from . import FORMATS
from .dataset import Dataset, Format, Notes, Request

NO_TRUTH = "image without truth"


def open_dataset(request: Request, format: str | None = None, *, images: bool = True) -> Dataset:
    """Reads the truths of a dataset; no image is opened.

    format: a name in FORMATS; detected where None. images: whether the images must be there: one of them at least, or
    their root is another. Single ones that are missing fail when they are read.
    Raises InputMissing, InputEmpty, InputUnreadable, UsageError, and DatasetUnreadable with file and row.
    """
    for path in (request.path, *filter(None, [request.images])):
        if not os.path.exists(path):
            raise InputMissing(f"{path}: no such file or folder; check the path")
    name = detect(request.path) if format is None else FORMATS.canonical(format)
    member: Format = FORMATS.load(name)
    notes = Notes()
    truths = tuple(checked(member.read(request, notes), request, name, notes))
    if not truths:
        raise InputEmpty(
            f"{request.path}: no image in this {name} dataset" + f" (split {request.split})" * bool(request.split)
        )
    if images and not any(os.path.isfile(truth.item.path) for truth in truths):
        raise InputMissing(
            f"{request.path}: none of its {len(truths)} images is there, the first being {truths[0].item.path}; name "
            "their root with --images"
        )
    whole = whole_stems([truth.item.id for truth in truths])
    truths = tuple(
        replace(truth, item=replace(truth.item, stem=truth.item.id)) if truth.item.id in whole else truth
        for truth in truths
    )
    dataset = Dataset(name, request.path, truths, {}, notes)
    return replace(dataset, spellings={label: member.spellings(label) for label in dataset.classes})


def detect(path: str) -> str:
    """The name of the first format that a path is of. Raises DatasetUnreadable with what was looked for."""
    for name in FORMATS:
        if FORMATS.load(name).detects(path):
            return name
    looked = "; ".join(f"{name} ({entry.summary})" for name, entry in FORMATS.items())
    raise DatasetUnreadable(
        f"{path}: no dataset of a known format. Looked for: {looked}. Give --dataset-format to insist"
    )


def checked(truths: Iterable[Truth], request: Request, format: str, notes: Notes) -> Iterator[Truth]:
    """Raises UsageError for a column of a format that has none, DatasetUnreadable for an id twice."""
    ids = set[str]()
    for truth in truths:
        lacking = [name for name in request.columns if name not in truth.columns]
        if lacking:
            raise UsageError(f"a {format} dataset has no column {lacking[0]!r}; columns are those of a CSV table")
        if truth.item.id in ids:
            raise DatasetUnreadable(f"{request.path}: {truth.item.id} is there twice; an image is listed once")
        ids.add(truth.item.id)
        if not truth.told:
            notes.add(NO_TRUTH, truth.item.id)
        yield truth
