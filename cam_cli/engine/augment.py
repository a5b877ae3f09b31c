"""Test-time augmentation: the same map from changed inputs, put back in place and averaged."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

SCALES = (0.75, 1.25)
LARGER = 10 / 7  # 320 px for 224


@dataclass(frozen=True)
class Augmentation:
    """A change of the input whose maps can be put back. scale: of the sides, 1 for none; sides stay multiples of
    `stride` where they were."""

    flip: bool = False
    scale: float = 1.0
    stride: int = 1

    def apply(self, images: Tensor) -> Tensor:
        """(b, 3, h, w), float32 → (b, 3, h', w')."""
        if self.scale != 1:
            sides = [max(1, round(side * self.scale / self.stride)) * self.stride for side in images.shape[2:]]
            images = F.interpolate(images, sides, mode="bilinear", antialias=True, align_corners=False)
        return images.flip(3) if self.flip else images

    def undo(self, maps: Tensor, like: Tensor) -> Tensor:
        """Maps (b, u', v') of the changed input as maps of the unchanged one, with the grid of `like` (b, u, v)."""
        maps = maps.flip(2) if self.flip else maps
        if maps.shape == like.shape:
            return maps
        return F.interpolate(maps[:, None], like.shape[1:], mode="bilinear", align_corners=False)[:, 0]


def augmentations(names: tuple[str, ...], stride: int) -> tuple[Augmentation, ...]:
    """Every combination of what `names` allow, the unchanged input first.

    flip: the mirror image. scales: three and five quarters of the size. best: the mirror image, and ten sevenths.
    """
    flips = (False, True) if {"flip", "best"} & set(names) else (False,)
    scales = (1.0, *(SCALES if "scales" in names else ()), *((LARGER,) if "best" in names else ()))
    return tuple(Augmentation(flip, scale, stride) for scale in scales for flip in flips)
