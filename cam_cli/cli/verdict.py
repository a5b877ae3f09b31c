"""What an evaluation came to, for people: its numbers, and what fell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

Json = Mapping[str, Any]


def numbers_table(runs: Sequence[Json]) -> Table:
    """A row a metric and run: value, 95 % interval, the baselines' values, n."""
    baselines = list(dict.fromkeys(name for run in runs for one in run["metrics"] for name in one["baselines"]))
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("metric", *(["run"] if len(runs) > 1 else []), "value", "95 % interval", *baselines, "n"):
        table.add_column(name, justify="left" if name in ("metric", "run") else "right", no_wrap=True)
    metrics = dict.fromkeys(one["metric"] for run in runs for one in run["metrics"])
    short = len({run["model"] for run in runs}) == 1
    for metric in metrics:
        for run in runs:
            name = run["run"].removeprefix(f"{run['model']}.") if short else run["run"]
            for one in run["metrics"]:
                if one["metric"] == metric:
                    table.add_row(*map(Text, cells(name if len(runs) > 1 else None, one, baselines)))
    return table


def cells(run: str | None, one: Json, baselines: Sequence[str]) -> Iterator[str]:
    yield one["metric"] + (" (hindsight)" if one["oracle"] else "")
    if run is not None:
        yield run
    yield figure(one["value"])
    yield "" if one["ci95"] is None else " … ".join(map(figure, one["ci95"]))
    for name in baselines:
        yield figure(one["baselines"].get(name, {}).get("value"))
    yield str(one["n"])


def gates_table(gates: Sequence[Json]) -> Table:
    """The gates, those that fell first."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("", "gate", "run", "metric", "why"):
        table.add_column(name, no_wrap=True)
    for gate in sorted(gates, key=lambda one: one["passed"]):
        word = Text("passed", "green") if gate["passed"] else Text("fell", "red bold")
        table.add_row(word, *(Text(str(gate[key] or "")) for key in ("gate", "run", "metric", "why")))
    return table


def figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
