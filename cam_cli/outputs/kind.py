"""What a kind of output is given and what it gives back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import numpy as np

from cam_cli.boxes import Regions
from cam_cli.errors import UsageError
from cam_cli.maps import Heatmap, Range
from cam_cli.render.colormap import colours
from cam_cli.specs import OutputSpec
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import ClassMap, Explanation

NOTHING = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Style:
    """How pictures look. table: uint8 (256, 3) RGB, cold to hot. alpha: opacity at the hottest, 0 to 1. boxes: of
    `localize`, which draws them on overlays."""

    table: np.ndarray
    alpha: float
    legend: bool
    format: str
    boxes: BoxSpec | None = None

    @classmethod
    def of(cls, spec: OutputSpec, boxes: BoxSpec | None) -> "Style":
        suffix = picture_suffix(spec.output)
        return cls(colours(spec.colormap), spec.alpha, spec.legend, spec.format or suffix or "png", boxes)


def picture_suffix(output: str | None) -> str | None:
    """The picture format that `-o FILE` ends in, or None."""
    suffix = Path(output or "").suffix[1:].lower().replace("jpeg", "jpg")
    return suffix if suffix in ("png", "jpg", "webp") else None


@dataclass(frozen=True)
class Drawn:
    """A map with its heatmap, and what was found in it where boxes are asked for."""

    map: ClassMap
    heatmap: Heatmap
    regions: Regions | None = None

    @property
    def caption(self) -> str:
        """Class and probability."""
        return f"{self.map.target.name}  {self.map.target.probability:.1%}"

    @property
    def flags(self) -> tuple[str, ...]:
        """Of `MAP_FLAGS`."""
        bare = self.regions is not None and not self.regions.boxes and self.heatmap.peak is not None
        return (*self.heatmap.flags, "no_box") if bare else self.heatmap.flags

    @property
    def light(self) -> "Drawn":
        """The same without what has the picture's size."""
        regions = self.regions and replace(self.regions, owner=NOTHING)
        return replace(self, heatmap=replace(self.heatmap, heat=NOTHING), regions=regions)


@dataclass(frozen=True)
class Kind:
    """One kind of file, one a map. `infix` stands before its suffix; `boxed` says that it needs boxes."""

    infix: ClassVar[str] = ""
    boxed: ClassVar[bool] = False
    style: Style

    @property
    def suffix(self) -> str:
        return self.style.format

    def encode(self, explanation: Explanation, drawn: Drawn) -> bytes:
        """The file's bytes."""
        raise NotImplementedError

    def pieces(self, explanation: Explanation, drawn: Drawn) -> list[bytes]:
        """The bytes of all files of one map, where a kind has none or several."""
        return [self.encode(explanation, drawn)]


Part = TypeVar("Part")


@dataclass(frozen=True)
class Sheet(Kind, Generic[Part]):
    """A kind of which there is one an image: a small part is made of each map as it comes, then all are joined."""

    def part(self, explanation: Explanation, drawn: Drawn) -> Part:
        """What is kept of one map until all are there."""
        raise NotImplementedError

    def join(self, explanation: Explanation, parts: Sequence[Part]) -> bytes:
        """The file's bytes; `parts` of all maps, in their order."""
        raise NotImplementedError


def parse_range(text: str) -> str | Range:
    """A value of `--range`: `per-map`, `shared`, or cold and hot as LO:HI in raw units. Raises UsageError."""
    if text in ("per-map", "shared"):
        return text
    try:
        low, high = map(float, text.split(":"))
        if not low < high or not np.isfinite([low, high]).all():
            raise ValueError
    except ValueError:
        raise UsageError(f"--range takes per-map, shared or LO:HI with LO < HI (such as 0:2.5), not {text!r}") from None
    return low, high
