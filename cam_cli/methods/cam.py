"""Class activation maps, exact."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class Cam(Summed):
    """M_c = Σ_k w_k^c f_k

    f_k: channel k of the tensor that the network pools (after the ReLU that stands before the pooling, if any); w_k^c:
    the head's weight from channel k to class c. With average pooling the class score is the mean of M_c plus the bias.
    Where the network pools class maps themselves (a 1×1 convolution before the pooling), M_c is that map.
    Zhou et al., CVPR 2016, arXiv:1512.04150, eq. 2. We deviate in nothing; the released code takes |M_c|.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.HEAD

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        head = seen.head
        assert head is not None
        features = seen.activations.relu() if head.rectified else seen.activations
        if head.weights is None:
            return seen.target.pick(features)[:, None]
        weights = seen.target.pick(head.weights.expand(len(features), -1, -1))
        return weights[:, :, None, None] * features
