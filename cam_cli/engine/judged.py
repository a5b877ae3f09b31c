"""What an evaluation knows of one image before it is scored."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from cam_cli.metrics.metric import Found, Row
from cam_cli.types import Geometry, ImageItem

from .seed import seed_of


class Sketch(NamedTuple):
    """A raw map, and what has been made of it: `Found.drawn`."""

    raw: np.ndarray
    drawn: dict[Hashable, Any]


Baseline = Callable[[Geometry, int], Sketch]
"""A map that knows nothing of the picture: of its geometry and a seed."""

Rows = Mapping[str, Row | None]
"""What metrics keep of one image, by their keys."""


@dataclass(frozen=True)
class Judged:
    """One image by one model.

    found: by run, what it says of the image; the baselines' after those of the methods. rows: by run, of the metrics
    that ask the network. flags: of `IMAGE_FLAGS`. notes: what was odd about it and is counted, as kinds of `Notes`.
    """

    item: ImageItem
    geometry: Geometry
    found: Mapping[str, Found]
    rows: Mapping[str, Rows] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def with_baselines(
    found: Mapping[str, Found], baselines: Mapping[str, Baseline], seed: int, id: str
) -> dict[str, Found]:
    """`found`, and for every baseline the same answers under its map."""
    first = next(iter(found.values()))
    more = {}
    for name, make in baselines.items():
        raw, drawn = make(first.geometry, seed_of(seed, id))
        more[name] = replace(first, maps=dict.fromkeys(first.maps, raw), kept={}, drawn=drawn)
    return {**found, **more}
