"""The maps that an evaluation judged, in files: `--save-maps`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

from cam_cli.images.mapfile import packed
from cam_cli.metrics.metric import Found
from cam_cli.metrics.wsol import scores, whole

from .folder import Folder
from .record import csv_line

FOLDER, PREDICTIONS = "maps", "predictions.csv"


@dataclass(frozen=True)
class MapKeeper:
    """`maps/`, with a folder a run where there are several. Of an image `ID.npz`, its raw maps by class, which `--maps`
    reads back without loss; and, where it has one class, `ID.npy` as wsolevaluation's code reads it: 224×224, from 0
    to 1. ID keeps its suffix."""

    folder: Folder
    several: bool

    def put(self, id: str, run: str, found: Found, labels: Sequence[str]) -> list[str]:
        """What one run found in an image of these classes; other classes' maps are not kept. Returns the names of the
        files written, which are yet to be noted.

        Raises OutputFailed, OutputRefused, ImageUnwritable.
        """
        maps = {label: found.maps[label] for label in labels if label in found.maps}
        if not maps:
            return []
        folder = f"{FOLDER}/{safe(run)}" if self.several else FOLDER
        geometry = found.geometry
        ends = (*geometry.to_original(0, 0), *geometry.to_original(geometry.input_width, geometry.input_height))
        written = {f"{folder}/{id}.npz": packed(maps, None if whole(geometry) else ends)}
        if len(maps) == 1:
            buffer = BytesIO()
            np.save(buffer, scores(found, next(iter(maps))), allow_pickle=False)
            written[f"{folder}/{id}.npy"] = buffer.getvalue()
        for name, data in written.items():
            self.folder.write(name, data)
        return list(written)


def safe(run: str) -> str:
    """A run's name as that of a folder."""
    return "".join(one if one.isalnum() or one in "._-+=" else "_" for one in run)


def predictions(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """`predictions.csv` of one model's rows, which `--predictions` reads: path, predictions with `;` between, and the
    probability of each of the data's classes, empty where that is no number. An image that failed has no line."""
    columns: list[str] | None = None
    for row in rows:
        if row["error"] is not None or row["predictions"] is None:
            continue
        chances = row["probabilities"] or {}
        if columns is None:
            columns = list(chances)
            yield csv_line(("path", "predictions", *columns))
        yield csv_line((row["id"], ";".join(row["predictions"]), *(chances.get(one) for one in columns)))
