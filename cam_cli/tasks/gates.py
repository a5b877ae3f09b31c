"""Bars that numbers must reach: the values of --fail-under, --fail-over and --max-drop, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from cam_cli.errors import UsageError
from cam_cli.methods import METHODS
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


def check_names(gates: Sequence[Gate], models: Collection[str], methods: Collection[str] | None) -> None:
    """Before anything is loaded. models: by alias. methods: as runs will call them, or None where nobody knows yet.

    Raises UsageError for a gate about another, MethodUnknown for one that nobody has.
    """
    for gate in gates:
        if gate.model is None or gate.method is None:
            continue
        if gate.model not in models:
            raise UsageError(f"{gate.text}: no model is called {gate.model!r} (there are {', '.join(models)})")
        if methods is None:
            METHODS.canonical(gate.method.partition(":")[0])
        elif gate.method not in methods:
            raise UsageError(f"{gate.text}: no method is called {gate.method!r} (there are {', '.join(methods)})")


def check_runs(gates: Sequence[Gate], runs: Sequence[Mapping[str, Any]]) -> None:
    """Raises UsageError for a gate about a run that there is not."""
    for gate in gates:
        if not any(map(gate.about, runs)):
            known = ", ".join(f"{run['model']}/{run['method']}" for run in runs)
            raise UsageError(f"{gate.text}: no run is called {gate.model}/{gate.method} (there are {known})")


def judge(
    gates: Sequence[Gate], report: Mapping[str, Any], significant: bool, left_out: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The gates of a report, one entry for each run and number that one is about; what could not be computed falls.

    left_out: why a number is not there, by name.
    """
    found: list[dict[str, Any]] = []
    for gate in gates:
        for run in filter(gate.about, report["runs"]):
            if gate.kind == "drop":
                found += dropped(gate, run, report, significant, left_out)
            else:
                found += reached(gate, run, left_out)
    return found


def reached(gate: Gate, run: Mapping[str, Any], left_out: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    number = next((one for one in run["metrics"] if one["metric"] == gate.metric), None)
    if number is None:
        yield entry(gate, run, gate.metric, None, False, lacking(gate.metric, left_out))
        return
    value = number["value"]
    if value is None or not number["n"]:
        yield entry(gate, run, gate.metric, value, False, f"not computed (n = {number['n']})")
        return
    passed = value >= gate.bar if gate.kind == "under" else value <= gate.bar
    sign = {("under", True): "≥", ("under", False): "<", ("over", True): "≤", ("over", False): ">"}
    told, bar = apart(value, gate.bar)
    yield entry(gate, run, gate.metric, value, passed, f"{told} {sign[gate.kind, passed]} {bar}")


def dropped(
    gate: Gate, run: Mapping[str, Any], report: Mapping[str, Any], significant: bool, left_out: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Of every number that the gate is about: of all, where it names none; then `why` names it. One that the baseline
    lacks falls."""
    changes = {change["metric"]: change for change in report["changes"] if change["run"] == run["run"]}
    values = {number["metric"]: number["value"] for number in run["metrics"]}
    for name in values if gate.metric is None else (gate.metric,):
        change, value = changes.get(name), values.get(name)
        passed = False
        if name not in values:
            why = lacking(name, left_out)
        elif change is None or change["before"] is None:
            why = "the baseline has no such number"
        elif change["difference"] is None or not change["n"]:
            value, why = change["after"], f"not computed (n = {change['n']})"
        else:
            value, (passed, why) = change["after"], held(gate, change, significant)
        yield entry(gate, run, name, value, passed, why if gate.metric else f"{name}: {why}")


def held(gate: Gate, change: Mapping[str, Any], significant: bool) -> tuple[bool, str]:
    """Whether a change is within the bar, and why. `significant` forgives what may be chance, not what nobody can tell:
    without an interval it changes nothing."""
    sign = 1 if change["higher_is_better"] else -1
    worse = -sign * change["difference"]
    interval = change["ci95"]
    chance = interval is not None and not (interval[1] < 0 if sign > 0 else interval[0] > 0)
    passed = not worse > gate.bar or (significant and chance)
    before, after = apart(change["before"], change["after"])
    why = f"{before} → {after}"
    if interval:
        why += f", a change of {change['difference']:+.4g} [{interval[0]:+.4g}, {interval[1]:+.4g}]"
    if worse > gate.bar and passed:
        why += ", which may be chance"
    return passed, why


def lacking(metric: str | None, left_out: Mapping[str, str]) -> str:
    """Why a number is not there."""
    return f"not computed: {left_out.get(str(metric), 'nothing that was asked for gives it')}"


def apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers to so many digits, four at least, that they differ where they do."""
    for digits in range(4, 18):
        both = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if one == other or both[0] != both[1]:
            break
    return both


def entry(
    gate: Gate, run: Mapping[str, Any], metric: str | None, value: float | None, passed: bool, why: str
) -> dict[str, Any]:
    flag = {"under": "--fail-under", "over": "--fail-over", "drop": "--max-drop"}[gate.kind]
    return {
        "gate": f"{flag} {gate.text}",
        "run": run["run"],
        "metric": metric,
        "value": value,
        "bar": gate.bar,
        "passed": passed,
        "why": why,
    }
