"""Score-CAM."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from .method import Captured, Needs, Probe, Summed


@dataclass(frozen=True)
class ScoreCam(Summed):
    """L_c = Σ_k α_k A^k,   α = softmax_k(f_c(X ∘ H^k) − f_c(X_b)),   H^k = s(Up(A^k))

    A^k: channel k of the layer's activations; Up: to the input's size, bilinearly; s: min–max to 0…1; X: the input, in
    normalised units, so that what is masked turns to the mean colour; f_c: the score of class c before softmax.
    Wang et al., CVPR Workshops 2020, arXiv:1910.01279, eq. 4–6 and algorithm 1. The baseline's score f_c(X_b) is the
    same for every channel and cancels in the softmax over channels, so X_b is never run. A channel that is the same
    everywhere has no mask: as in the released code it has weight 0 and no share in the softmax. That code weights by
    the probability of the class instead of the softmax over channels. pytorch-grad-cam aligns corners when it enlarges
    and gives flat channels the weight of a black image; torchcam scales before it enlarges.
    """

    needs: ClassVar[Needs] = Needs.ACTIVATIONS | Needs.PASSES

    def terms(self, seen: Captured, probe: Probe) -> Tensor:
        return channel_weights(seen, probe, 1, lambda mask, turn, random: mask) * seen.activations


Vary = Callable[[Tensor, int, torch.Generator], Tensor]
"""What masks the image: of a channel's mask H (h, w), the turn, and a source of random numbers on the CPU."""


def channel_weights(seen: Captured, probe: Probe, turns: int, vary: Vary) -> Tensor:
    """(b, c, 1, 1): of each image the softmax, over the channels that vary, of their mean score over `turns`."""
    weights = torch.zeros(seen.activations.shape[:2], device=seen.activations.device)
    for row, (image, channels) in enumerate(zip(seen.inputs, seen.activations, strict=True)):
        uneven = (channels.amax((1, 2)) > channels.amin((1, 2))).nonzero().flatten().tolist()
        if not uneven:
            continue
        random = torch.Generator().manual_seed(seen.seeds[row])
        masked = (
            image * vary(mask, turn, random)
            for mask in (mask_of(channels[k], image) for k in uneven)
            for turn in range(turns)
        )
        logits = probe.once(row, partial(probe.scores, masked, len(uneven) * turns))
        scores = seen.target[row : row + 1](logits)
        weights[row, uneven] = scores.view(-1, turns).mean(1).softmax(0)
    return weights[:, :, None, None]


def mask_of(channel: Tensor, image: Tensor) -> Tensor:
    """H: a channel (u, v) at the size (h, w) of an image, from 0 to 1."""
    mask = F.interpolate(channel[None, None], image.shape[1:], mode="bilinear", align_corners=False)[0, 0]
    return (mask - mask.min()) / (mask.max() - mask.min())
