"""Insertion and deletion: how soon the class comes and goes with the pixels that the map holds for relevant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from cam_cli.types import Truth

from .metric import Array, Curve, Found, Probe, Row
from .relevance import ranked
from .score import Score, mean_line

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 28  # of 224 · 8 pixels at 224 × 224
SIDE, SIGMA = 11, 5.0  # of the blur, px
REACH = 4  # times sigma: where scipy's gaussian_filter cuts off


@dataclass(frozen=True)
class Exchange(Score):
    """The area under the curve of p_c while pixels of one picture give way to those of another, most relevant first.

    AUC = (Σ_k p_k − p_0 / 2 − p_n / 2) / n,   p_k = P_c(X with the first ⌊k · hw / n⌋ pixels exchanged)

    P_c: the probability of the explained class c, the most probable one of the clean image unless the run explains
    another; n = 28 steps, k = 0 … n. Petsiuk et al., BMVC 2018, arXiv:1806.07421; the numbers are those of
    their code (eclique/RISE, evaluation.py and its notebooks): 224 · 8 pixels a step at 224 × 224. At other sizes the
    steps are as many, each of hw / 28 pixels to within one.
    Pixels rank by the raw map, signed, resized bilinearly; theirs is ranked as it comes. Their argsort is not stable
    and is then flipped, so that equal pixels go in no defined order; ours go in reading order.
    A map that is the same everywhere, or not finite, ranks nothing: the image does not count.
    """

    group: ClassVar[str] = "faithfulness"
    passes: ClassVar[int] = STEPS + 1
    axis: ClassVar[str]

    def ends(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """The picture before the first step and after the last, (c, h, w) each."""
        raise NotImplementedError

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        """`probabilities`: p_0 … p_28."""
        import torch

        assert probe is not None
        image = probe.image
        places = ranked(found, (image.shape[1], image.shape[2]))
        if places is None or found.explained is None:
            return None
        order = torch.from_numpy(places).to(image.device)
        before, after = self.ends(image)
        pictures = (torch.where(order < bound, after, before) for bound in bounds(order.numel()))
        line = probe.probabilities(pictures, STEPS + 1, found.explained)
        if not np.isfinite(line).all():
            return None
        return {self.names[0]: area(line), "probabilities": line.tolist()}

    def curves(self, rows: Sequence[Row | None]) -> Mapping[str, Curve]:
        line = mean_line(rows, "probabilities")
        if line is None:
            return {}
        shares = np.arange(STEPS + 1) / STEPS
        return {self.names[0]: Curve(shares, line, self.axis, "probability of the class")}


@dataclass(frozen=True)
class Deletion(Exchange):
    """Exchange of the image's pixels for 0 in normalised units, the mean colour; low where the map is faithful."""

    names: ClassVar[tuple[str, ...]] = ("deletion_auc",)
    higher_is_better: ClassVar[bool] = False
    axis: ClassVar[str] = "share of the pixels deleted"

    @property
    def facts(self) -> Mapping[str, object]:
        return {"steps": STEPS, "deleted_to": "mean colour"}

    def ends(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return image, image.new_zeros(image.shape)


@dataclass(frozen=True)
class Insertion(Exchange):
    """Exchange of a blurred image's pixels for the image's own; high where the map is faithful."""

    names: ClassVar[tuple[str, ...]] = ("insertion_auc",)
    axis: ClassVar[str] = "share of the pixels inserted"

    @property
    def facts(self) -> Mapping[str, object]:
        return {"steps": STEPS, "inserted_into": f"Gaussian blur, {SIDE} px, sigma {SIGMA:g}"}

    def ends(self, image: Tensor) -> tuple[Tensor, Tensor]:
        return blurred(image), image


def bounds(pixels: int) -> list[int]:
    """How many pixels are exchanged at each point of the curve."""
    return [step * pixels // STEPS for step in range(STEPS + 1)]


def area(line: Array) -> float:
    """By trapezoids, over an axis of length 1."""
    line = line.astype(np.float64)
    return float((line.sum() - line[0] / 2 - line[-1] / 2) / (len(line) - 1))


def blurred(image: Tensor) -> Tensor:
    """(c, h, w) under RISE's kernel, channel by channel; beyond the border is 0, the mean colour."""
    import torch
    import torch.nn.functional as F

    window = torch.from_numpy(kernel()).float().to(image.device)
    return F.conv2d(image[:, None], window[None, None], padding=SIDE // 2)[:, 0]


def kernel() -> Array:
    """What scipy's gaussian_filter (sigma 5, borders reflected) makes of an 11 × 11 picture of a single 1 at its
    centre: float64 (11, 11), sum 1.

    Along an axis: the Gaussian, cut at 4 sigma and of sum 1, folded back into 11 cells by mirrors at both ends, which
    has the period of 22.
    """
    reach = int(REACH * SIGMA + 0.5)
    offsets = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * (offsets / SIGMA) ** 2)
    folded = (SIDE // 2 + offsets) % (2 * SIDE)
    cells = np.where(folded < SIDE, folded, 2 * SIDE - 1 - folded)
    line = np.bincount(cells, bell / bell.sum(), SIDE)
    return np.asarray(np.outer(line, line))
