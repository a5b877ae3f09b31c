"""RISE, randomized input sampling for explanation."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from .choice import parameter
from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class Rise(Method):
    """S_c = 1 / (p N) Σ_i P_c(X ∘ M_i) M_i,   at every pixel of the input

    X: the input, in normalised units, so that what is masked turns to the mean colour; P_c: the probability of class c,
    as in the paper, whatever score is asked for; M_i: a grid of s × s cells, each 1 with probability p, else 0,
    enlarged bilinearly by the cell's size to s + 1 cells, and cut out at a random place; N masks.
    Petsiuk et al., BMVC 2018, arXiv:1806.07421, eq. 6 and section 3.2: s = 7, field `cells`, p = 0.5, field `keep`,
    N = 4000 (they take 8000 for ResNet-50), field `masks`. Cells are rounded up, as in the released code (s = 8,
    p = 0.1), so that the cut never leaves the mask; the paper rounds down. Masks come from the image's seed and are the
    same for every class. There is no layer.
    """

    masks: int = parameter(4000, 1, 1_000_000)
    cells: int = parameter(7, 1, 1000)
    keep: float = parameter(0.5, 0.001, 1.0)
    needs: ClassVar[Needs] = Needs.PASSES

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        maps = torch.zeros_like(seen.inputs[:, 0])
        probability = replace(seen.target, activation=seen.activation)
        for row, image in enumerate(seen.inputs):
            masked = (image * mask for mask in self.drawn(seen.seeds[row], image))
            scores = probability[row : row + 1](probe.once(row, partial(probe.scores, masked, self.masks)))
            for score, mask in zip(scores, self.drawn(seen.seeds[row], image), strict=True):
                maps[row] += score * mask
        return maps / (self.keep * self.masks)

    def drawn(self, seed: int, image: Tensor) -> Iterator[Tensor]:
        """The masks (h, w) of one image, made one at a time: drawn twice, never held."""
        random = torch.Generator().manual_seed(seed)
        height, width = image.shape[1:]
        rows, columns = math.ceil(height / self.cells), math.ceil(width / self.cells)
        size = [(self.cells + 1) * rows, (self.cells + 1) * columns]
        for _ in range(self.masks):
            grid = (torch.rand(self.cells, self.cells, generator=random) < self.keep).float().to(image.device)
            top, left = (int(torch.randint(side, (), generator=random)) for side in (rows, columns))
            mask = F.interpolate(grid[None, None], size, mode="bilinear", align_corners=False)[0, 0]
            yield mask[top : top + height, left : left + width]
