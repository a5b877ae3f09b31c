"""What value of a file is black and what white, before a network or a person sees it: `--intensity`. Torch-free."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cam_cli.errors import ImageUnreadable, UsageError

DEPTHS = (8, 10, 12, 14, 16)
LARGEST = float(np.finfo(np.float32).max)
FORMS = (
    "auto, dtype, minmax, LO:HI in the file's own units (such as 0:4095), or percentile:LO:HI (such as percentile:1:99)"
)


class Range(NamedTuple):
    """The values that mean black and white in a picture; low < high. guessed: nothing but the values says so."""

    low: float
    high: float
    guessed: bool = False

    @property
    def flags(self) -> tuple[str, ...]:
        return ("depth_guessed",) * self.guessed


@dataclass(frozen=True, slots=True)
class Intensity:
    """A value of `--intensity`.

    rule: auto, dtype, minmax, percentile, or values. low, high: of `percentile` 0–100, of `values` in the file's units.
    """

    rule: str = "auto"
    low: float = 0.0
    high: float = 0.0

    @classmethod
    def parse(cls, text: str) -> "Intensity":
        """Raises UsageError with the accepted forms."""
        if text in ("auto", "dtype", "minmax"):
            return cls(text)
        rule = "percentile" if text.startswith("percentile:") else "values"
        try:
            low, high = map(float, text.removeprefix("percentile:").split(":"))
            least, most = (0.0, 100.0) if rule == "percentile" else (-LARGEST, LARGEST)
            if not least <= low < high <= most or np.float32(low) == np.float32(high):
                raise ValueError
        except ValueError:
            raise UsageError(f"--intensity takes {FORMS}, with LO < HI, not {text!r}") from None
        return cls(rule, low, high)


def value_range(values: np.ndarray, intensity: Intensity) -> Range:
    """The range of uint8, uint16 or float32 values of any shape. Raises ImageUnreadable for NaN and inf.

    auto: uint8 as it is. uint16: the smallest of 8, 10, 12, 14, 16 bits that holds the maximum, for scanners and
    cameras put 12 bits into 16. float32: [0, 1] or [0, 255] where they hold all values, else the least to the most.
    dtype: all a whole number can be, [0, 1] for float32. minmax: the least to the most. percentile: of all values,
    each end the least value that so many percent of them do not exceed. A range of one value has that for black.
    """
    whole = values.dtype != np.float32
    low, high = 0.0, 0.0
    if not whole or intensity.rule == "minmax" or (intensity.rule == "auto" and values.dtype == np.uint16):
        low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):  # NaN spreads to both
        raise ImageUnreadable("it holds pixels that are NaN or infinite; replace them")
    if intensity.rule == "values":
        return Range(intensity.low, intensity.high)
    if intensity.rule == "minmax":
        return _between(low, high)
    if intensity.rule == "percentile":
        ends = np.percentile(values, (intensity.low, intensity.high), method="inverted_cdf")
        return _between(float(ends[0]), float(ends[1]))
    if intensity.rule == "auto" and values.dtype == np.uint16:
        bits = next(bits for bits in DEPTHS if high < 2**bits)
        return Range(0, 2**bits - 1, bits < 16)
    if whole:
        return Range(0, np.iinfo(values.dtype).max)
    if intensity.rule == "dtype" or (low >= 0 and high <= 1):
        return Range(0, 1)
    return Range(0, 255, True) if low >= 0 and high <= 255 else _between(low, high)._replace(guessed=True)


def to_rgb8(values: np.ndarray, scale: Range) -> np.ndarray:
    """values uint8, uint16 or float32 (H, W, 3) → uint8 (H, W, 3) for drawing, by the range that the network's input
    has too; values outside are clipped; uint8 that needs no scaling is handed through, not copied."""
    if as_is(values, scale):
        return values
    step = 255 / (scale.high - scale.low)
    if values.dtype == np.float32:
        scaled = (values - np.float32(scale.low)) * np.float32(step)
        drawn: np.ndarray = np.clip(scaled, 0, 255).round().astype(np.uint8)
    else:
        levels = np.arange(np.iinfo(values.dtype).max + 1, dtype=np.float64)
        drawn = np.clip((levels - scale.low) * step, 0, 255).round().astype(np.uint8)[values]
    return drawn


def as_is(values: np.ndarray, scale: Range) -> bool:
    """Are these 8 bits that the range leaves alone?"""
    return values.dtype == np.uint8 and (scale.low, scale.high) == (0, 255)


def _between(low: float, high: float) -> Range:
    """low ≤ high, kept apart where they are one value: 1 further up, or as far as float32 can tell."""
    return Range(low, high if high > low else low + max(1.0, abs(low)))
