"""ROAD: remove, fill in, and see what the class still has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cam_cli.types import Truth

from .metric import Curve, Found, Probe, Row
from .relevance import ranked
from .score import Score, mean_line

if TYPE_CHECKING:
    from torch import Tensor

PERCENTILES = tuple(range(10, 100, 10))
NOISE = 0.01  # standard deviation, in normalised units
ORDERS = {"morf": "most relevant first", "lerf": "least relevant first"}


@dataclass(frozen=True)
class Road(Score):
    """ROAD = 1/|Q| Σ_{q ∈ Q} (P_c(X − least relevant q %) − P_c(X − most relevant q %)) / 2,   Q = {10, 20 … 90}

    P_c: the probability of the explained class c; X − R: the input with its pixels R filled in by `impute` from those
    that stay, plus noise 0.01 N(0, 1) on what was filled in, in normalised units.
    Rong, Leemann et al., ICML 2022, arXiv:2202.00449: the removal and the noise, with MoRF and LeRF apart, and no
    retraining; they plot accuracies over q. The combination of both orders, as a number an image, is pytorch-grad-cam's
    ROADCombined (metrics/road.py), there of scores of any kind.
    Exactly ⌊q · hw / 100⌋ pixels are removed, by the rank of the raw map, signed, resized bilinearly; equal ones in
    reading order from the most relevant end, in reverse from the least. pytorch-grad-cam cuts at a quantile of values:
    that is a pixel more at most where no two are equal, but any number on flat parts, and all of a flat map.
    road_evaluation adds 1e-4 N(0, 1) to a map against ties. Neither seeds its noise; ours comes from the image's seed.
    A map that is the same everywhere, or not finite, ranks nothing: the image does not count.
    """

    names: ClassVar[tuple[str, ...]] = ("road_combined",)
    group: ClassVar[str] = "faithfulness"
    passes: ClassVar[int] = 2 * len(PERCENTILES)

    @property
    def facts(self) -> Mapping[str, object]:
        return {"percentiles": list(PERCENTILES), "noise": NOISE}

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """`morf`, `lerf`: the probability for each of Q, the most and the least relevant pixels removed."""
        import torch

        assert probe is not None
        places = ranked(found, (probe.image.shape[1], probe.image.shape[2]))
        if places is None or found.explained is None:
            return None
        order = torch.from_numpy(places).to(probe.image.device)
        pictures = removed(probe.image, order, probe.seed)
        kept = probe.probabilities(pictures, 2 * len(PERCENTILES), found.explained).astype(np.float64)
        if not np.isfinite(kept).all():
            return None
        lines = dict(zip(ORDERS, kept.reshape(2, -1), strict=True))
        combined = float((lines["lerf"] - lines["morf"]).mean() / 2)
        return {"road_combined": combined, **{name: line.tolist() for name, line in lines.items()}}

    def curves(self, rows: Sequence[Row | None]) -> Mapping[str, Curve]:
        lines = {name: mean_line(rows, name) for name in ORDERS}
        return {
            f"road_{name}": Curve(np.array(PERCENTILES) / 100, line, f"share removed, {text}", "probability")
            for (name, text), line in zip(ORDERS.items(), lines.values(), strict=True)
            if line is not None
        }


def removed(image: Tensor, order: Tensor, seed: int) -> Iterator[Tensor]:
    """The image (c, h, w) without its most relevant 10 % … 90 %, then without its least, filled in and with noise.

    order: int64 (h, w), the places of the pixels, most relevant first.
    """
    import torch

    from .imputation import impute

    random = torch.Generator().manual_seed(seed)
    pixels = order.numel()
    counts = torch.tensor([percent * pixels // 100 for percent in PERCENTILES], device=order.device)[:, None, None]
    for missing in (order < counts, order >= pixels - counts):
        for picture, hole in zip(impute(image, missing), missing, strict=True):
            noise = torch.randn(image.shape, generator=random).to(image.device)
            yield torch.where(hole, picture + NOISE * noise, picture)
