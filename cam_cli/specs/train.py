"""One run of `train`: which data, which head on which trunk, how it learns."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import PurePath
from typing import Any, Literal

from cam_cli.errors import UsageError

from . import GeometrySpec, OutputSpec
from .evaluate import DatasetSpec
from .export import separated
from .learning import LearningSpec
from .model import Activation, ModelSpec
from .option import DATA, HEAD, OUTPUT, again, option
from .run import RunSpec, TerminalSpec

Uncertain = Literal["ignore", "positive", "negative"]
Kind = Literal["multi", "single"]
Pool = Literal["avg", "max", "lse"]
TrainFit = Literal["squash", "model"]
TrainPrecision = Literal["auto", "fp32", "bf16", "fp16"]
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class TrainDataSpec:
    format: str | None = again(DatasetSpec, "format", None)
    images: str | None = again(DatasetSpec, "images", None)
    split: str | None = option(None, "--split", panel=DATA, metavar="NAME", help="Of the data, to learn from: train, …")
    val_split: str | None = option(
        None,
        "--val-split",
        panel=DATA,
        metavar="NAME",
        help="Of the data, to stop by and choose the best epoch: val, …",
    )
    val_data: str | None = option(
        None, "--val-data", panel=DATA, metavar="DATASET", help="The same from other data, as a second .csv."
    )
    val: float = option(
        0.1,
        "--val",
        panel=DATA,
        minimum=0.0,
        maximum=0.9,
        metavar="P",
        help="Without those: this part of the data, drawn by --seed, every class in proportion; 0 for none.",
    )
    group: str | None = option(
        None,
        "--group",
        panel=DATA,
        metavar="COLUMN",
        help="Images alike in this column (of a .csv) stay on one side of a split that is drawn: a patient, a scene.",
    )
    separator: str = option(
        ";", "--separator", panel=DATA, metavar="TEXT", help="Between the labels of a .csv with a labels column."
    )
    uncertain: Uncertain = option(
        "ignore", "--uncertain", panel=DATA, help="What −1 is, in a .csv with a column a class: neither, yes, or no."
    )
    only: tuple[str, ...] = option(
        (), "--classes", panel=DATA, metavar="CLASSES", help="Learn these alone: repeat, or separate by commas."
    )
    kind: Kind | None = option(
        None,
        "--labels",
        panel=DATA,
        help="multi: any number of classes a picture (sigmoid); single: one (softmax). [default: as the data are]",
    )

    def __post_init__(self) -> None:
        given = [flag for flag, value in (("--val-split", self.val_split), ("--val-data", self.val_data)) if value]
        if len(given) > 1:
            raise UsageError("--val-split and --val-data both say what to choose by; name one")
        if given and self.group:
            raise UsageError(f"--group is about a split that is drawn, {given[0]} gives one; drop one of them")

    @property
    def classes(self) -> tuple[str, ...]:
        """The values of --classes, each once."""
        return separated(self.only)


@dataclass(frozen=True)
class TrainModelSpec(ModelSpec):
    """The classifier whose trunk is taken; its own labels and activation do not matter."""

    models: tuple[str, ...] = again(
        ModelSpec,
        "models",
        (),
        help="The classifier to start from: a name of `camtool models`, hf/ID_OR_FOLDER, package.module:factory or "
        "file.py:factory. [default: efficientnet_lite0]",
    )
    checkpoint: str | None = again(ModelSpec, "checkpoint", None, help="Weights for it, of your own.")
    labels: str | None = None
    activation: Activation | None = None


@dataclass(frozen=True)
class HeadSpec:
    pool: Pool = option(
        "avg",
        "--pool",
        panel=HEAD,
        help="Score maps to scores. avg finds the extent (CAM), max the most telling spot (Oquab), lse is in between.",
    )
    temperature: float = option(
        5.0,
        "--temperature",
        panel=HEAD,
        metavar="R",
        help="r of lse, (1/r) log mean exp(r x): small as avg, large as max.",
    )
    adapt: str = option(
        "256",
        "--adapt",
        panel=HEAD,
        metavar="SIZES",
        help="Channels of the adaptation layers, as 256 or 512,256; or none.",
    )
    dropout: float = option(
        0.5, "--dropout", panel=HEAD, minimum=0.0, maximum=0.95, metavar="P", help="After each adaptation layer."
    )
    layer: str | None = option(
        None,
        "--layer",
        "-l",
        panel=HEAD,
        metavar="LAYER",
        help="Where the trunk ends: a stage (layer3 is finer), a path. [default: the last grid before pooling]",
    )

    def __post_init__(self) -> None:
        if not (self.temperature > 0 and isfinite(self.temperature)):
            raise UsageError(f"--temperature takes a number above 0, not {self.temperature:g}")
        _ = self.sizes

    @property
    def sizes(self) -> tuple[int, ...]:
        """The values of --adapt. Raises UsageError."""
        if self.adapt.strip().casefold() == "none":
            return ()
        parts = self.adapt.split(",")
        if not all(part.strip().isdecimal() and 0 < int(part) <= 65536 for part in parts):
            raise UsageError(f"--adapt takes numbers of channels (256, or 512,256) or none, not {self.adapt!r}")
        return tuple(map(int, parts))


@dataclass(frozen=True)
class TrainGeometrySpec(GeometrySpec):
    fit: TrainFit = again(
        GeometrySpec,
        "fit",
        "squash",
        help="squash: the whole image, distorted. model: the model's own resize and centre crop.",
    )
    size: int | None = again(
        GeometrySpec, "size", None, help="Input size in pixels. [default: 10/7 of the model's, if it takes that]"
    )


@dataclass(frozen=True)
class TrainOutputSpec:
    """output: the checkpoint; what lies beside it is named after it."""

    output: str = option(
        f"trained{SUFFIX}", "--output", "-o", panel=OUTPUT, metavar="FILE", help="The checkpoint, a .safetensors."
    )
    overwrite: bool = again(OutputSpec, "overwrite", False, help="Replace an earlier run's checkpoint and start anew.")
    resume: bool = option(
        False, "--resume", panel=OUTPUT, help="Go on where a run was stopped; the result is that of an unbroken one."
    )
    cache: str | None = option(
        None,
        "--cache",
        panel=OUTPUT,
        metavar="DIR",
        help="Where features are kept while it learns. [default: in a folder beside the checkpoint]",
    )
    keep_cache: bool = option(
        False, "--keep-cache", panel=OUTPUT, help="Leave them there, for the next run over the same images."
    )

    def __post_init__(self) -> None:
        path = PurePath(self.output)
        if path.suffix.casefold() != SUFFIX or not path.stem:
            raise UsageError(f"-o takes the name of the checkpoint, as birds{SUFFIX}, not {self.output!r}")
        if self.overwrite and self.resume:
            raise UsageError("--overwrite starts anew, --resume goes on; choose one")


@dataclass(frozen=True)
class TrainRunSpec(RunSpec):
    seed: int = again(
        RunSpec, "seed", 0, help="Of everything that is drawn: the split, the copies, the first weights, the order."
    )
    precision: TrainPrecision = again(  # type: ignore[assignment]
        RunSpec, "precision", "auto", help="Arithmetic of the passes. auto: bf16 with --finetune on CUDA, else fp32."
    )
    batch_size: str = "auto"  # of the passes whose results are kept; --batch-size is that of learning
    nul: bool = False


@dataclass(frozen=True)
class TrainTerminalSpec(TerminalSpec):
    json: bool = again(TerminalSpec, "json", False, help="What train.json holds on stdout, instead of the path.")
    verbose: bool = again(TerminalSpec, "verbose", False, help="Say more on stderr: a line an epoch.")


@dataclass(frozen=True)
class TrainSpec:
    """arguments: the command line as it was typed, to be kept. dataset: as typed."""

    arguments: tuple[str, ...]
    dataset: str
    data: TrainDataSpec
    model: TrainModelSpec
    head: HeadSpec
    learning: LearningSpec
    geometry: TrainGeometrySpec
    output: TrainOutputSpec
    run: TrainRunSpec = field(default_factory=TrainRunSpec)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for the record."""
        return asdict(self)
