"""Eigen-Grad-CAM."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .eigencam import principal
from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class EigenGradCam(Method):
    """L_c = X V_1,   X = U Σ Vᵀ

    X: ∂y_c/∂A ⊙ A, a row a cell, a column a channel, each column less its mean; A: the layer's activations; y_c: the
    score of class c before softmax; ⊙: cell by cell; V_1: the first right singular vector of X, a weight a channel.
    No paper: a variant of Eigen-CAM (Muhammad & Yeasin, IJCNN 2020, arXiv:2008.00299) that pytorch-grad-cam calls
    EigenGradCAM, and whose centring we keep: the map is 0 on average. That code leaves the sign to LAPACK, so that its
    map may show what speaks against the class; we take the sign whose weights sum to 0 or more, so that the map rises
    where HiResCAM's, the sum of the same channels, rises.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.GRADIENTS

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        return principal(seen.gradients * seen.activations, centred=True)
