"""A run in plain values: one frozen dataclass a group of options, each option declared once, here
and in the files beside.

`option(...)` holds what a command line needs (flags, help, bounds) as plain data; cli turns it into the terminal's
own objects, `as_json` into what `run.json` keeps. Values that only make sense together are checked in `__post_init__`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from cam_cli.errors import UsageError

from .boxes import BoxSpec
from .export import ExportSpec
from .model import ModelSpec
from .option import OUTPUT, PIXELS, WHAT, option
from .run import RunSpec

Fit = Literal["model", "squash", "pad", "keep"]
Interpolation = Literal["bilinear", "bicubic"]
Fuse = Literal["mean", "max", "product"]
Smooth = Literal["eigen"]
TTA = ("none", "flip", "scales", "spread", "best")
Format = Literal["png", "jpg", "webp"]
Score = Literal["logit", "probability"]
Only = Literal["wrong", "right"]


@dataclass(frozen=True)
class ClassSpec:
    classes: tuple[str, ...] = option(
        ("top",),
        "--class",
        "-c",
        panel=WHAT,
        metavar="CLASS",
        help="top, topN, truth, all, an index, a name or a WNID; index: name: wnid: settle doubt; not: shows what "
        "speaks against it. Repeat for several.",
    )
    against: str | None = option(
        None, "--against", panel=WHAT, metavar="CLASS", help="Explain the lead over this class (also second)."
    )
    score: Score = option("logit", "--score", panel=WHAT, help="What is explained: the logit, or the probability.")
    min_prob: float | None = option(
        None,
        "--min-prob",
        panel=WHAT,
        minimum=0.0,
        maximum=1.0,
        metavar="P",
        help="Keep only classes above this probability.",
    )
    truth: str | None = option(
        None,
        "--truth",
        panel=WHAT,
        metavar="TRUTH",
        help="True classes: folder (its name), a .csv or .jsonl with columns path and class, or one class for all.",
    )
    only: Only | None = option(None, "--only", panel=WHAT, help="Only images it gets wrong, or right; needs --truth.")
    decision: float | None = option(
        None,
        "--decision",
        panel=WHAT,
        minimum=0.0,
        maximum=1.0,
        metavar="P",
        help="Where a sigmoid's yes begins. [default: 0.5]",
    )

    def __post_init__(self) -> None:
        if self.truth is not None:
            return
        if self.only:
            raise UsageError(f"--only {self.only} needs the true classes; add --truth folder, a table or a class")
        for name, given in (("class", self.classes), ("against", (self.against or "",))):
            for text in given:
                if text.casefold().removeprefix("not:") == "truth":
                    raise UsageError(f"--{name} {text} needs the true classes; add --truth folder, a table or a class")


@dataclass(frozen=True)
class CamSpec:
    """The choices of `cam`: the network's head fixes the layer and the weights."""

    methods: tuple[str, ...] = ("cam",)
    layers: tuple[str, ...] = ()
    fuse: Fuse = "mean"
    tta: str | None = option(
        None,
        "--tta",
        panel=WHAT,
        metavar="CHANGES",
        help="Better maps: the mean of mirrored (flip) or resized (scales) inputs; spread over cells that look alike "
        "(no further pass); best: spread, over four inputs; none. Several with commas.",
    )
    smooth: Smooth | None = option(
        None, "--smooth", panel=WHAT, help="eigen: the first principal component of what a method sums over channels."
    )

    @property
    def changes(self) -> tuple[str, ...]:
        """The values of --tta."""
        return tuple(name.strip() for name in self.tta.split(",")) if self.tta is not None else ()

    def __post_init__(self) -> None:
        if unknown := set(self.changes) - set(TTA):
            raise UsageError(f"--tta takes {', '.join(TTA)}, or several with commas, not {min(unknown)!r}")


@dataclass(frozen=True)
class MethodSpec(CamSpec):
    methods: tuple[str, ...] = option(
        ("gradcam",),
        "--method",
        panel=WHAT,
        metavar="NAME",
        help="A method of `camtool methods`, with parameters as rise:masks=500,cells=8. Repeat for several.",
    )
    layers: tuple[str, ...] = option(
        (),
        "--layer",
        "-l",
        panel=WHAT,
        metavar="LAYER",
        help="A stage (layer1 … layer4; stages for all), a module path, a glob, or a+b to fuse. Repeat for several. "
        "[default: the last grid before pooling]",
    )
    fuse: Fuse = option("mean", "--fuse", panel=WHAT, help="How a+b joins the maps of several layers.")


