"""One run of `evaluate`: which data, which numbers, which bars."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from typing import Any, Literal

from cam_cli.errors import UsageError, nearest

from . import Fit, GeometrySpec, OutputSpec
from .export import separated
from .localize import LocalizeMethodSpec
from .model import ModelSpec
from .option import DATA, GATES, NUMBERS, OUTPUT, again, option
from .protocols import PROTOCOLS, Protocol
from .run import RunSpec, TerminalSpec

Explained = Literal["top", "truth"]
TolerancePixels = Literal["original", "input"]
CALIBRATED = "calibrated:"


@dataclass(frozen=True)
class DatasetSpec:
    format: str | None = option(
        None,
        "--dataset-format",
        panel=DATA,
        metavar="NAME",
        help="voc, coco, wsol, imagenet, cub, csv or folder. [default: as found]",
    )
    split: str | None = option(None, "--split", panel=DATA, metavar="NAME", help="Of the data: val, test, …")
    images: str | None = option(
        None, "--images", panel=DATA, metavar="DIR", help="Where its images are. [default: as the format has them]"
    )
    class_map: str | None = option(
        None,
        "--class-map",
        panel=DATA,
        metavar="FILE",
        help="A .csv of its classes and the model's, several rows a class; or voc-from-imagenet.",
    )
    exclude: str | None = option(
        None, "--exclude", panel=DATA, metavar="FILE", help="Leave out the images whose ids stand here, one a line."
    )
    by: tuple[str, ...] = option(
        (), "--by", panel=DATA, metavar="COLUMN", help="Repeat every number per value of a column; class works always."
    )


@dataclass(frozen=True)
class MetricSpec:
    names: tuple[str, ...] = option(
        (),
        "--metrics",
        panel=NUMBERS,
        metavar="NAMES",
        help="Names of `camtool metrics`, or localisation, classification, faithfulness, sanity, all. [default: "
        "localisation and classification, as far as the data have it]",
    )
    protocol: str = option(
        "camtool", "--protocol", panel=NUMBERS, metavar="NAME", help=f"As a publication has it: {', '.join(PROTOCOLS)}."
    )
    threshold: str | None = option(
        None,
        "--threshold",
        panel=NUMBERS,
        metavar="T",
        help="Boxes are what is above this fraction of the maximum; otsu; or calibrated:DATASET chooses it on other "
        "data, for gt_known_loc_calibrated. [default: 0.2, or the protocol's]",
    )
    tolerance: float | None = option(
        None, "--tolerance", panel=NUMBERS, minimum=0, metavar="PX", help="Of location_ap, around a box. [default: 18]"
    )
    tolerance_in: TolerancePixels | None = option(
        None, "--tolerance-in", panel=NUMBERS, help="Whose pixels those are. [default: original]"
    )
    explained: Explained = option(
        "top", "--class", "-c", panel=NUMBERS, help="Whose map faithfulness metrics judge: the top class's, or truth's."
    )
    baselines: bool = option(
        True, "--baselines/--no-baselines", panel=NUMBERS, help="The same numbers of a centred and of a random map."
    )
    resamples: int = option(
        1000, "--resamples", panel=NUMBERS, minimum=0, metavar="N", help="Of the bootstrap behind the intervals."
    )
    maps: str | None = option(
        None,
        "--maps",
        panel=NUMBERS,
        metavar="DIR",
        help="Judge maps in files, by image id (.npy, .npz, .png, .tif), instead of a model's.",
    )
    predictions: str | None = option(
        None,
        "--predictions",
        panel=NUMBERS,
        metavar="FILE",
        help="With --maps: a .csv with path and predictions (best first, ; between), or a column a class.",
    )

    def __post_init__(self) -> None:
        _ = self.laid_down, self.fraction
        if self.tolerance is not None and not isfinite(self.tolerance):
            raise UsageError(f"--tolerance takes a number of pixels, not {self.tolerance}")
        if self.predictions is not None and self.maps is None:
            raise UsageError("--predictions goes with --maps; a model makes its own")

    @property
    def asked(self) -> tuple[str, ...]:
        """The values of --metrics, each once."""
        return separated(self.names)

    @property
    def laid_down(self) -> Protocol:
        """What --protocol says. Raises UsageError."""
        if self.protocol not in PROTOCOLS:
            known = list(PROTOCOLS)
            raise UsageError(
                f"--protocol takes {', '.join(known)}, not {self.protocol!r}{nearest(self.protocol, known)}"
            )
        return PROTOCOLS[self.protocol]

    @property
    def calibration(self) -> str | None:
        """The dataset on which a threshold is to be chosen."""
        text = self.threshold or ""
        return text.removeprefix(CALIBRATED) or None if text.startswith(CALIBRATED) else None

    @property
    def fraction(self) -> float | None:
        """The fixed threshold, a fraction of the maximum; None for Otsu's level. Raises UsageError."""
        text = self.threshold or self.laid_down.threshold
        if text.startswith(CALIBRATED):
            if self.calibration is None:
                raise UsageError("--threshold calibrated:DATASET names the data it is chosen on")
            text = self.laid_down.threshold
        if text == "otsu":
            return None
        try:
            found = float(text)
        except ValueError:
            found = -1.0
        if not 0 <= found < 1:
            raise UsageError(
                f"--threshold takes a fraction from 0 to below 1, otsu or calibrated:DATASET, not {self.threshold!r}"
            )
        return found


