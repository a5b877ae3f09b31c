"""What a model said, out of a table: `evaluate --predictions`, for maps that come from files."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path

from cam_cli.errors import DatasetUnreadable, InputMissing, nearest

PATH, RANKED = ("path", "id", "image", "file"), ("predictions", "prediction", "predicted")
SEPARATOR = ";"
MOST = 5  # predictions of an image that nobody ranked


@dataclass(frozen=True)
class Said:
    """Of one image. predictions: classes, best first. probabilities: of those classes that have a column, NaN where its
    cell is empty; None where none has."""

    predictions: tuple[str, ...]
    probabilities: Mapping[str, float] | None


@dataclass(frozen=True)
class Predictions:
    """said: by what the `path` column holds. classes: of the data, those that have a column, so that the model knows
    them; None without such columns, where nobody tells."""

    said: Mapping[str, Said]
    classes: tuple[str, ...] | None


def read_predictions(path: str, labels: Collection[str]) -> Predictions:
    """The columns: `path`; `predictions` (or predicted), classes with `;` between, best first; and one called as each
    of the dataset's `labels`, with its probability. Without `predictions` they are ranked by those.

    Raises InputMissing, DatasetUnreadable with file and row, and where no class that is predicted is one of `labels`.
    """
    if not Path(path).is_file():
        raise InputMissing(f"--predictions {path}: no such file; check the path")
    with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        columns = reader.fieldnames or []
        key = next((name for name in PATH if name in columns), None)
        ranked = next((name for name in RANKED if name in columns), None)
        scored = [label for label in labels if label in columns]
        if key is None or (ranked is None and not scored):
            raise DatasetUnreadable(
                f"{path}: the first row must name a column path, and predictions or the classes "
                f"(columns found: {', '.join(columns) or 'none'})"
            )
        found: dict[str, Said] = {}
        try:
            for row in reader:
                where = f"{path}, row {reader.line_num}"
                if None in row or None in row.values():
                    raise DatasetUnreadable(f"{where}: not as many cells as the header has")
                if row[key] in found:
                    raise DatasetUnreadable(f"{where}: {row[key]} stands there twice")
                probabilities = {label: number(row[label], where, label) for label in scored}
                best = listed(row[ranked]) if ranked else ranking(probabilities)
                found[row[key]] = Said(best, probabilities or None)
        except csv.Error as error:
            raise DatasetUnreadable(f"{path}, row {reader.reader.line_num}: {error}") from error
    predicted = dict.fromkeys(label for one in found.values() for label in one.predictions)
    if predicted and not any(label in labels for label in predicted):
        first = next(iter(predicted))
        raise DatasetUnreadable(
            f"{path}: none of the classes it predicts ({first}, …) is one of the data{nearest(first, list(labels))}; "
            "call them as the data do"
        )
    return Predictions(found, tuple(scored) or None)


def listed(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(SEPARATOR) if part.strip())


def ranking(probabilities: Mapping[str, float]) -> tuple[str, ...]:
    """The most probable classes, best first; those without a number are none of them."""
    known = [label for label, value in probabilities.items() if isfinite(value)]
    return tuple(sorted(known, key=lambda label: -probabilities[label])[:MOST])


def number(text: str, where: str, column: str) -> float:
    """Of an empty cell NaN. Raises DatasetUnreadable for what is no finite number."""
    if not text.strip():
        return nan
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise DatasetUnreadable(f"{where}: {column} is {text!r}, not a number")
    return value
