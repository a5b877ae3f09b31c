"""FEM, the Feature Explanation Method."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Method, Needs, Probe


@dataclass(frozen=True)
class Fem(Method):
    """L = Σ_k μ_k B^k,   B_ij^k = 1 where A_ij^k > μ_k + K σ_k, else 0

    A^k: channel k of the layer's activations; μ_k, σ_k: its mean and standard deviation over the cells (of all of them,
    not a sample's); K = 2, field `sigmas`. The class plays no part.
    Fuad et al., IPTA 2020, doi:10.1109/IPTA50016.2020.9286629, the K-sigma rule. Copies of their code divide the map by
    its maximum, which a min–max undoes; xplique's has ≥ for >, so that flat channels count. pytorch-grad-cam computes
    another map under this name: Σ_k mean(B^k) A^k, the activations weighted by how many of their cells pass.
    """

    sigmas: float = 2.0
    needs: ClassVar[Needs] = Needs.ACTIVATIONS

    def map(self, seen: Captured, probe: Probe) -> Tensor:
        means = seen.activations.mean((2, 3), keepdim=True)
        deviations = seen.activations.std((2, 3), correction=0, keepdim=True)
        strong = seen.activations > means + self.sigmas * deviations
        return (means * strong).sum(1)
