"""What a model said, out of a table: `evaluate --predictions`, for maps that come from files."""

from __future__ import annotations

import csv
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from cam_cli.errors import DatasetUnreadable, InputMissing

PATH, RANKED = ("path", "id", "image", "file"), ("predictions", "prediction", "class", "predicted")
SEPARATOR = ";"


@dataclass(frozen=True)
class Said:
    """Of one image. predictions: classes, best first; None where there is no such column. probabilities: of those
    classes that have a column; None where none has."""

    predictions: tuple[str, ...] | None
    probabilities: Mapping[str, float] | None


def read_predictions(path: str, labels: Collection[str]) -> dict[str, Said]:
    """By what the `path` column holds. The columns: `path`; `predictions`, classes with `;` between, best first; and
    one called as each of the dataset's `labels`, with its probability. Without `predictions` they are ranked by those.

    Raises InputMissing, DatasetUnreadable with file and row.
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
                best = tuple(part.strip() for part in row[ranked].split(SEPARATOR) if part.strip()) if ranked else None
                if best is None:
                    best = tuple(sorted(probabilities, key=lambda label: -probabilities[label])[:5])
                found[row[key]] = Said(best, probabilities or None)
        except csv.Error as error:
            raise DatasetUnreadable(f"{path}, row {reader.line_num}: {error}") from error
    return found


def number(text: str, where: str, column: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DatasetUnreadable(f"{where}: {column} is {text!r}, not a number") from None
