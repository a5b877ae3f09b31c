"""What a kind of output is given and what it gives back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from cam_cli.boxes import Regions
from cam_cli.errors import UsageError
from cam_cli.maps import Heatmap, Range
from cam_cli.render.colormap import Palette, colours, diverging
from cam_cli.specs import OutputSpec
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import ClassMap, Explanation, Prediction

NOTHING = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Style:
    """How pictures look. palette: of maps that are not signed. alpha: opacity at the hottest, 0 to 1. boxes: of
    `localize`, which draws them on overlays."""

    palette: Palette
    alpha: float
    legend: bool
    format: str
    boxes: BoxSpec | None = None

    @classmethod
    def of(cls, spec: OutputSpec, boxes: BoxSpec | None = None) -> "Style":
        suffix = picture_suffix(spec.output)
        palette = Palette(colours(spec.colormap))
        return cls(palette, spec.alpha, spec.legend, spec.format or suffix or "png", boxes)

    def colours_of(self, heatmap: Heatmap) -> Palette:
        return diverging() if heatmap.signed else self.palette


def picture_suffix(output: str | None) -> str | None:
    """The picture format that `-o FILE` ends in, or None."""
    suffix = Path(output or "").suffix[1:].lower().replace("jpeg", "jpg")
    return suffix if suffix in ("png", "jpg", "webp") else None


@dataclass(frozen=True)
class Drawn:
    """A map with its heatmap, and what was found in it where boxes are asked for; masks: of each, on request."""

    map: ClassMap
    heatmap: Heatmap
    regions: Regions | None = None
    masks: tuple[dict[str, Any], ...] = ()

    @property
    def caption(self) -> str:
        """What is explained, and the class's probability."""
        return self.titled(f"{self.map.target.probability:.1%}")

    def titled(self, figure: str) -> str:
        """What is explained, with a figure of it: class, and the class it is held against."""
        no, against = "not " if self.map.sign < 0 else "", self.map.against
        return f"{no}{self.map.target.name}  {figure}" + (f"  against {against.name}" if against else "")

    @property
    def column(self) -> str:
        """Method and layers."""
        return " at ".join(filter(None, [self.map.method, "+".join(self.map.layers)]))

    @property
    def flags(self) -> tuple[str, ...]:
        """Of `MAP_FLAGS`."""
        bare = self.regions is not None and not self.regions.boxes and self.heatmap.scale is not None
        return (*self.heatmap.flags, "no_box") if bare else self.heatmap.flags

    @property
    def light(self) -> "Drawn":
        """The same without what has the picture's size."""
        regions = self.regions and replace(self.regions, owner=NOTHING)
        return replace(self, heatmap=replace(self.heatmap, heat=NOTHING), regions=regions)


def asserted(one: Prediction) -> str:
    """A class and its probability."""
    return f"{one.name}  {one.probability:.1%}"


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
