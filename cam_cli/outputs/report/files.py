"""All files of a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from .case import Case
from .curves import curves
from .document import canonical, document
from .flat import flat
from .markdown import markdown
from .page import page
from .per_image import Row, per_image

NAMES = ("per_image.csv", "metrics.json", "report.md", "report.html", "report.json")
"""Of every report; beside these there are curves."""


def files(
    report: dict[str, Any], rows: Iterable[Row] = (), cases: Sequence[Case] = ()
) -> Iterator[tuple[str, bytes | Iterable[bytes]]]:
    """Names below the output folder, POSIX, with their bytes (of `per_image.csv` in pieces), one by one: pages with
    pictures are large. `report.json` comes last: where it is, the others are.

    report: a plain value by `schema.report_schema`, numbers may be NaN; rows: of `per_image.per_image`.
    """
    whole = canonical(report)
    yield "per_image.csv", per_image(rows)
    yield from curves(whole)
    yield "metrics.json", flat(whole)
    yield "report.md", markdown(whole)
    yield "report.html", page(whole, cases)
    yield "report.json", document(whole)
