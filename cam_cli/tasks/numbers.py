"""From the options that name metrics to what is computed: which of them, by which rules, and what they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from cam_cli.errors import UsageError
from cam_cli.metrics import METRICS
from cam_cli.metrics.metric import Metric, Needs, Rules
from cam_cli.specs.evaluate import EvaluateSpec, MetricSpec
from cam_cli.types import Truth

from .gates import Gate

GROUPS = ("localisation", "classification", "faithfulness", "sanity")
USUAL = ("localisation", "classification")
LACKING = {
    Needs.LABELS: "no image has a class",
    Needs.BOXES: "the data have no boxes",
    Needs.REGIONS: "the data have no masks",
    Needs.PREDICTIONS: "nobody says what the model predicts; add --predictions",
    Needs.PROBE: "it asks the network, and maps in files have none",
}


@dataclass(frozen=True)
class Numbers:
    """metrics: by key, the first of their names. wanted: of their names those that a report gives, in METRICS' order.
    left_out: of what was asked for by group, why it is not there."""

    metrics: Mapping[str, Metric]
    wanted: tuple[str, ...]
    left_out: Mapping[str, str]

    @property
    def asking(self) -> dict[str, Metric]:
        """Those that ask the network again."""
        return {key: metric for key, metric in self.metrics.items() if Needs.PROBE in metric.needs}

    def ranking(self, ranks: bool) -> Numbers:
        """Those that rank all images by each class, or the others."""
        return replace(self, metrics={key: one for key, one in self.metrics.items() if one.ranks == ranks})

    def lacking(self, name: str) -> str:
        """Why a number is not wanted."""
        return f"which cannot be computed: {self.left_out[name]}" if name in self.left_out else "which is not asked for"

    def of(self, metric: Metric) -> list[str]:
        """The names of a metric that are wanted."""
        return [name for name in metric.names if name in self.wanted]


def parse_metrics(spec: MetricSpec) -> dict[str, bool]:
    """The names that --metrics and --protocol ask for, and whether each was asked for by name rather than by group; the
    usual ones where there are none. Raises MetricUnknown."""
    asked = spec.asked or spec.laid_down.metrics or USUAL
    found: dict[str, bool] = {}
    for text in asked:
        groups = GROUPS if text == "all" else (text,)
        if set(groups) <= set(GROUPS):
            names = [name for name in METRICS if METRICS.load(name).group in groups]
            found |= {name: found.get(name, False) for name in names}
        else:
            found[METRICS.canonical(text)] = bool(spec.asked)
    return found


def make_rules(spec: EvaluateSpec, calibrated: tuple[float, str] | None) -> Rules:
    """The options' conventions, and the protocol's where there are none."""
    metric, protocol = spec.metric, spec.metric.laid_down
    return Rules(
        threshold=metric.fraction,
        tolerance=protocol.tolerance if metric.tolerance is None else metric.tolerance,
        input_pixels=(metric.tolerance_in or protocol.tolerance_in) == "input",
        calibrated=calibrated,
        interpolation=protocol.interpolation,
        by_class=protocol.by_class,
        seed=spec.run.seed,
    )


def available(truths: Sequence[Truth], predictions: bool, network: bool) -> Needs:
    """What metrics can have of these data and this model."""
    has = {
        Needs.LABELS: any(truth.labels for truth in truths),
        Needs.BOXES: any(truth.objects for truth in truths),
        Needs.REGIONS: any(truth.regions for truth in truths),
        Needs.PREDICTIONS: predictions,
        Needs.PROBE: network,
    }
    return reduce(or_, (need for need, there in has.items() if there), Needs.NOTHING)


def choose_metrics(
    asked: Mapping[str, bool], gates: Sequence[Gate], rules: Rules, has: Needs, several: bool
) -> Numbers:
    """asked: of `parse_metrics`. gates: what they are about is computed too. several: whether images may have several
    classes, without which what ranks images by class is not usual.

    Raises UsageError for a number that was asked for by name and that these data or this model cannot give.
    """
    metrics: dict[str, Metric] = {}
    wanted: list[str] = []
    left_out: dict[str, str] = {}
    gated = {name for gate in gates for name in gate.metrics}
    for name in METRICS:
        if name not in asked and name not in gated:
            continue
        kind: type[Metric] = METRICS.load(name)
        lacking = next((why for need, why in LACKING.items() if need in kind.needs and need not in has), None)
        if lacking is None and name.endswith("_calibrated") and rules.calibrated is None:
            if asked.get(name):
                raise UsageError(f"--metrics {name} needs --threshold calibrated:DATASET")
            continue
        if lacking and asked.get(name):
            raise UsageError(f"--metrics {name} cannot be computed: {lacking}")
        if lacking is None and kind.ranks and not (several or asked.get(name) or name in gated):
            lacking = "every image has one class; name it to have it all the same"
        if lacking:
            left_out[name] = lacking
            continue
        metrics.setdefault(kind.names[0], kind(rules))
        wanted.append(name)
    if not wanted:
        raise UsageError(f"nothing to compute: {', '.join(f'{name} ({why})' for name, why in left_out.items())}")
    return Numbers(metrics, tuple(wanted), left_out)


def recalibrated(numbers: Numbers, rules: Rules) -> Numbers:
    """The same numbers by other rules."""
    return replace(numbers, metrics={key: replace(metric, rules=rules) for key, metric in numbers.metrics.items()})
