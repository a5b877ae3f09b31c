"""Bars that numbers must reach: the values of --fail-under, --fail-over and --max-drop, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from cam_cli.errors import UsageError
from cam_cli.metrics import METRICS
from cam_cli.specs.evaluate import GateSpec


@dataclass(frozen=True)
class Gate:
    """text: as typed. model, method: of the runs it is about, None for all. metric: in METRICS, or None for every one.

    bar: the number; kind: `under` (must not be below), `over` (must not be above), `drop` (must not be worse than the
    baseline by more).
    """

    text: str
    kind: str
    metric: str | None
    bar: float
    model: str | None = None
    method: str | None = None

    def about(self, run: Mapping[str, Any]) -> bool:
        """Whether a run of a report is meant."""
        return self.model in (None, run["model"]) and self.method in (None, run["method"])

    @property
    def metrics(self) -> tuple[str, ...]:
        """The numbers that must be computed for it."""
        return () if self.metric is None else (self.metric,)


def parse_gates(spec: GateSpec) -> tuple[Gate, ...]:
    """Raises UsageError, and MetricUnknown for a name that is not in METRICS."""
    return (
        *(parse(text, "under", "--fail-under") for text in spec.fail_under),
        *(parse(text, "over", "--fail-over") for text in spec.fail_over),
        *(parse(text, "drop", "--max-drop") for text in spec.max_drop),
    )


def parse(text: str, kind: str, flag: str) -> Gate:
    """`[ALIAS/METHOD:]METRIC=NUMBER`; of a drop the metric may be missing. A method may hold colons and equals signs
    itself (`rise:masks=500`), so both are looked for from the right."""
    left, equals, number = text.rpartition("=")
    if not equals and kind == "drop":
        left = ""
    try:
        bar = float(number)
    except ValueError:
        bar = float("nan")
    if not isfinite(bar) or (kind == "drop" and bar < 0) or (not left and kind != "drop"):
        shape = "[METRIC=]X, X not negative" if kind == "drop" else "[ALIAS/METHOD:]METRIC=X"
        raise UsageError(f"{flag} takes {shape}, not {text!r}")
    if not left:
        return Gate(text, kind, None, bar)
    who, _, metric = left.rpartition(":")
    model, slash, method = who.partition("/")
    if who and not (slash and model and method):
        raise UsageError(f"{flag} {text}: runs are named ALIAS/METHOD, not {who!r}")
    return Gate(text, kind, METRICS.canonical(metric), bar, model or None, method or None)


def check_runs(gates: Sequence[Gate], runs: Sequence[Mapping[str, Any]]) -> None:
    """Raises UsageError for a gate about a run that there is not."""
    for gate in gates:
        if not any(map(gate.about, runs)):
            known = ", ".join(f"{run['model']}/{run['method']}" for run in runs)
            raise UsageError(f"{gate.text}: no run is called {gate.model}/{gate.method} (there are {known})")


def judge(gates: Sequence[Gate], report: Mapping[str, Any], significant: bool) -> list[dict[str, Any]]:
    """The gates of a report, one entry for each run and number that one is about; what could not be computed falls, and
    so does a gate that is about no run."""
    found: list[dict[str, Any]] = []
    for gate in gates:
        entries = list(dropped(gate, report, significant) if gate.kind == "drop" else reached(gate, report))
        found += entries or [entry(gate, None, gate.metric, None, False, "no run of that name has this number")]
    return found


def reached(gate: Gate, report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for run in filter(gate.about, report["runs"]):
        for number in run["metrics"]:
            if number["metric"] != gate.metric:
                continue
            value = number["value"]
            if value is None or not number["n"]:
                yield entry(gate, run, gate.metric, value, False, f"not computed (n = {number['n']})")
                continue
            passed = value >= gate.bar if gate.kind == "under" else value <= gate.bar
            sign = {("under", True): "≥", ("under", False): "<", ("over", True): "≤", ("over", False): ">"}
            yield entry(gate, run, gate.metric, value, passed, f"{value:.4g} {sign[gate.kind, passed]} {gate.bar:g}")


def dropped(gate: Gate, report: Mapping[str, Any], significant: bool) -> Iterator[dict[str, Any]]:
    for change in report["changes"]:
        run = next(one for one in report["runs"] if one["run"] == change["run"])
        if not gate.about(run) or gate.metric not in (None, change["metric"]):
            continue
        if change["difference"] is None or not change["n"]:
            yield entry(gate, run, change["metric"], change["after"], False, f"not computed (n = {change['n']})")
            continue
        sign = 1 if change["higher_is_better"] else -1
        worse = -sign * change["difference"]
        interval = change["ci95"]
        sure = interval is not None and (interval[1] < 0 if sign > 0 else interval[0] > 0)
        passed = not worse > gate.bar or (significant and not sure)
        why = f"{change['before']:.4g} → {change['after']:.4g}"
        if interval:
            why += f", a change of {change['difference']:+.4g} [{interval[0]:+.4g}, {interval[1]:+.4g}]"
        if worse > gate.bar and passed:
            why += ", which may be chance"
        yield entry(gate, run, change["metric"], change["after"], passed, why)


def entry(
    gate: Gate, run: Mapping[str, Any] | None, metric: str | None, value: float | None, passed: bool, why: str
) -> dict[str, Any]:
    flag = {"under": "--fail-under", "over": "--fail-over", "drop": "--max-drop"}[gate.kind]
    return {
        "gate": f"{flag} {gate.text}",
        "run": run and run["run"],
        "metric": metric,
        "value": value,
        "bar": gate.bar,
        "passed": passed,
        "why": why,
    }
