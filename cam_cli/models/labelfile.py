"""Class names from a person's own file: `--labels`. Torch-free."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from cam_cli.errors import InputMissing, LabelsUnreadable

from .labels import Labels, names_in


def read_labels(path: str) -> Labels:
    """From a `.json` (a list, index to name, or name to index), a `.csv` with the columns index, name and perhaps wnid,
    or any other text with a name a line. Raises InputMissing, LabelsUnreadable."""
    suffix = Path(path).suffix.casefold()
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputMissing(f"no labels at {path}") from None
    except (OSError, UnicodeError) as error:
        raise LabelsUnreadable(f"{path} cannot be read as text: {getattr(error, 'strerror', None) or error}") from error
    labels = from_json(text) if suffix == ".json" else from_csv(text) if suffix == ".csv" else from_lines(text)
    if labels is None:
        wanted = {
            ".json": "a list of names, index to name, or name to index, without gaps",
            ".csv": "the columns index and name (and wnid, if known), indices 0 to K-1 once each",
        }.get(suffix, "a name a line")
        raise LabelsUnreadable(f"{path} does not hold class names; wanted: {wanted}")
    return labels


def from_json(text: str) -> Labels | None:
    try:
        names = names_in(json.loads(text))
    except (ValueError, RecursionError):
        return None
    return Labels(names) if names else None


def from_csv(text: str) -> Labels | None:
    rows = list(csv.DictReader(text.splitlines()))
    names = names_in({row.get("index") or "": row.get("name") for row in rows})
    if names is None or len(names) != len(rows):
        return None
    wnids = {int(row["index"]): row.get("wnid") for row in rows}
    if not all(wnids.values()):
        return Labels(names)
    return Labels(names, tuple(wnids[index] or "" for index in range(len(names))))


def from_lines(text: str) -> Labels | None:
    lines = [line.strip() for line in text.rstrip().splitlines()]
    return Labels(tuple(lines)) if lines and all(lines) else None