@dataclass(frozen=True)
class GateSpec:
    fail_under: tuple[str, ...] = option(
        (),
        "--fail-under",
        panel=GATES,
        metavar="METRIC=X",
        help="Exit with 7 if a number is below: gt_known_loc=0.6, ALIAS/METHOD:maxboxacc=0.6. Repeatable.",
    )
    fail_over: tuple[str, ...] = option(
        (), "--fail-over", panel=GATES, metavar="METRIC=X", help="The same where lower is better. Repeatable."
    )
    baseline: str | None = option(
        None,
        "--baseline",
        panel=GATES,
        metavar="DIR",
        help="An earlier evaluation to compare with, image by image.",
    )
    max_drop: tuple[str, ...] = option(
        (),
        "--max-drop",
        panel=GATES,
        metavar="[METRIC=]X",
        help="Exit with 7 if a number is worse than the baseline's by more. Repeatable.",
    )
    significant: bool = option(
        False, "--significant", panel=GATES, help="--max-drop only where the interval of the drop excludes 0."
    )

    def __post_init__(self) -> None:
        if self.max_drop and self.baseline is None:
            raise UsageError("--max-drop compares with an earlier evaluation; add --baseline DIR")
        if self.significant and not self.max_drop:
            raise UsageError("--significant is about --max-drop; add it")


@dataclass(frozen=True)
class EvaluateGeometrySpec(GeometrySpec):
    fit: Fit | None = again(  # type: ignore[assignment]
        GeometrySpec,
        "fit",
        None,
        help="squash: the whole image, distorted. pad: whole, with margins. keep: whole, undistorted, if the network "
        "takes any size. model: its own resize and centre crop. [default: squash, or the protocol's]",
    )


@dataclass(frozen=True)
class ReportSpec:
    output: str | None = again(OutputSpec, "output", None, metavar="DIR", help="A folder. [default: camtool-out]")
    save_maps: bool = option(
        False, "--save-maps", panel=OUTPUT, help="Keep the maps that were judged, as wsolevaluation's code reads them."
    )
    overwrite: bool = again(OutputSpec, "overwrite", False)
    resume: bool = again(OutputSpec, "resume", False)


@dataclass(frozen=True)
class EvaluateRunSpec(RunSpec):
    nul: bool = False  # no list on stdin, so no option


@dataclass(frozen=True)
class EvaluateTerminalSpec(TerminalSpec):
    json: bool = again(TerminalSpec, "json", False, help="The report as JSON on stdout, instead of its path.")


@dataclass(frozen=True)
class EvaluateSpec:
    """arguments: the command line as it was typed, to be kept. dataset: as typed."""

    arguments: tuple[str, ...]
    dataset: str
    data: DatasetSpec
    model: ModelSpec
    metric: MetricSpec
    method: LocalizeMethodSpec
    geometry: EvaluateGeometrySpec
    gates: GateSpec
    report: ReportSpec
    run: RunSpec = field(default_factory=RunSpec)

    def __post_init__(self) -> None:
        if self.metric.maps is None:
            return
        shown = asdict(self.geometry) | {"intensity": None, "max_pixels": None}
        usual = asdict(EvaluateGeometrySpec()) | {"intensity": None, "max_pixels": None}
        told = {
            "--model and what goes with it": self.model != ModelSpec(),
            "--class-map": self.data.class_map is not None,
            "--method and what goes with it": self.method != LocalizeMethodSpec(),
            "--fit, --size and the like": shown != usual,
            "--tolerance-in input": self.metric.tolerance_in == "input",
        }
        for flags, given in told.items():
            if given:
                raise UsageError(f"--maps has maps in files, of which {flags} can say nothing; drop it")

    @property
    def shown(self) -> GeometrySpec:
        """How pictures are shown to the network: the options, and the protocol's where there are none."""
        protocol = self.metric.laid_down
        return GeometrySpec(
            **{
                **{name: value for name, value in asdict(self.geometry).items() if name not in ("fit", "size")},
                "fit": self.geometry.fit or protocol.fit,
                "size": self.geometry.size or protocol.size,
            }
        )

    @property
    def methods(self) -> LocalizeMethodSpec:
        """The options' methods, and the protocol's where there are none."""
        return replace(self.method, methods=self.method.methods or self.metric.laid_down.methods)

    @property
    def modified(self) -> tuple[str, ...]:
        """The options that say otherwise than the protocol."""
        protocol, metric = self.metric.laid_down, self.metric
        given = {
            "--fit": (self.geometry.fit, protocol.fit),
            "--size": (self.geometry.size, protocol.size),
            "--threshold": (metric.threshold, protocol.threshold),
            "--tolerance": (metric.tolerance, protocol.tolerance),
            "--tolerance-in": (metric.tolerance_in, protocol.tolerance_in),
            "--method": (self.method.methods or None, protocol.methods or None),
            "--metrics": (metric.asked or None, protocol.metrics or None),
        }
        if self.metric.protocol == "camtool":
            return ()
        return tuple(flag for flag, (asked, laid_down) in given.items() if asked is not None and asked != laid_down)

    def as_json(self) -> dict[str, Any]:
        """Plain values, for `run.json`."""
        return asdict(self)
