"""`report.md`: for people and job summaries."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .differences import higher_is_better, sign
from .document import canonical
from .figures import NONE, counted, figure, interval
from .names import code, codes, fenced, words
from .sections import Section, joined

LIMIT = 64 * 1024 - 1
NAMES = 5  # of a list of images or classes
ACROSS = 6  # baselines, and metrics in the table of groups, side by side
LONG = 1000  # characters of the command, and of the versions
LEFT_OUT = {
    "failed": "failed image, counted as a miss",
    "without_truth": "image without truth",
    "missing_maps": "image without a map, counted as a miss",
}
VERDICTS = {1: "better", -1: "worse", 0: "may be chance", None: ""}
Json = dict[str, Any]


def markdown(report: Json) -> bytes:
    """GitHub's flavour, UTF-8, below 64 KiB whatever the report: names are cut and escaped, rows that do not fit are
    counted. Gates come first."""
    whole = canonical(report)
    parts = (gates, numbers, comparisons, changes, groups, left_out, made)
    return joined(headline(whole), [part(whole) for part in parts], LIMIT)


def headline(report: Json) -> list[str]:
    data = report["dataset"]
    name = "/".join(re.split(r"[\\/]", data["path"].rstrip("/\\"))[-2:]) or data["path"]
    split = f" ({code(data['split'])})" if data["split"] else ""
    facts = [counted(data["images"], "image"), counted(data["classes"], "class"), counted(len(report["runs"]), "run")]
    return [f"# Evaluation on {code(name)}{split}", "", " · ".join([*verdict(report["gates"]), *facts]), ""]


def verdict(gates: Sequence[Json]) -> list[str]:
    """What a reader of a job wants to know first; nothing without gates."""
    if not gates:
        return []
    fallen, all = sum(not one["passed"] for one in gates), counted(len(gates), "gate")
    return [f"❌ **{fallen} of {all} fell**" if fallen else f"✅ **{all} passed**"]


def gates(report: Json) -> Section:
    """What fell comes first, so that it is never what is cut."""

    def cells(one: Json) -> list[str]:
        result = "✅ passed" if one["passed"] else "❌ **fell**"
        return [result, code(one["gate"]), code(one["run"]), figure(one["value"]), words(one["why"])]

    ordered = sorted(report["gates"], key=lambda one: bool(one["passed"]))
    return Section("Gates", (), ("result", "gate", "run", "#value", "why"), ordered, cells, "gates")


def numbers(report: Json) -> Section:
    """A row a metric and run; runs of one metric stand together."""
    every = [(run["run"], one) for run in report["runs"] for one in run["metrics"]]
    order = {name: index for index, name in enumerate(dict.fromkeys(one["metric"] for _, one in every))}
    bases = list(dict.fromkeys(name for _, one in every for name in one["baselines"]))[:ACROSS]

    def cells(pair: tuple[str, Json]) -> list[str]:
        run, one = pair
        oracle = ", chosen in hindsight" if one["oracle"] else ""
        metric = f"{code(one['metric'])} {'↑' if one['higher_is_better'] else '↓'}{oracle}"
        beside = [figure(one["baselines"][base]["value"]) if base in one["baselines"] else NONE for base in bases]
        value = f"**{figure(one['value'])}**"
        return [metric, code(run), value, interval(one["ci95"]), str(one["n"]), *beside, details(one)]

    settings, protocol = report["settings"], report["protocol"]
    modified = f", modified in {codes(protocol['modified'], NAMES)}" if protocol["modified"] else ""
    lead = (
        f"Protocol {code(protocol['name'])}{modified}. Intervals are of 95 %, by bootstrap over images "
        f"({settings['resamples']} resamples, seed {settings['seed']}). ↑ higher is better, ↓ lower is."
    )
    head = ("metric", "run", "#value", "95 %", "#n", *(f"#{code(base)}" for base in bases), "computed with")
    every.sort(key=lambda pair: order[pair[1]["metric"]])
    return Section("Numbers", [lead] if every else [], head, every, cells, "numbers")


def details(one: Json) -> str:
    """What it was computed with; of a number that is not there, why."""
    rules = [f"{name.replace('_', ' ')} {plainly(value)}" for name, value in one["computed_with"].items()]
    return words(" · ".join(filter(None, [one.get("why"), ", ".join(rules)]))) or NONE


def plainly(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(plainly, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name} {plainly(one)}' for name, one in value.items())}}}"
    return str(value)


def comparisons(report: Json) -> Section:
    directions = higher_is_better(report)

    def cells(one: Json) -> list[str]:
        side = sign(one, directions)
        better = f"{code(one['a'] if side > 0 else one['b'])} is better" if side else VERDICTS[side]
        return [code(one["metric"]), f"{code(one['a'])} − {code(one['b'])}", *difference(one), better]

    lead = ["Pair by pair on the same images."] if report["comparisons"] else []
    head = ("metric", "runs", "#difference", "95 %", "#n", "")
    return Section("Comparisons", lead, head, report["comparisons"], cells, "comparisons")


def changes(report: Json) -> Section:
    directions = higher_is_better(report)

    def cells(one: Json) -> list[str]:
        sides = figure(one["before"]), figure(one["after"])
        return [code(one["metric"]), code(one["run"]), *sides, *difference(one), VERDICTS[sign(one, directions)]]

    olds = codes(list(dict.fromkeys(one["baseline"] for one in report["changes"])), NAMES)
    lead = [f"Against {olds}, pair by pair on the same images."] if report["changes"] else []
    head = ("metric", "run", "#before", "#after", "#difference", "95 %", "#n", "")
    return Section("Changes", lead, head, report["changes"], cells, "changes")


def difference(one: Json) -> list[str]:
    return [f"**{figure(one['difference'], signed=True)}**", interval(one["ci95"], signed=True), str(one["n"])]


def groups(report: Json) -> Section:
    every = [(run["run"], one) for run in report["runs"] for one in run["groups"]]
    names = list(dict.fromkeys(number["metric"] for _, one in every for number in one["metrics"]))

    def cells(pair: tuple[str, Json]) -> list[str]:
        run, one = pair
        values = {number["metric"]: number for number in one["metrics"]}
        shown = [grouped(values.get(name)) for name in names[:ACROSS]]
        return [f"{code(one['column'])} = {code(one['value'])}", code(run), str(one["images"]), *shown]

    more = len(names) - ACROSS
    lead = [f"{counted(more, 'more metric')} of each group: `report.json`."] if more > 0 else []
    head = ("group", "run", "#images", *(f"#{code(name)}" for name in names[:ACROSS]))
    return Section("Groups", lead, head, every, cells, "groups")


def grouped(number: Json | None) -> str:
    return NONE if number is None else f"{figure(number['value'])} ({interval(number['ci95'])})"


def left_out(report: Json) -> Section:
    def cells(one: tuple[int, str, list[str]]) -> list[str]:
        count, what, names = one
        return [str(count), words(what), codes(names, NAMES, count)]

    every = [one for one in omissions(report["dataset"]) if one[0]]
    lead = [] if every else ["Nothing failed, and nothing was left out."]
    return Section("Left out", lead, ("#count", "what", "which"), every, cells, "remarks")


def omissions(data: Json) -> Iterator[tuple[int, str, list[str]]]:
    for key, what in LEFT_OUT.items():
        yield data[key]["count"], what, data[key]["ids"]
    yield data["unknown_classes"]["count"], "class that the model does not know", data["unknown_classes"]["names"]
    for one in data["notes"]:
        yield one["count"], one["what"], one["where"]


def made(report: Json) -> Section:
    """The command, versions, and what was run: enough to do it again."""

    def cells(run: Json) -> list[str]:
        weights = code(run["weights"]) if run["weights"] else NONE
        hashed = code(run["sha256"][:12]) if run["sha256"] else NONE
        return [
            code(run["run"]),
            code(run["network"]),
            code(run["method"]),
            codes(run["layers"], NAMES),
            weights,
            hashed,
        ]

    settings = report["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in report["versions"].items())
    made_on = f"On {settings['device']} in {settings['precision']}{versions and ', with '}{versions}."
    lead = [fenced(shlex.join(["camtool", *report["command"]]), LONG), words(made_on, LONG)]
    head = ("run", "network", "method", "layers", "weights", "sha256")
    return Section("Made with", lead, head, report["runs"], cells, "runs")
