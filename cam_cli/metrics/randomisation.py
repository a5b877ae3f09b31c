"""Sanity: does the map change with the network, and with the class?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cam_cli.types import Truth

from .correlation import spearman
from .metric import Array, Curve, Found, Probe, Row
from .relevance import explained, flat
from .score import Score, mean_line


@dataclass(frozen=True)
class RandomisationCorrelation(Score):
    """1/S Σ_s ρ(M, M_s): near 1 for a map that does not look at what the network has learnt, near 0 for one that does

    ρ: Spearman's rank correlation over the cells of the raw map; M: of the trained network; M_s: of the same image,
    class and layer by the network whose weights are drawn anew from the top down, in S steps: the head alone, then with
    it one stage after the other, down to all layers.
    Adebayo et al., NeurIPS 2018, arXiv:1810.03292, who plot it step by step, of maps and of their absolute
    values; Quantus's MPRT, layer by layer, of absolute values. Ours is of the maps as they are, signed: of absolute
    values a map and its negation are the same, though they say the opposite. Quantus counts the trained network, which
    correlates by 1, as a step of its mean.
    Where M is the same everywhere, or not finite, the image does not count. Where M_s is, nothing of M is left: 0.
    """

    names: ClassVar[tuple[str, ...]] = ("randomisation_correlation",)
    group: ClassVar[str] = "sanity"
    passes: ClassVar[int] = 6
    higher_is_better: ClassVar[bool] = False

    @property
    def facts(self) -> Mapping[str, object]:
        return {"correlation": "Spearman's, of signed maps", "cascade": "top down"}

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """`steps`: the correlation at each step."""
        assert probe is not None
        raw = explained(found)
        if raw is None or flat(raw) or found.explained is None:
            return None
        steps = [likeness(raw, other) for other in probe.randomised(found.explained)]
        return {"randomisation_correlation": float(np.mean(steps)), "steps": steps} if steps else None

    def curves(self, rows: Sequence[Row | None]) -> Mapping[str, Curve]:
        line = mean_line(rows, "steps")
        if line is None:
            return {}
        steps = np.arange(1, len(line) + 1, dtype=np.float64)
        axes = (
            "steps drawn anew: 1, the head; the last, all layers",
            "rank correlation with the trained network's map",
        )
        return {self.names[0]: Curve(steps, line, *axes)}


@dataclass(frozen=True)
class ClassCorrelation(Score):
    """ρ(M_c, M_d): 1 for a map that does not depend on the class

    ρ, M: as in RandomisationCorrelation; c: the class explained; d: the most probable class but c.
    No paper: after the random-logit test of Sixt et al., ICML 2020, arXiv:1912.09818, whose other class is
    drawn by lot and whose likeness is structural similarity. The runner-up is the hardest other class.
    Where M_c is the same everywhere or not finite, and where there is no other class, the image does not count. Where
    M_d is, they have nothing in common: 0.
    """

    names: ClassVar[tuple[str, ...]] = ("class_correlation",)
    group: ClassVar[str] = "sanity"
    passes: ClassVar[int] = 2
    higher_is_better: ClassVar[bool] = False

    @property
    def facts(self) -> Mapping[str, object]:
        return {"correlation": "Spearman's, of signed maps", "other_class": "the most probable other"}

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        assert probe is not None
        raw = explained(found)
        if raw is None or flat(raw) or found.explained is None:
            return None
        other = probe.other(found.explained)
        return None if other is None else {"class_correlation": likeness(raw, other)}


def likeness(raw: Array, other: Array) -> float:
    """Spearman's correlation of a raw map that ranks its cells with another (u, v); 0 if that one ranks nothing."""
    return 0.0 if flat(other) else spearman(raw, other) or 0.0
