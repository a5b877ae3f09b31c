"""`run.json`: what was run, with what, and how it went."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from . import atomic
from .folder import RUN, Folder

SCHEMA = "camtool.run/1"


def describe(folder: Folder, run: dict[str, Any], counts: dict[str, int], seconds: float | None) -> None:
    """Writes `run.json`: at the start with no `seconds`, again at the end. Raises OutputFailed."""
    timing = {"written": datetime.now(UTC).isoformat(timespec="seconds"), "seconds": seconds and round(seconds, 3)}
    whole = {"schema": SCHEMA, **run, "counts": counts, "timing": timing}
    atomic.write(folder.path / RUN, (json.dumps(whole, indent=1) + "\n").encode())
