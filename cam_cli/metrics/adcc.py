"""ADCC: one number for three things that a map should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import ClassVar

from cam_cli.types import Truth

from .correlation import pearson
from .drop import confidence, masked
from .metric import Array, Found, Probe, Row, Value, mean_of
from .relevance import explained, mask
from .score import Score

PARTS = ("coherency", "complexity", "drop")


@dataclass(frozen=True)
class Adcc(Score):
    """ADCC(x) = 3 / (1 / Coherency(x) + 1 / (1 − Complexity(x)) + 1 / (1 − Drop(x)))

    Coherency = (ρ(M(x), M(x ∘ M(x))) + 1) / 2, ρ Pearson's correlation; Complexity = mean of |M(x)|; Drop = max(0, Y −
    O) / Y as in AverageDrop, O of x ∘ M(x). M(x): the explained class's heatmap of the input x at the input's size, in
    [0, 1]; the class is that of x in both maps.
    Poppi et al., CVPR Workshops 2021, arXiv:2104.10252; aimagelab/ADCC, metrics/. A correlation that is not
    defined, as of a map without heat, makes the coherency 0, as that code does for maps that are not numbers. Where a
    term is 0 so is ADCC; that code divides by it. It takes Y from the most probable class even if another is given;
    ours is of the class explained.
    The value is the mean over images, as the formula is of an image. `of_averages` is the formula of the averages of
    the three parts, never lower: compare that one with tables whose columns fit it. Rows keep the parts.
    """

    names: ClassVar[tuple[str, ...]] = ("adcc",)
    group: ClassVar[str] = "faithfulness"
    passes: ClassVar[int] = 3

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        assert probe is not None
        raw, both = explained(found), confidence(found, probe)
        if raw is None or both is None or found.explained is None:
            return None
        size = (probe.image.shape[1], probe.image.shape[2])
        heat = mask(raw, size)
        again = mask(probe.map(masked(probe.image, raw), found.explained), size)
        likeness = pearson(heat, again)
        coherency = 0.0 if likeness is None else (likeness + 1) / 2
        complexity = float(heat.mean(dtype="float64"))
        parts = dict(zip(PARTS, (coherency, complexity, both.drop), strict=True))
        return {"adcc": harmonic(coherency, 1 - complexity, 1 - both.drop), **parts}

    def reduce(self, rows: Sequence[Row | None], weights: Array) -> Mapping[str, Value]:
        value = super().reduce(rows, weights)["adcc"]
        means = [mean_of([None if row is None else float(row[part]) for row in rows], weights[:1]) for part in PARTS]
        coherency, complexity, drop = (float(mean[0]) if isfinite(mean[0]) else None for mean in means)
        parts = dict(zip(PARTS, (coherency, complexity, drop), strict=True))
        if coherency is None or complexity is None or drop is None:
            return {"adcc": value}
        parts["of_averages"] = harmonic(coherency, 1 - complexity, 1 - drop)
        return {"adcc": value._replace(computed_with=parts)}


def harmonic(*terms: float) -> float:
    """The harmonic mean of terms in [0, 1]; 0 where one of them is."""
    return len(terms) / sum(1 / term for term in terms) if min(terms) > 0 else 0.0
