"""Frozen values that cross rooms. Axis alphabet: b images, k classes, c channels, u v grid rows and columns,
h w model input, H W the upright original; boxes and points are x before y, pixel i covers [i, i + 1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .errors import CamtoolError

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True, slots=True)
class ImageItem:
    """One image of a listing, not yet read.

    id: the path below its input root, POSIX, unique in the listing.
    path: where to read it, as the person would type it (`-` when `data` holds bytes from stdin).
    stem: what names of results start with: the id without its suffix, or with it where two images of a folder share it.
    model: the alias of the model that it is shown to, once it is. place: its position in what the run goes through.
    """

    id: str
    path: str
    stem: str
    data: bytes | None = None
    model: str = ""
    place: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network wants its input.

    size: side of its square input in pixels; resize: the short side before the centre crop (`fit model`; both sides
    where the recipe itself squashes), and of an input that keeps its shape (`fit keep`).
    mean, std: one a channel of the input (3, or 1 for a grey one), for values in [0, 1]. interpolation: bilinear or
    bicubic, antialiased.
    source: where this came from: weights, checkpoint, options or assumed.
    """

    size: int
    resize: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    source: str
    squash: bool = False


@dataclass(frozen=True, slots=True)
class Geometry:
    """The affine map between an upright original and the model's input: `input = original * scale + offset`, per axis.

    width, height: the upright original. input_width, input_height: the model's input. Pixels; x before y.
    orientation: the EXIF value (1–8) that was applied to make the original upright.
    """

    width: int
    height: int
    input_width: int
    input_height: int
    scale: tuple[float, float]
    offset: tuple[float, float]
    fit: str
    orientation: int = 1

    @property
    def seen(self) -> tuple[float, float, float, float]:
        """The part of the original the model saw: half-open x0, y0, x1, y1 in pixels of the original."""
        x0, y0 = self.to_original(0, 0)
        x1, y1 = self.to_original(self.input_width, self.input_height)
        return max(0.0, x0), max(0.0, y0), min(float(self.width), x1), min(float(self.height), y1)

    def to_input(self, x: float, y: float) -> tuple[float, float]:
        """A point of the original, in pixels of the model's input."""
        return x * self.scale[0] + self.offset[0], y * self.scale[1] + self.offset[1]

    def to_original(self, x: float, y: float) -> tuple[float, float]:
        """A point of the model's input, in pixels of the original: the exact inverse of `to_input`."""
        return (x - self.offset[0]) / self.scale[0], (y - self.offset[1]) / self.scale[1]


@dataclass(frozen=True, slots=True)
class Picture:
    """An image read and prepared.

    pixels: uint8 (H, W, 3) RGB, upright, for drawing only.
    tensor: float32 (c, h, w), c 3 or 1, normalised, made from the file's full depth.
    flags: of `IMAGE_FLAGS`.
    """

    item: ImageItem
    pixels: np.ndarray
    tensor: torch.Tensor
    geometry: Geometry
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """An image that could not be done: `kind` and `message` of the error, as they stand in its record."""

    item: ImageItem
    kind: str
    message: str

    @classmethod
    def of(cls, item: ImageItem, error: CamtoolError) -> Failure:
        return cls(item, error.kind, error.message)


@dataclass(frozen=True, slots=True)
class Head:
    """How a network turns its last grid into scores, where that makes CAM exact.

    layer: path of the module whose output is pooled. channels_last: that output is (b, u, v, c).
    rectified: a ReLU that is no module stands between it and the pooling. pooling: mean, max or lse, over the grid;
    temperature: r of lse, (1/r) log mean exp(r x).
    weights: float (k, c), or (b, k, c) where images differ, bias: float (k,); both None where the layer's output is
    class maps already. linear: path of the module that has them; None where they are no module's.
    """

    layer: str
    channels_last: bool
    rectified: bool
    pooling: str
    weights: torch.Tensor | None
    bias: torch.Tensor | None
    linear: str | None = None
    temperature: float | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A class with the model's answer for one image; also what a map explains."""

    index: int
    name: str
    wnid: str | None
    logit: float
    probability: float