@dataclass(frozen=True)
class GeometrySpec:
    fit: Fit = option(
        "model",
        "--fit",
        panel=PIXELS,
        help="model: its own resize and centre crop. squash: the whole image, distorted. pad: whole, with margins. "
        "keep: whole, undistorted, if the network takes any size.",
    )
    size: int | None = option(
        None,
        "--size",
        panel=PIXELS,
        minimum=8,
        maximum=4096,
        metavar="N",
        help="Input size in pixels (with keep: of the short side). [default: the model's]",
    )
    intensity: str = option(
        "auto",
        "--intensity",
        panel=PIXELS,
        metavar="RANGE",
        help="What is black and white: auto, dtype, minmax, LO:HI in the file's units, or percentile:LO:HI.",
    )
    mean: str | None = option(
        None,
        "--mean",
        panel=PIXELS,
        metavar="M[,M,M]",
        help="Subtracted from pixels in 0–1: one number, or one a channel. [default: the model's]",
    )
    std: str | None = option(
        None, "--std", panel=PIXELS, metavar="S[,S,S]", help="What they are then divided by. [default: the model's]"
    )
    interpolation: Interpolation | None = option(
        None, "--interpolation", panel=PIXELS, help="Of the resize, antialiased. [default: the model's]"
    )
    max_pixels: int = option(
        178_956_970,
        "--max-pixels",
        panel=PIXELS,
        minimum=1,
        metavar="N",
        help="Refuse larger pictures before decoding them.",
    )


@dataclass(frozen=True)
class OutputSpec:
    output: str | None = option(
        None,
        "--output",
        "-o",
        panel=OUTPUT,
        metavar="PATH",
        help="A folder, a FILE for one result, or - for its bytes. [default: camtool-out]",
        free=True,
    )
    save: tuple[str, ...] = option(
        ("overlay",),
        "--save",
        panel=OUTPUT,
        metavar="KINDS",
        help="overlay, heatmap, raw, panel, mask, boxes, crop: repeat, or separate by commas; or none.",
    )
    format: Format | None = option(
        None, "--format", panel=OUTPUT, help="Of the pictures. [default: png, or what -o FILE ends in]"
    )
    colormap: str = option(
        "inferno",
        "--colormap",
        panel=OUTPUT,
        metavar="NAME",
        help="inferno, viridis, magma, turbo, … (signed maps have their own)",
    )
    alpha: float = option(
        0.6,
        "--alpha",
        panel=OUTPUT,
        minimum=0.0,
        maximum=1.0,
        metavar="A",
        help="Opacity of the overlay where the map is hottest.",
    )
    legend: bool = option(
        False, "--legend", panel=OUTPUT, help="Add a strip below with class, probability and raw range."
    )
    range: str = option(
        "per-map",
        "--range",
        panel=OUTPUT,
        metavar="RANGE",
        help="What is cold and hot: per-map (its own least and most), shared (by one method on an image), or LO:HI.",
    )
    name: str | None = option(
        None,
        "--name",
        panel=OUTPUT,
        metavar="TEMPLATE",
        help="File names from {stem} {model} {method} {layer} {class}, without suffix.",
    )
    overwrite: bool = option(
        False, "--overwrite", panel=OUTPUT, help="Replace what an earlier run wrote in the output folder.", free=True
    )
    resume: bool = option(
        False,
        "--resume",
        panel=OUTPUT,
        help="Complete what an earlier run began in the output folder: what is done stays, what failed is tried again.",
        free=True,
    )


@dataclass(frozen=True)
class ExplainSpec:
    """One run of `cam`, `gradcam`, `explain` or `localize`; arguments: the command line as it was typed, to be kept.
    boxes: how `localize` finds them."""

    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    model: ModelSpec
    classes: ClassSpec
    method: CamSpec | MethodSpec
    geometry: GeometrySpec
    output: OutputSpec
    run: RunSpec
    boxes: BoxSpec | None = None
    export: ExportSpec = ExportSpec()

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `run.json`."""
        return asdict(self)
