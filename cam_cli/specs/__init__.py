"""A run in plain values: one frozen dataclass a group of options, each option declared once, here.

`option(...)` holds what a command line needs (flags, help, bounds) as plain data; cli turns it into the terminal's
own objects, `as_json` into what `run.json` keeps. Values that only make sense together are checked in `__post_init__`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from cam_cli.choice import DEFAULT_MODEL, ModelChoice, parse_argument
from cam_cli.errors import UsageError

from .boxes import BoxSpec
from .export import ExportSpec
from .option import MODEL, OUTPUT, PIXELS, RUN, TERMINAL, WHAT, amount, option

Activation = Literal["softmax", "sigmoid"]
Fit = Literal["model", "squash", "pad", "keep"]
Interpolation = Literal["bilinear", "bicubic"]
Fuse = Literal["mean", "max", "product"]
Smooth = Literal["eigen"]
TTA = ("none", "flip", "scales", "spread", "best")
Format = Literal["png", "jpg", "webp"]
Precision = Literal["fp32", "bf16", "fp16"]
Score = Literal["logit", "probability"]
Only = Literal["wrong", "right"]


@dataclass(frozen=True)
class ModelSpec:
    models: tuple[str, ...] = option(
        (DEFAULT_MODEL,),
        "--model",
        "-m",
        panel=MODEL,
        metavar="NAME",
        help="The classifier: a name of `camtool models`, hf/ID_OR_FOLDER, package.module:factory or file.py:factory; "
        "with weights of your own, [ALIAS=]NAME[@CHECKPOINT].",
    )
    checkpoint: str | None = option(
        None,
        "--checkpoint",
        panel=MODEL,
        metavar="FILE",
        help="Weights for it: a state dict as .pth, .pt, .ckpt (loaded weights-only) or .safetensors.",
    )
    labels: str | None = option(
        None, "--labels", panel=MODEL, metavar="FILE", help="Its class names: a .txt (one a line), .json or .csv."
    )
    activation: Activation | None = option(
        None, "--activation", panel=MODEL, help="What makes its scores probabilities. [default: as the model says]"
    )
    arguments: tuple[str, ...] = option(
        (), "--model-arg", panel=MODEL, metavar="KEY=VALUE", help="A keyword for the model's constructor. Repeatable."
    )
    trust_checkpoint: bool = option(
        False, "--trust-checkpoint", panel=MODEL, help="Unpickle a checkpoint, which runs whatever code is in it."
    )

    def __post_init__(self) -> None:
        self.choices()

    def choices(self) -> tuple[ModelChoice, ...]:
        """The models side by side, in the order given. Raises UsageError."""
        more = {
            "checkpoint": self.checkpoint,
            "arguments": tuple(map(parse_argument, self.arguments)),
            "labels": self.labels,
            "trust": self.trust_checkpoint,
            "activation": self.activation,
        }
        if self.checkpoint and (len(self.models) != 1 or "@" in self.models[0]):
            raise UsageError("--checkpoint goes with one --model NAME; name others as ALIAS=NAME@CHECKPOINT")
        choices = tuple(ModelChoice.parse(text, **more) for text in self.models)
        aliases = [one.alias for one in choices]
        for alias in aliases:
            if aliases.count(alias) > 1:
                raise UsageError(f"two models are called {alias!r}; name each: ALIAS=NAME[@CHECKPOINT]")
        return choices

    @property
    def only(self) -> ModelChoice:
        """The model, for what takes one. Raises UsageError."""
        choices = self.choices()
        if len(choices) != 1:
            raise UsageError(f"this command takes one model, not {len(choices)}; run it once for each")
        return choices[0]


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
        help="A stage (layer1 … layer4), a module path, a glob, or a+b to fuse. Repeat for several. "
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
        False, "--overwrite", panel=OUTPUT, help="Replace what an earlier run wrote in the output folder."
    )


@dataclass(frozen=True)
class RunSpec:
    limit: int | None = option(None, "--limit", panel=RUN, minimum=1, metavar="N", help="Only the first N images.")
    sample: int | None = option(
        None, "--sample", panel=RUN, minimum=1, metavar="N", help="A random N of the images, in listing order."
    )
    seed: int = option(
        0, "--seed", panel=RUN, minimum=0, metavar="S", help="Of --sample, and of methods that draw random numbers."
    )
    device: str = option(
        "auto", "--device", panel=RUN, metavar="NAME", help="auto (cuda, then mps, then cpu), or a name."
    )
    precision: Precision = option(
        "fp32", "--precision", panel=RUN, help="Arithmetic of the forward pass; maps stay float32."
    )
    batch_size: str = option("auto", "--batch-size", panel=RUN, metavar="N", help="Images a forward pass, or auto.")
    workers: int | None = option(
        None, "--workers", panel=RUN, minimum=1, metavar="N", help="Threads that read and write. [default: the cores]"
    )
    max_failures: str = option(
        "0", "--max-failures", panel=RUN, metavar="N|P%", help="How many images may fail before the exit code is 5."
    )
    nul: bool = option(False, "-0", panel=RUN, help="Paths on stdin are separated by NUL.")

    def __post_init__(self) -> None:
        if self.batch_size != "auto" and not (self.batch_size.isdecimal() and int(self.batch_size) > 0):
            raise UsageError(f"--batch-size takes a positive number or auto, not {self.batch_size!r}")
        self.failures_allowed(0)

    def failures_allowed(self, total: int) -> float:
        """How many of `total` images may fail: --max-failures, a count or a percentage."""
        return amount("--max-failures", self.max_failures, total)


@dataclass(frozen=True)
class TerminalSpec:
    """How a run talks; it changes no result, so `run.json` does not keep it."""

    json: bool = option(False, "--json", panel=TERMINAL, help="One JSON object an image on stdout, in input order.")
    print0: bool = option(
        False, "--print0", panel=TERMINAL, help="End the written paths with NUL instead of a newline."
    )
    quiet: bool = option(False, "--quiet", "-q", panel=TERMINAL, help="Errors only on stderr.")
    verbose: bool = option(False, "--verbose", "-v", panel=TERMINAL, help="Say more on stderr: a line an image.")
    debug: bool = option(False, "--debug", panel=TERMINAL, help="Show the traceback of an error.")


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
