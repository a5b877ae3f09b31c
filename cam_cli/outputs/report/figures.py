"""Numbers for people."""

from __future__ import annotations

import math
from collections.abc import Sequence

NONE = "–"


def figure(value: float | None, signed: bool = False) -> str:
    """Three decimals, of 10 and more three significant digits at least; `signed` with + or −."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{abs(value):.3f}" if abs(value) < 10 else f"{abs(value):.1f}"
    zero = not float(text)
    sign = "−" if value < 0 and not zero else "+" if signed and not zero else ""
    return sign + text


def interval(ends: Sequence[float | None] | None, signed: bool = False) -> str:
    """`0.612 … 0.689`."""
    return NONE if ends is None else " … ".join(figure(end, signed) for end in ends)


def counted(count: int, noun: str) -> str:
    """`1 image`, `2 images`, `2 classes`."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count} {noun if count == 1 else plural}"
