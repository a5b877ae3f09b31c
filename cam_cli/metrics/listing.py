"""The metrics as `camtool metrics` and the documentation list them."""

from __future__ import annotations

from typing import Any

from . import METRICS
from .metric import Metric, Needs

WORDS = {
    Needs.LABELS: "classes",
    Needs.BOXES: "boxes",
    Needs.REGIONS: "masks",
    Needs.PREDICTIONS: "predictions",
    Needs.PROBE: "the network",
}


def described(name: str) -> dict[str, Any]:
    """One of METRICS: its name, group, which way is better, how often it asks the network about a map, what
    it needs, and what it is."""
    kind: type[Metric] = METRICS.load(name)
    return {
        "metric": name,
        "group": kind.group,
        "better": "higher" if kind.higher_is_better else "lower",
        "passes": kind.passes or None,
        "needs": ", ".join(word for need, word in WORDS.items() if need in kind.needs),
        "what": METRICS[name].summary,
    }
