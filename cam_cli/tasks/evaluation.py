"""The plan of an evaluation: what can be known before a model is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cam_cli.datasets.classmap import read_class_map
from cam_cli.datasets.dataset import Dataset, Request
from cam_cli.datasets.opening import open_dataset
from cam_cli.errors import DatasetUnreadable, InputEmpty, InputMissing, OutputRefused, UsageError
from cam_cli.images.intensity import Intensity
from cam_cli.images.recipe import asked
from cam_cli.images.walk import is_run
from cam_cli.methods.choice import Choice
from cam_cli.metrics.metric import Needs
from cam_cli.outputs.folder import EXPORTED, Folder, exported
from cam_cli.outputs.report.files import NAMES
from cam_cli.specs.evaluate import CALIBRATED, EvaluateSpec

from .baseline import Earlier
from .bench import BASELINES, IN_FILES
from .gates import Gate, check_names, parse_gates
from .listener import Listener
from .numbers import Numbers, available, choose_metrics, make_rules, parse_metrics
from .reporting import BY_CLASS
from .resuming import check_spec
from .summary import counted

CHOSEN = "gt_known_loc_calibrated"  # what a threshold is calibrated for
SHOWN = 5  # so many names are listed in a message


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
        for why in dict.fromkeys(self.numbers.left_out.values()):
            names = [name for name, one in self.numbers.left_out.items() if one == why]
            listener.note("left", f"{', '.join(names)}: {why}")


def outline(spec: EvaluateSpec) -> dict[str, Any]:
    """What a run would do, and what it costs: passes of the network over one image. Raises as `make_plan`."""
    plan = make_plan(spec)
    images, models = len(plan.dataset.truths), [choice.alias for choice in spec.model.choices()]
    methods = list(spec.methods.methods) or ["cam where it is exact, else gradcam"]
    told: dict[str, Any] = {
        "dataset": f"{plan.dataset.path} ({plan.dataset.format})",
        "images": images,
        **({} if spec.run.shard is None else {"shard": spec.run.shard}),
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
    methods = [Choice.parse(text) for text in spec.methods.methods]
    Intensity.parse(spec.geometry.intensity)
    asked(spec.shown)
    gates = parse_gates(spec.gates)
    check_names(gates, *named_runs(spec, methods))
    names = parse_metrics(spec.metric)
    groups = None if spec.data.class_map is None else read_class_map(spec.data.class_map)
    folder = Folder.check(spec.report.output, spec.report.overwrite, False, spec.report.resume)
    metric, data, model = spec.metric, spec.data, spec.model
    named = (spec.dataset, data.images, metric.maps, metric.predictions, metric.calibration, spec.gates.baseline)
    spare(folder, (*named, data.exclude, data.class_map, model.labels, *(one.checkpoint for one in model.choices())))
    free(folder)
    whole = opened(spec, spec.dataset, tuple(column for column in data.by if column != BY_CLASS))
    spare(folder, {os.path.dirname(truth.item.path) or os.curdir for truth in whole.truths})
    dataset, excluded = excluding(whole, data.exclude)
    dataset = dataset.take(spec.run.limit, spec.run.sample, spec.run.seed)
    if not dataset.truths:
        raise InputEmpty(f"{spec.dataset}: no image is left of {len(whole.truths)}")
    if groups is not None and dataset.classes and not set(groups) & set(dataset.classes):
        raise DatasetUnreadable(
            f"--class-map {data.class_map} has none of the classes of {spec.dataset} ({listed(dataset.classes)}); its "
            f"column class has {listed(groups)}"
        )
    has = having(spec, dataset)
    uncalibrated = (0.0, metric.calibration) if metric.calibration else None
    ranked = dataset.several or bool(metric.laid_down.metrics and not metric.asked)  # as a publication names them
    numbers = choose_metrics(names, gates, make_rules(spec, uncalibrated), has, ranked)
    calibration = calibrating = None
    if metric.calibration is not None:
        if CHOSEN not in numbers.wanted:
            raise UsageError(f"--threshold {metric.threshold} is for {CHOSEN}, {numbers.lacking(CHOSEN)}; drop it")
        calibration = calibrated_on(spec, metric.calibration, dataset)
        rules = make_rules(spec, None)
        calibrating = choose_metrics({"gt_known_loc_best": True}, (), rules, having(spec, calibration), False)
    earlier = None
    if spec.gates.baseline is not None:
        earlier = Earlier.read(spec.gates.baseline)
        earlier.check(protocol_json(spec), [truth.item.id for truth in dataset.truths])
    digest = dataset.digest(*filter(None, [calibration]))
    listing = {"images": len(dataset.truths), "sha256": digest}
    check_spec(folder, spec, listing)
    return Plan(dataset, listing, excluded, gates, numbers, folder, earlier, calibration, calibrating or numbers)


def having(spec: EvaluateSpec, dataset: Dataset) -> Needs:
    network = spec.metric.maps is None
    return available(dataset.truths, network or spec.metric.predictions is not None, network)


def calibrated_on(spec: EvaluateSpec, path: str, measured: Dataset) -> Dataset:
    """The data that a threshold is chosen on. Raises UsageError where they have no boxes, or are what is measured."""
    dataset = opened(spec, path)
    if not any(truth.objects for truth in dataset.truths):
        raise UsageError(f"--threshold {CALIBRATED}{path}: no image there has a box, so no threshold can be chosen")
    same = {os.path.realpath(truth.item.path) for truth in dataset.truths}
    shared = [truth.item.id for truth in measured.truths if os.path.realpath(truth.item.path) in same]
    if shared:
        raise UsageError(
            f"--threshold {CALIBRATED}{path}: {counted(len(shared), 'image')} of it measured too ({listed(shared)}); "
            "choose it on others, for what is best in hindsight is called gt_known_loc_best"
        )
    return dataset


def named_runs(spec: EvaluateSpec, methods: Sequence[Choice]) -> tuple[list[str], list[str] | None]:
    """The models of the runs to come, and their methods: None where some are known only once they are loaded."""
    if spec.metric.maps is not None:
        return [IN_FILES], [IN_FILES]
    plain = methods and not any(method.given for method in methods)
    return [choice.alias for choice in spec.model.choices()], [one.name for one in methods] if plain else None


def opened(spec: EvaluateSpec, path: str, columns: tuple[str, ...] = ()) -> Dataset:
    """A dataset, as the options say."""
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


def listed(names: Iterable[str]) -> str:
    every = [*names]
    return ", ".join(every[:SHOWN]) + ", …" * (len(every) > SHOWN)


def spellings(id: str) -> Iterator[str]:
    """What a list of images may call one: its id, its name, without suffix, or the number that this ends in."""
    path = Path(id)
    yield from (id, path.name, path.stem)
    digits = path.stem.rpartition("_")[2]
    if digits.isdecimal():
        yield str(int(digits))


def spare(folder: Folder, read: Iterable[str | None]) -> None:
    """Raises OutputRefused where the output folder is what is read, or taking it over from its last run could remove
    what is read: the maps, say, that it saved."""
    here, taken = folder.path.resolve(), is_run(str(folder.path))
    for path in filter(None, read):
        there = Path(path).resolve()
        if (there == here and there.is_dir()) or (taken and there != here and there.is_relative_to(here)):
            raise OutputRefused(f"-o {folder.path} holds what is read here ({path}); choose another")


def free(folder: Folder) -> None:
    """Raises OutputRefused where a file of the report would replace one that no run recorded: now, not at the end."""
    own = set(exported(folder.path / EXPORTED)) if is_run(str(folder.path)) else set()
    for name in NAMES:
        if name not in own:
            folder.admit(name)


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
