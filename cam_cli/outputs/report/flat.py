"""`metrics.json`: a name, a number; for jq, DVC, MLflow and shell scripts."""

from __future__ import annotations

import json
from typing import Any

from .document import canonical


def flat(report: dict[str, Any]) -> bytes:
    """`{"gt_known_loc": 0.65}` of one run; `{"cam.gt_known_loc": 0.65}`, the run's name in front, of several. null
    where a number could not be computed."""
    runs = canonical(report)["runs"]
    values = {
        one["metric"] if len(runs) == 1 else f"{run['run']}.{one['metric']}": one["value"]
        for run in runs
        for one in run["metrics"]
    }
    return json.dumps(values, indent=1, allow_nan=False).encode() + b"\n"
