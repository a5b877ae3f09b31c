"""`curves/*.csv`: a file a run and curve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from cam_cli.outputs.record import csv_line

from .document import canonical

LONGEST = 80  # characters of a run's or curve's name in a file name


def curves(report: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """`curves/RUN.CURVE.csv` and its bytes: a header with the names of x and y, then a row a point; an empty cell is a
    gap."""
    taken: set[str] = set()
    for run in canonical(report)["runs"]:
        for one in run["curves"]:
            name = unique(f"{safe(run['run'])}.{safe(one['curve'])}", taken)
            rows = zip(one["x"], one["y"], strict=True)
            yield f"curves/{name}.csv", b"".join(map(csv_line, [(one["x_name"], one["y_name"]), *rows]))


def safe(name: str) -> str:
    """Letters, digits, `.`, `_`, `-`, `+` and `=` stay, everything else and a dot in front becomes `_`."""
    return re.sub(r"^\.|[^\w.+=-]", "_", name, flags=re.ASCII)[:LONGEST] or "_"


def unique(name: str, taken: set[str]) -> str:
    """`name`, or `name~2`, `name~3` … where it is taken; file systems that are blind to case count."""
    made, number = name, 1
    while made.casefold() in taken:
        number += 1
        made = f"{name}~{number}"
    taken.add(made.casefold())
    return made
