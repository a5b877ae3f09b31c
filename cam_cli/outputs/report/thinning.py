"""Curves with fewer points that look the same."""

from __future__ import annotations

from collections.abc import Sequence

Numbers = Sequence[float | None]
PLACES = 4  # decimals: a chart has some 300 pixels


def thinned(x: Sequence[float], y: Numbers, most: int) -> tuple[list[float], list[float | None]]:
    """At most `most` (4 or more) points of a curve, rounded: the ends, and of each of equally many neighbours the
    lowest and the highest, so that no peak is lost. Gaps (None) keep one point where they are in such a stretch."""
    kept = range(len(x)) if len(x) <= most else chosen(y, most)
    return [round(x[at], PLACES) for at in kept], [rounded(y[at]) for at in kept]


def chosen(y: Numbers, most: int) -> list[int]:
    stretches = (most - 2) // 3
    inner = len(y) - 2
    kept = {0, len(y) - 1}
    for index in range(stretches):
        part = range(1 + index * inner // stretches, 1 + (index + 1) * inner // stretches)
        there = [at for at in part if y[at] is not None]
        gap = [at for at in part if y[at] is None][:1]
        kept.update(gap)
        if there:
            kept |= {min(there, key=lambda at: height(y, at)), max(there, key=lambda at: height(y, at))}
    return sorted(kept)


def height(y: Numbers, at: int) -> float:
    value = y[at]
    assert value is not None
    return value


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, PLACES)
