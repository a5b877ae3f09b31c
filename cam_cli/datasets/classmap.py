"""Which classes of the model stand for a class of the dataset: `--class-map`."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from cam_cli.errors import DatasetUnreadable, InputMissing, nearest

from .rows import Row, read_rows

SHIPPED = {"voc-from-imagenet": Path(__file__).with_name("voc-from-imagenet.csv")}
COLUMNS = "class", "model"
ClassMap = dict[str, tuple[str, ...]]
"""What the model may call each of the dataset's classes, as `Labels.find` takes it; in the order of the file."""


def read_class_map(text: str) -> ClassMap:
    """From a CSV: the columns `class` (the dataset's) and `model` (a name, a WNID or an index), one row a pair, several
    rows a class; further columns and lines that begin with `#` are for people. Or the name of a map that is shipped:
    `voc-from-imagenet`, from VOC's 20 classes to ImageNet-1k's by index (what it leaves out and why: docs/datasets.md).

    Raises InputMissing, DatasetUnreadable with file and row.
    """
    file = str(SHIPPED.get(text, text))
    if not os.path.isfile(file):
        shipped = ", ".join(SHIPPED)
        raise InputMissing(
            f"{text}: no such class map{nearest(text, list(SHIPPED))} (a CSV file, or shipped: {shipped})"
        )
    rows = [row for row in read_rows(file, "it is the class map") if not row.text.startswith("#")]
    header = [name.casefold() for name in cells(rows[0])] if rows else []
    for name in COLUMNS:
        if header.count(name) != 1:
            there = ", ".join(header) or "none"
            raise DatasetUnreadable(f"{file}: the first row must name one column {name!r} (columns found: {there})")
    found: dict[str, list[str]] = {}
    for row in rows[1:]:
        here = cells(row)
        if len(here) != len(header):
            raise DatasetUnreadable(
                f"{row.place}: {len(here)} cells where the header has {len(header)}; quote a cell that holds a comma"
            )
        label, model = (here[header.index(name)] for name in COLUMNS)
        if not (label and model):
            raise DatasetUnreadable(
                f"{row.place}: {'class' if not label else 'model'} is empty; a row is a pair of both"
            )
        if model in found.setdefault(label, []):
            raise DatasetUnreadable(f"{row.place}: {label} has {model} already; a pair stands once")
        found[label].append(model)
    if not found:
        raise DatasetUnreadable(f"{file}: no pairs; a row is a class of the dataset and one of the model")
    return {label: tuple(models) for label, models in found.items()}


def cells(row: Row) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([row.text], strict=True))]
    except csv.Error as error:
        raise DatasetUnreadable(f"{row.place}: {error}; quote a cell that holds a comma or a quote") from error
