"""What a kind of output is given and what it gives back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from cam_cli.errors import UsageError
from cam_cli.maps import Heatmap, Range
from cam_cli.render.colormap import Palette, colours, diverging
from cam_cli.specs import OutputSpec
from cam_cli.types import ClassMap, Explanation, Prediction


@dataclass(frozen=True)
class Style:
    """How pictures look. palette: of maps that are not signed. alpha: opacity at the hottest, 0 to 1."""

    palette: Palette
    alpha: float
    legend: bool
    format: str

    @classmethod
    def of(cls, spec: OutputSpec) -> "Style":
        suffix = picture_suffix(spec.output)
        return cls(Palette(colours(spec.colormap)), spec.alpha, spec.legend, spec.format or suffix or "png")

    def colours_of(self, heatmap: Heatmap) -> Palette:
        return diverging() if heatmap.signed else self.palette


def picture_suffix(output: str | None) -> str | None:
    """The picture format that `-o FILE` ends in, or None."""
    suffix = Path(output or "").suffix[1:].lower().replace("jpeg", "jpg")
    return suffix if suffix in ("png", "jpg", "webp") else None


@dataclass(frozen=True)
class Drawn:
    """A map with its heatmap."""

    map: ClassMap
    heatmap: Heatmap

    @property
    def caption(self) -> str:
        """What is explained: class, probability, and the class it is held against."""
        no, against = "not " if self.map.sign < 0 else "", self.map.against
        return no + asserted(self.map.target) + (f"  against {against.name}" if against else "")


def asserted(one: Prediction) -> str:
    """A class and its probability."""
    return f"{one.name}  {one.probability:.1%}"


@dataclass(frozen=True)
class Kind:
    """One kind of file, one a map. `infix` stands before its suffix."""

    infix: ClassVar[str] = ""
    style: Style

    @property
    def suffix(self) -> str:
        return self.style.format

    def encode(self, explanation: Explanation, drawn: Drawn) -> bytes:
        """The file's bytes."""
        raise NotImplementedError


@dataclass(frozen=True)
class Sheet(Kind):
    """A kind of which there is one an image: a small part is made of each map as it comes, then all are joined."""

    def part(self, explanation: Explanation, drawn: Drawn) -> np.ndarray:
        """What is kept of one map until all are there."""
        raise NotImplementedError

    def join(self, explanation: Explanation, parts: Sequence[np.ndarray]) -> bytes:
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
