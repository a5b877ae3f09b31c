"""Which side of a comparison or change is the better one, as far as its interval can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def higher_is_better(report: dict[str, Any]) -> dict[str, bool]:
    """By metric."""
    return {one["metric"]: one["higher_is_better"] for run in report["runs"] for one in run["metrics"]}


def sign(one: Mapping[str, Any], directions: Mapping[str, bool]) -> int | None:
    """1 where the difference is for the better, −1 for the worse, 0 where its 95 % interval holds 0, that is, where it
    may be chance; None where there is no interval. A metric that no run has counts as one where higher is better."""
    ends = one["ci95"]
    if ends is None or None in ends:
        return None
    up = (ends[0] > 0) - (ends[1] < 0)
    return int(up if directions.get(one["metric"], True) else -up)
