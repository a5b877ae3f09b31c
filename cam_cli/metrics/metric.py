"""What a metric is given of one image, what it keeps of it, and how what was kept becomes a number."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar

import numpy as np

from cam_cli.maps import Heatmap, heatmap
from cam_cli.types import Geometry, Truth

if TYPE_CHECKING:
    from torch import Tensor

Array = np.ndarray
Made = TypeVar("Made")
Row = Mapping[str, Any]
"""What a metric keeps of one image: JSON's plain values, so that it can be written and read back without loss."""


class Needs(Flag):
    """What must be there for a metric. Of the truth: LABELS, BOXES, REGIONS. Of the model: PREDICTIONS, or PROBE, the
    network itself, for metrics that ask it again (maps in files have none)."""

    NOTHING = 0
    LABELS = auto()
    BOXES = auto()
    REGIONS = auto()
    PREDICTIONS = auto()
    PROBE = auto()


@dataclass(frozen=True)
class Rules:
    """The conventions that a report may vary; what a metric's own definition fixes stands in its docstring.

    threshold: where a box begins, a fraction of the heatmap's maximum; None: Otsu's level. overlap: the intersection
    over union that makes a box right, itself included. tolerance: px around a box in which a point is right
    (`location_ap`); in pixels of the original, or of the network's input where `input_pixels`.
    calibrated: a threshold chosen on other data, and what that was; None without.
    interpolation: of average precision: `voc12` (area under the monotone curve), `voc07` (11 points), `none`.
    by_class: shares are means over classes, not over images. difficult: whether objects so marked count as truth.
    """

    threshold: float | None = 0.2
    overlap: float = 0.5
    tolerance: float = 18.0
    input_pixels: bool = False
    calibrated: tuple[float, str] | None = None
    interpolation: str = "voc12"
    by_class: bool = False
    difficult: bool = False
    seed: int = 0


@dataclass(eq=False)
class Found:
    """What one run says of one image, in the dataset's words; a heatmap is made when it is first asked for.

    maps: raw, float32 (u, v), signed, by label. predictions: the five most probable classes, best first (by the model's
    own name where the dataset has no such class); None where nobody says. probabilities: of the dataset's classes that
    the model knows, the same classes for every image of a run. explained: the label whose map the metrics with a PROBE
    judge. masks: what REGIONS says of the picture's pixels, by label: uint8, at whatever size it is stored in; 1
    inside, 0 outside, 255 for neither. drawn: what was made of maps alone, which answers with the same map may share.
    """

    geometry: Geometry
    maps: Mapping[str, Array]
    predictions: tuple[str, ...] | None = None
    probabilities: Mapping[str, float] | None = None
    explained: str | None = None
    masks: Mapping[str, Array] = field(default_factory=dict)
    kept: dict[Hashable, Any] = field(default_factory=dict, repr=False)
    drawn: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def heatmap(self, label: str) -> Heatmap:
        return self.of_map(label, "heatmap", lambda: heatmap(self.maps[label], self.geometry))

    def of_map(self, label: str, key: Hashable, make: Callable[[], Made]) -> Made:
        """As `once`, of what depends on nothing but the map of `label` and the geometry; classes may share a map."""
        return first_made(self.drawn, (id(self.maps[label]), key), make)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make()` gave the first time: metrics share what is costly."""
        return first_made(self.kept, key, make)


def first_made(kept: dict[Hashable, Any], key: Hashable, make: Callable[[], Made]) -> Made:
    if key not in kept:
        kept[key] = make()
    made: Made = kept[key]
    return made


class Probe(Protocol):
    """The network, for metrics that ask about changed copies of one image; the engine cuts the work into passes."""

    @property
    def image(self) -> Tensor:
        """The network's input, float32 (c, h, w), normalised; 0 is the mean colour."""

    @property
    def seed(self) -> int:
        """Of this image, the same in whatever batch or order it comes."""

    def probabilities(self, images: Iterable[Tensor], count: int, label: str) -> Array:
        """What the network gives `label` in each of `count` images (c, h, w): float32 (count,) in [0, 1]."""

    def map(self, image: Tensor, label: str) -> Array:
        """The raw map of another image by the same run: float32 (u, v)."""

    def other(self, label: str) -> Array | None:
        """The raw map of the most probable class but `label` of the same image; None if there is none."""

    def randomised(self, label: str) -> Sequence[Array]:
        """The raw maps of the same image by the network with random weights: from the head alone to all layers."""


class Value(NamedTuple):
    """A number, for each of several weightings of the images: float64 (b,), NaN where it is not defined.

    n: the images (or image and class pairs) it is over. computed_with: what a reader has to know, in plain values.
    """

    values: Array
    n: int
    computed_with: Mapping[str, Any]


class Curve(NamedTuple):
    """Points of a line, x ascending: float64 (t,) each, and what the axes are, for people."""

    x: Array
    y: Array
    x_name: str
    y_name: str


@dataclass(frozen=True)
class Metric:
    """Rules, and three pure functions; no state.

    names: of the numbers it gives, as in METRICS. group: localisation, classification, faithfulness or sanity.
    needs: without which it cannot be computed. higher_is_better: so says its definition. ranks: it ranks all images by
    each class, which says little of data whose images have one class each. passes: how many times it asks the network
    about one map, at most.
    """

    rules: Rules
    names: ClassVar[tuple[str, ...]]
    group: ClassVar[str]
    needs: ClassVar[Needs]
    higher_is_better: ClassVar[bool] = True
    ranks: ClassVar[bool] = False
    passes: ClassVar[int] = 0

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """What is kept of one image; None where it says nothing to this metric (no box, no label …)."""
        raise NotImplementedError

    def miss(self, truth: Truth) -> Row | None:
        """What is kept of an image that failed: the row of a wrong answer; None where there is no such thing."""
        return None

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        """The numbers, by name. rows: one an image. weights: float (b, n), how often each image counts; the first
        line of the bootstrap is all ones. Rows of several parts of a dataset are joined by putting them in one list."""
        raise NotImplementedError

    def about(self, row: Row, label: str) -> Row | None:
        """What of a row is about one class, for the number of that class alone. Here of a row that keeps lists beside
        its `labels`, an entry a class; what is kept of the image as a whole stays."""
        if "labels" not in row:
            return row
        labels = row["labels"]
        if label not in labels:
            return None
        place, count = labels.index(label), len(labels)
        each = {key: isinstance(value, list) and len(value) == count for key, value in row.items()}
        return {key: [value[place]] if each[key] else value for key, value in row.items()}

    def curves(self, rows: Sequence[Row | None]) -> Mapping[str, Curve]:
        """What a report draws, by name; each image counts once."""
        return {}

    def cells(self, row: Row) -> Mapping[str, Any]:
        """What of a row stands in `per_image.csv`: numbers, texts, yes and no."""
        return {key: value for key, value in row.items() if isinstance(value, (bool, int, float, str))}


def mean_of(values: Sequence[float | None], weights: Array) -> Array:
    """The mean of `values` (n) under each weighting (b, n), None left out: float64 (b,), NaN where nothing counts."""
    there = np.array([value is not None for value in values], bool)
    known = np.array([value for value in values if value is not None], np.float64)
    shares = weights[:, there]
    total = shares.sum(1)
    means: Array = np.divide(shares @ known, total, out=np.full(len(weights), np.nan), where=total > 0)
    return means