@dataclass(frozen=True, slots=True)
class ClassMap:
    """One map before anything is drawn.

    raw: float32 (u, v), signed, unscaled, at the layer's grid.
    layers: the module paths it was read at (several when fused).
    label: what makes its file name: the parts {method}, {layer} and {class} as the options ask for them.
    sign: 1 for the class, −1 for what speaks against it. against: the class whose score is taken off.
    """

    target: Prediction
    method: str
    layers: tuple[str, ...]
    raw: np.ndarray
    label: MapLabel
    sign: int = 1
    against: Prediction | None = None

    @property
    def signed(self) -> bool:
        """Whether what is negative is told as well: of a class negated, or of the difference of two."""
        return self.sign < 0 or self.against is not None

    @property
    def probability(self) -> float:
        """Of what is explained: the class's, and of a class negated what is left of 1, all in [0, 1]."""
        return self.target.probability if self.sign > 0 else 1 - self.target.probability


@dataclass(frozen=True, slots=True)
class MapLabel:
    """The name parts of one map, a function of the options alone: never of what the model says."""

    method: str
    layer: str
    selection: str


@dataclass(frozen=True, slots=True)
class Box:
    """Where a map says its class is.

    xyxy: half-open x0, y0, x1, y1 in pixels of the upright original.
    score: the map's probability times the highest heat in the box's component, of the map's highest; in [0, 1].
    area: pixels of that component.
    """

    xyxy: tuple[float, float, float, float]
    score: float
    area: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """One image explained: the top predictions (best first) and the maps, in the order method, layer, class.

    truth: its true class, where there is one; correct: whether the model says so; both None where nobody told.
    probabilities: float32 (k,), of all classes.
    """

    item: ImageItem
    geometry: Geometry
    predictions: tuple[Prediction, ...]
    maps: tuple[ClassMap, ...]
    pixels: np.ndarray | None = field(repr=False, default=None)
    flags: tuple[str, ...] = ()
    truth: Prediction | None = None
    correct: bool | None = None
    probabilities: np.ndarray | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class Object:
    """One object in a picture, as its annotation has it.

    label: its class, in the dataset's words. xyxy: half-open x0, y0, x1, y1, in pixels of the upright original.
    difficult: hard to recognise (VOC's flag) or a crowd (COCO's); each metric says what it does with those.
    """

    label: str
    xyxy: tuple[float, float, float, float]
    difficult: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """Pixels of one class. source: the path of a mask picture (not zero inside), or a segmentation as COCO's JSON has
    it, with the `size` it is in. ignored: these pixels count for no class, wherever no other region says otherwise.
    orientation: the EXIF value (1–8) that is still to be applied to it, so that it lies as the upright original."""

    label: str
    source: Any
    size: tuple[int, int] | None = None
    ignored: bool = False
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class Truth:
    """What a dataset says of one image.

    labels: the classes in it, in the dataset's words, each once; uncertain: those that may or may not be.
    objects: None where the dataset has no boxes of this image. regions: empty where it has no masks.
    size: width and height of the picture that boxes and regions are in; None where nobody says: the picture's own.
    columns: what it says beside, by column, as text: for numbers by group.
    """

    item: ImageItem
    labels: tuple[str, ...]
    objects: tuple[Object, ...] | None = None
    uncertain: tuple[str, ...] = ()
    regions: tuple[Region, ...] = ()
    size: tuple[int, int] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    @property
    def told(self) -> bool:
        """Whether anything is said of what the image shows; that it shows nothing is something."""
        return self.objects is not None or bool(self.labels or self.uncertain or self.regions)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An image that `--only` passes by: neither a result nor a failure. correct: as in an Explanation."""

    item: ImageItem
    correct: bool | None


IMAGE_FLAGS = {
    "alpha_flattened": "the picture is transparent in places; it was laid on white",
    "depth_guessed": "a 16-bit or float picture uses a small part of its range; the depth was guessed from its values",
    "first_frame": "the file holds several frames or pages; the first was used",
    "no_class": "no class is left to explain (--min-prob, --against), so there is no map",
    "no_truth": "--truth says nothing of this image, so it is neither right nor wrong",
    "scores_not_finite": "the model's scores hold NaN or infinity; weights or precision are at fault",
}
MAP_FLAGS = {
    "not_finite": "the raw map holds NaN or infinity; the heatmap is zero",
    "all_zero": "the raw map is zero everywhere; the heatmap is zero",
    "all_negative": "no cell of the raw map is positive: evidence against the class only; the heatmap is zero",
    "constant": "the heatmap is the same everywhere, so it says nothing about where; it is zero",
    "one_cell": "the layer's grid is a single cell, so it cannot say where",
    "no_box": "no part of the heatmap above --threshold is as large as --min-area",
}
