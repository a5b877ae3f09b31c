"""What of a report and its cases a page carries: all that is short, and a bounded part of what may be long."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any

from cam_cli.metrics import METRICS
from cam_cli.outputs.record import number
from cam_cli.types import IMAGE_FLAGS, MAP_FLAGS

from .case import Case, Xyxy
from .differences import higher_is_better, sign
from .document import canonical
from .thinning import thinned

Json = dict[str, Any]
NAMES = 100  # of a list of images or classes
NOTES, PLACES = 40, 20  # remarks on the data, and where each was made
ROWS = {"gates": 200, "comparisons": 200, "changes": 200}
NUMBERS = 400  # of groups, over all runs
POINTS = 2000  # of curves, over all runs
LEAST, MOST = 16, 160  # of one curve
KINDS = {b"\xff\xd8\xff": "jpeg", b"\x89PNG": "png", b"RIFF": "webp"}


def embedded(report: Json, cases: Sequence[Case]) -> Json:
    """report: with long lists cut. left_out: how many were cut, by what; gates: of all. pictures: `data:` URIs, each
    once. summaries: of its metrics; flags: of its cases, in words."""
    whole = canonical(report)
    pictures: dict[bytes, int] = {}
    bars = {"all": len(whole["gates"]), "fallen": sum(not one["passed"] for one in whole["gates"])}
    left = {"groups": groups(whole)} | {name: cut(whole, name, most) for name, most in ROWS.items()}
    shortened(whole["dataset"])
    thin(whole["runs"])
    directions = higher_is_better(whole)
    for one in (*whole["comparisons"], *whole["changes"]):
        one["sign"] = sign(one, directions)
    shown = [case(one, pictures) for one in cases]
    return {
        "report": whole,
        "left_out": left,
        "gates": bars,
        "summaries": {name: METRICS[name].summary for name in directions if name in METRICS},
        "flags": {flag: (IMAGE_FLAGS | MAP_FLAGS).get(flag) for one in cases for flag in one.flags},
        "cases": shown,
        "pictures": [uri(data) for data in pictures],
    }


def cut(whole: Json, name: str, most: int) -> int:
    """Shortens a list; gates that fell stay before those that passed. How many are gone."""
    if name == "gates":
        whole[name].sort(key=lambda one: bool(one["passed"]))
    gone = max(0, len(whole[name]) - most)
    del whole[name][most:]
    return gone


def groups(whole: Json) -> int:
    """Keeps an equal part of every run's groups; how many are gone."""
    gone, room = 0, NUMBERS // max(1, len(whole["runs"]))
    for run in whole["runs"]:
        left, kept = room, 0
        for one in run["groups"]:
            left -= len(one["metrics"])
            kept += left >= 0
        gone += len(run["groups"]) - kept
        del run["groups"][kept:]
    return gone


def shortened(data: Json) -> None:
    for key in ("failed", "without_truth", "missing_maps"):
        del data[key]["ids"][NAMES:]
    del data["unknown_classes"]["names"][NAMES:]
    del data["notes"][NOTES:]
    for note in data["notes"]:
        del note["where"][PLACES:]


def thin(runs: list[Json]) -> None:
    every = [one for run in runs for one in run["curves"]]
    most = min(MOST, max(LEAST, POINTS // max(1, len(every))))
    for one in every:
        one["x"], one["y"] = thinned(one["x"], one["y"], most)


def case(one: Case, pictures: dict[bytes, int]) -> Json:
    """Pictures by their place among `pictures`, to which new ones are added: runs share photographs."""
    return {
        "run": one.run,
        "id": one.id,
        "label": one.label,
        "predicted": list(one.predicted),
        "score": None if one.score is None else number(one.score),
        "right": one.right,
        "flags": list(one.flags),
        "width": one.width,
        "height": one.height,
        "truth": [edges(box) for box in one.truth],
        "found": [edges(box) for box in one.found],
        "photograph": pictures.setdefault(one.photograph, len(pictures)),
        "overlay": pictures.setdefault(one.overlay, len(pictures)) if one.overlay else None,
    }


def edges(box: Xyxy) -> list[float | None]:
    return [number(edge) for edge in box]


def uri(data: bytes) -> str:
    kind = next((kind for start, kind in KINDS.items() if data.startswith(start)), "webp")
    return f"data:image/{kind};base64,{b64encode(data).decode()}"
