"""KPCA-CAM."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class KpcaCam(Method):
    """L = √λ_1 v_1 of C K C,   K_ij = tanh(γ x_i · x_j + 1),   C = I − 1/n

    x_i: the activations of cell i of n, each channel less its mean; γ: field `gamma` over the number of channels;
    λ_1, v_1: the largest eigenvalue and its eigenvector. The class plays no part.
    Karmani et al., 2024, arXiv:2410.00267: kernel principal component analysis in the place of Eigen-CAM's linear one;
    the sigmoid kernel and its parameters are those of pytorch-grad-cam, which takes them from scikit-learn. An
    eigenvector has no sign: we take the map that rises where the sum of the channels rises (as in our Eigen-CAM, whose
    rule this is for a linear kernel); scikit-learn takes the one whose largest magnitude is positive. Where all cells
    are alike but for rounding, the map is 0. The eigenvectors of n × n: 0.1 s an image at 28 × 28 cells, 10 s at
    56 × 56, on a processor.
    """

    gamma: float = 1.0
    needs: ClassVar[Needs] = Needs.ACTIVATIONS

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        cells = seen.activations.flatten(2).mT
        finite = cells.isfinite().all((1, 2))[:, None]
        cells = cells.masked_fill(~finite[..., None], 0)
        cells = cells - cells.mean(1, keepdim=True)
        kernel = torch.tanh(self.gamma / cells.shape[2] * cells @ cells.mT + 1)
        kernel = kernel - kernel.mean(1, keepdim=True)
        kernel = kernel - kernel.mean(2, keepdim=True)
        values, vectors = torch.linalg.eigh((kernel + kernel.mT) / 2)
        largest = values[:, -1:]
        largest = largest.where(largest > torch.finfo(largest.dtype).eps * cells.shape[1], 0)
        found = largest.sqrt() * vectors[:, :, -1]
        rises = (found * cells.sum(2)).sum(1, keepdim=True)
        found = torch.where(rises < 0, -found, found).masked_fill(~finite, torch.nan)
        return found.view(len(found), *seen.activations.shape[2:])
