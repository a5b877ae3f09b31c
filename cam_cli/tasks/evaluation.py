"""The plan of an evaluation: what can be known before a model is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cam_cli.datasets.classmap import read_class_map
from cam_cli.datasets.dataset import Dataset, Request
from cam_cli.datasets.opening import open_dataset
from cam_cli.errors import InputEmpty, InputMissing, OutputRefused
from cam_cli.images.intensity import Intensity
from cam_cli.images.recipe import asked
from cam_cli.methods.choice import Choice
from cam_cli.outputs.folder import Folder
from cam_cli.specs.evaluate import EvaluateSpec

from .baseline import Earlier
from .bench import BASELINES
from .gates import Gate, parse_gates
from .listener import Listener
from .numbers import Numbers, available, choose_metrics, make_rules, parse_metrics
from .reporting import BY_CLASS
from .resuming import check_spec
from .summary import counted


@dataclass(frozen=True)
class Plan:
    """listed: what `run.json` says of the data. excluded: how many images --exclude left out. earlier: of --baseline.
    calibration: the data of --threshold calibrated:DATASET; calibrating: what is computed of them."""

    dataset: Dataset
    listed: dict[str, Any]
    excluded: int
    gates: tuple[Gate, ...]
    numbers: Numbers
    folder: Folder
    earlier: Earlier | None
    calibration: Dataset | None
    calibrating: Numbers

    def tell(self, listener: Listener) -> None:
        data = self.dataset
        listener.note(
            "data",
            f"{data.path} ({data.format}): {counted(len(data.truths), 'image')}, {counted(len(data.classes), 'class')}",
        )
        if self.excluded:
            listener.note("data", f"{self.excluded} left out by --exclude")
        for kind, count in data.notes.counts.items():
            listener.note("data", f"{count} × {kind}: {', '.join(data.notes.places[kind][:3])}{', …' * (count > 3)}")
        for name, why in self.numbers.left_out.items():
            listener.note("left", f"{name}: {why}")


def outline(spec: EvaluateSpec) -> dict[str, Any]:
    """What a run would do, and what it costs: passes of the network over one image. Raises as `make_plan`."""
    plan = make_plan(spec)
    images, models = len(plan.dataset.truths), [choice.alias for choice in spec.model.choices()]
    methods = list(spec.methods.methods) or ["cam where it is exact, else gradcam"]
    told: dict[str, Any] = {
        "dataset": f"{plan.dataset.path} ({plan.dataset.format})",
        "images": images,
        "classes": len(plan.dataset.classes),
        "maps": spec.metric.maps or f"of {', '.join(models)}, by {', '.join(methods)}",
        "metrics": ", ".join(plan.numbers.wanted),
        "output": str(plan.folder.path),
    }
    if spec.metric.maps is not None:
        return told
    layers, baselines = max(1, len(spec.method.layers)), len(BASELINES) if spec.metric.baselines else 0
    maps = len(methods) * layers + baselines
    shown = images * len(models)
    asked = {key: shown * maps * metric.passes for key, metric in plan.numbers.asking.items()}
    methods_own = "and what the methods themselves ask"
    passes = {"passes": shown + sum(asked.values()), "passes of maps": f"{shown}, {methods_own}"}
    return told | passes | {f"passes of {key}": count for key, count in asked.items()}


def make_plan(spec: EvaluateSpec) -> Plan:
    """Reads the options that name things and the data's annotations; touches nothing.

    Raises UsageError, MetricUnknown, MethodUnknown, InputMissing, InputEmpty, DatasetUnreadable, ReportUnreadable and
    OutputRefused.
    """
    for text in spec.method.methods:
        Choice.parse(text)
    Intensity.parse(spec.geometry.intensity)
    asked(spec.shown)
    gates = parse_gates(spec.gates)
    names = parse_metrics(spec.metric)
    if spec.data.class_map is not None:
        read_class_map(spec.data.class_map)
    folder = Folder.check(spec.report.output, spec.report.overwrite, False, spec.report.resume)
    spare(folder, spec)
    whole = opened(spec, spec.dataset)
    dataset, excluded = excluding(whole, spec.data.exclude)
    dataset = dataset.take(spec.run.limit, spec.run.sample, spec.run.seed)
    if not dataset.truths:
        raise InputEmpty(f"{spec.dataset}: no image is left of {len(whole.truths)}")
    calibration = opened(spec, spec.metric.calibration) if spec.metric.calibration else None
    listed = {"images": len(dataset.truths), "sha256": dataset.digest(*filter(None, [calibration]))}
    check_spec(folder, spec, listed)
    placeholder = (0.0, spec.metric.calibration) if spec.metric.calibration else None
    network = spec.metric.maps is None
    has = available(dataset.truths, network or spec.metric.predictions is not None, network)
    numbers = choose_metrics(names, gates, make_rules(spec, placeholder), has, dataset.several)
    earlier = None
    if spec.gates.baseline is not None:
        earlier = Earlier.read(spec.gates.baseline)
        earlier.check(protocol_json(spec), [truth.item.id for truth in dataset.truths])
    best = (
        choose_metrics({"gt_known_loc_best": True}, (), make_rules(spec, None), has, False) if calibration else numbers
    )
    return Plan(dataset, listed, excluded, gates, numbers, folder, earlier, calibration, best)


def opened(spec: EvaluateSpec, path: str) -> Dataset:
    """A dataset, as the options say."""
    columns = tuple(column for column in spec.data.by if column != BY_CLASS)
    request = Request(path, spec.data.split, spec.data.images, columns)
    return open_dataset(request, spec.data.format, images=spec.metric.maps is None)


def excluding(dataset: Dataset, file: str | None) -> tuple[Dataset, int]:
    """A dataset without the images whose ids stand in a file, one a line, and how many those are.

    Of ILSVRC's lists, which give places (1 for the first), a line of digits is the number at the end of the name.
    Raises InputMissing, and InputEmpty where none of them is there.
    """
    if file is None:
        return dataset, 0
    try:
        lines = {line.strip() for line in Path(file).read_text(encoding="utf-8-sig").splitlines()} - {""}
    except (OSError, UnicodeError) as error:
        raise InputMissing(f"--exclude {file}: {getattr(error, 'strerror', None) or error}") from error
    kept = tuple(truth for truth in dataset.truths if not lines & set(spellings(truth.item.id)))
    if len(kept) == len(dataset.truths):
        raise InputEmpty(f"--exclude {file}: none of its {len(lines)} lines is the id of an image")
    return replace(dataset, truths=kept), len(dataset.truths) - len(kept)


def spellings(id: str) -> Iterator[str]:
    """What a list of images may call one: its id, its name, without suffix, or the number that this ends in."""
    path = Path(id)
    yield from (id, path.name, path.stem)
    digits = path.stem.rpartition("_")[2]
    if digits.isdecimal():
        yield str(int(digits))


def spare(folder: Folder, spec: EvaluateSpec) -> None:
    """Raises OutputRefused where the output folder is what is read."""
    read = filter(None, [spec.dataset, spec.data.images, spec.metric.maps, spec.gates.baseline])
    for path in read:
        if Path(path).is_dir() and Path(path).resolve() == folder.path.resolve():
            raise OutputRefused(f"-o {folder.path} is what is read here ({path}); choose another")


def protocol_json(spec: EvaluateSpec) -> dict[str, Any]:
    """How the numbers are computed, for the report."""
    metric, rules = spec.metric, make_rules(spec, None)
    return {
        "name": metric.protocol,
        "source": metric.laid_down.source,
        "modified": list(spec.modified),
        "fit": spec.shown.fit,
        "size": spec.shown.size,
        "threshold": "otsu" if rules.threshold is None else rules.threshold,
        "calibrated_on": metric.calibration,
        "overlap": rules.overlap,
        "tolerance": rules.tolerance,
        "tolerance_in": "input" if rules.input_pixels else "original",
        "interpolation": rules.interpolation,
        "by_class": rules.by_class,
        "difficult": rules.difficult,
        "class": metric.explained,
    }
