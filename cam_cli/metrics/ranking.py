"""Images ranked by the probability of a class: what average precision and ROC curves are made of."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from zlib import crc32

import numpy as np

from cam_cli.types import Truth

from .metric import Found, Metric, Needs, Probe, Row

Array = np.ndarray
ENTRIES = 1 << 22  # of a block of weights: some tens of MB, whatever the number of images and resamples


@dataclass(frozen=True)
class Ranked:
    """The images as one class ranks them, the most probable first; those where it is uncertain are left out.

    places: int (m,), of their rows. scores: float32 (m,), −∞ without a probability. true: bool (m,), the class is
    there. uncertain: int, the places of the rows left out.
    """

    label: str
    places: Array
    scores: Array
    true: Array
    uncertain: Array

    def blocks(self, weights: Array, count: int) -> Iterator[tuple[slice, Array]]:
        """The weights of the first `count` images in this order, for some weightings (b, n) at a time. As counts they
        are whole numbers, whose sums float32 holds exactly up to 2²⁴."""
        lines = max(1, ENTRIES // max(count, 1))
        for start in range(0, len(weights), lines):
            block = slice(start, start + lines)
            yield block, np.take(weights[block], self.places[:count], axis=1)

    def groups(self, chosen: Array) -> tuple[Array, Array]:
        """Where the images of one score begin and end, int (g,) each, of the scores that some of `chosen`, bool (m,),
        have: images of one score are all above a threshold or none."""
        values = np.unique(-self.scores[chosen])
        return np.searchsorted(-self.scores, values, "left"), np.searchsorted(-self.scores, values, "right")


class Ranking(Metric):
    """What judges the classifier by how it ranks all images; an image whose truth says nothing is in no ranking."""

    group: ClassVar[str] = "classification"
    needs: ClassVar[Needs] = Needs.LABELS | Needs.PREDICTIONS
    ranks: ClassVar[bool] = True

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """As `row_of` has it."""
        return row_of(found, truth.labels, doubtful(truth)) if truth.told else None

    def miss(self, truth: Truth) -> Row | None:
        return missed(truth.labels, doubtful(truth)) if truth.told else None

    def about(self, row: Row, label: str) -> Row | None:
        return about(row, label)

    def cells(self, row: Row) -> Mapping[str, Any]:
        return {}


def row_of(found: Found, true: Iterable[str], uncertain: Iterable[str]) -> Row | None:
    """Of an image that has the classes `true` and may have the `uncertain`.

    classes: how many are scored, and a digest of their names, in whose order scores stand. scores: float32,
    little-endian, base64: a thousand classes are 5 kB. true, uncertain: the place of each such class among them, None
    for one that the model does not know. None where nobody says how probable anything is.
    """
    if found.probabilities is None:
        return None
    probabilities = found.probabilities
    classes, scores, place = found.once("ranking", lambda: packed(probabilities))
    return {
        "classes": classes,
        "scores": scores,
        "true": {label: place.get(label) for label in true},
        "uncertain": {label: place.get(label) for label in uncertain},
    }


def missed(true: Iterable[str], uncertain: Iterable[str]) -> Row:
    """Of an image without an answer: it comes last, whatever the class."""
    return {"classes": None, "scores": None, "true": dict.fromkeys(true), "uncertain": dict.fromkeys(uncertain)}


def about(row: Row, label: str) -> Row:
    """A row, of one class alone: also images without it are ranked by it."""
    return {**row, **{key: {one: row[key][one] for one in row[key] if one == label} for key in ("true", "uncertain")}}


def doubtful(truth: Truth) -> list[str]:
    return [label for label in truth.uncertain if label not in truth.labels]


def packed(probabilities: Mapping[str, float]) -> tuple[str, str, dict[str, int]]:
    names = sorted(probabilities)
    scores = np.array([probabilities[name] for name in names], "<f4")
    digest = f"{len(names)}:{crc32(chr(0).join(names).encode()):08x}"
    return digest, b64encode(scores.tobytes()).decode(), {name: place for place, name in enumerate(names)}


def rankings(rows: Sequence[Row | None]) -> Iterator[Ranked]:
    """One for each class that is in some image, by name. Raises ValueError for rows of different sets of classes."""
    told = {row["classes"] for row in rows if row} - {None}
    if len(told) > 1:
        raise ValueError(f"rows of different classes: {', '.join(sorted(told))}")
    kept = present(rows)
    table = tabled([row for row in rows if row])
    true, uncertain = places(rows, "true"), places(rows, "uncertain")
    for label in sorted(true):
        column = {place for place in true[label].values() if place is not None}
        scores = table[:, column.pop()] if column else np.full(len(kept), -np.inf, np.float32)
        left_out = np.array([*uncertain.get(label, ())], int)
        sure = ~np.isin(kept, left_out)
        order = np.argsort(-scores[sure], kind="stable")
        images = kept[sure][order]
        yield Ranked(label, images, scores[sure][order], np.isin(images, [*true[label]]), left_out)


def present(rows: Sequence[Row | None]) -> Array:
    """The places of rows that say something: int."""
    return np.flatnonzero([row is not None for row in rows])


def tabled(rows: Sequence[Row]) -> Array:
    """The scores of rows: float32 (n, k), −∞ for those without and for NaN."""
    count = next((int(row["classes"].partition(":")[0]) for row in rows if row["classes"]), 0)
    table = np.full((len(rows), count), -np.inf, np.float32)
    for place, row in enumerate(rows):
        if row["scores"] is not None:
            table[place] = np.frombuffer(b64decode(row["scores"]), "<f4")
    table[np.isnan(table)] = -np.inf
    return table


def places(rows: Sequence[Row | None], key: str) -> dict[str, dict[int, int | None]]:
    """By class the rows whose `key` holds it, each with the place of the class among the scores."""
    found: dict[str, dict[int, int | None]] = {}
    for number, row in enumerate(rows):
        for label, place in row[key].items() if row else ():
            found.setdefault(label, {})[number] = place
    return found
