"""A method's map smoothed by its channels' first principal component."""

from dataclasses import dataclass

from torch import Tensor

from .eigencam import principal
from .method import Captured, Method, Needs, Probe, Summed


@dataclass(frozen=True)
class EigenSmoothed(Method):
    """Any method that sums over channels, Σ_k T^k, as X V_1 instead: X holds T, a row a cell, a column a channel, each
    column less its mean; V_1 is its first right singular vector, Σ_k V_1k ≥ 0.

    No paper: pytorch-grad-cam's `eigen_smooth`, which leaves the sign to LAPACK. Smoothed HiResCAM is Eigen-Grad-CAM.
    """

    method: Summed

    @property
    def needs(self) -> Needs:  # type: ignore[override]
        return self.method.needs

    @property
    def fuse(self) -> str | None:  # type: ignore[override]
        return self.method.fuse

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        return principal(self.method.terms(seen, probe), centred=True)
