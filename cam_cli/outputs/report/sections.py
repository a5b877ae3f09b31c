"""Sections of a markdown page that stays below a size: what must be there, and rows of which some may go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

CUT = "… {} more {} are left out here to keep this page small; `report.json` has them all."


@dataclass(frozen=True)
class Section:
    """title: without #. lead: lines in front of the table, never cut. head: of its columns, # in front of those that
    hold numbers. items: one a row, of which `cells` makes the texts (only of those that are kept); what: they are, in
    the plural, for the line that says how many were cut."""

    title: str
    lead: Sequence[str] = ()
    head: Sequence[str] = ()
    items: Sequence[Any] = ()
    cells: Callable[[Any], Sequence[str]] = list
    what: str = "rows"

    @property
    def top(self) -> list[str]:
        """All that stands in front of the rows."""
        lines = [f"## {self.title}", "", *(line for text in self.lead for line in (text, ""))]
        if self.items:
            rule = ["--:" if name.startswith("#") else ":--" for name in self.head]
            lines += [line([name.removeprefix("#") for name in self.head]), line(rule)]
        return lines

    def bottom(self, kept: int) -> list[str]:
        """All that stands behind the rows, where so many were kept."""
        end = [""] if self.items else []
        return end if kept == len(self.items) else [*end, CUT.format(len(self.items) - kept, self.what), ""]


def line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def joined(first: Sequence[str], sections: Sequence[Section], limit: int) -> bytes:
    """`first` and the sections that hold anything, at most `limit` bytes of UTF-8 (if what is never cut is not more).

    Rows are kept from the top: of each section what fits into an equal share of the room, then, section by section,
    what fits into the room that others left."""
    sections = [one for one in sections if one.items or one.lead]
    rows: list[list[str]] = [[] for _ in sections]
    left = limit - size(first) - sum(size([*one.top, *one.bottom(0)]) for one in sections)
    share = left // max(1, len(sections))
    for most in (share, limit):
        for section, kept in zip(sections, rows, strict=True):
            spent = 0
            for item in section.items[len(kept) :]:
                row = line(section.cells(item))
                last = len(kept) + 1 == len(section.items)
                cost = size([row]) - (size(section.bottom(0)) - size(section.bottom(len(section.items)))) * last
                if cost > left or spent + cost > most:
                    break
                kept.append(row)
                left, spent = left - cost, spent + cost
    lines = list(first)
    for section, kept in zip(sections, rows, strict=True):
        lines += [*section.top, *kept, *section.bottom(len(kept))]
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def size(lines: Sequence[str]) -> int:
    """Bytes, with the line breaks."""
    return sum(len(line.encode()) + 1 for line in lines)
