"""What is left of the class when only what the map marks is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from cam_cli.types import Truth

from .metric import Array, Found, Probe, Row
from .relevance import explained, mask
from .score import Score

if TYPE_CHECKING:
    from torch import Tensor

SHOWN = {"masked": "image × heatmap, in normalised units: cold turns to the mean colour"}


class Confidence(NamedTuple):
    """Y and O: the probability of the explained class, of the image and of what its map lets through."""

    clean: float
    masked: float

    @property
    def drop(self) -> float:
        """max(0, Y − O) / Y, in [0, 1]; 0 of a class without any probability, which has nothing to lose."""
        return max(0.0, self.clean - self.masked) / self.clean if self.clean > 0 else 0.0


@dataclass(frozen=True)
class AverageDrop(Score):
    """Average Drop = 1/N Σ_i max(0, Y_i − O_i) / Y_i   (a fraction; the paper gives percent)

    Y_i: the probability of the explained class c (the image's most probable one by default) of image i; O_i: that of
    the image times its heatmap, pixel by pixel; N images.
    Chattopadhyay et al., Grad-CAM++, WACV 2018, arXiv:1710.11063; their released code does not hold it.
    The heatmap is the ReLU of the raw map, resized bilinearly, min–maxed. It multiplies the normalised input, as in
    torch-cam, pytorch-grad-cam and aimagelab/ADCC, so that what is cold turns to the mean colour; openvino_xai
    multiplies pixels from 0 to 255, which turns it black. pytorch-grad-cam does not divide by Y; torch-cam divides by
    Y + 1e-7. A map without heat (not finite, nowhere positive, the same everywhere) lets nothing through: its O is
    that of the mean colour. Where Y is 0 nothing can drop.
    """

    names: ClassVar[tuple[str, ...]] = ("average_drop",)
    group: ClassVar[str] = "faithfulness"
    passes: ClassVar[int] = 2
    higher_is_better: ClassVar[bool] = False

    @property
    def facts(self) -> Mapping[str, object]:
        return SHOWN

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        assert probe is not None
        both = confidence(found, probe)
        if both is None:
            return None
        return {"average_drop": both.drop, "probability": both.clean, "masked_probability": both.masked}


@dataclass(frozen=True)
class IncreaseInConfidence(Score):
    """Increase in Confidence = 1/N Σ_i [O_i > Y_i]   (a share; the paper gives percent)

    Y_i, O_i and the source: as in AverageDrop.
    """

    names: ClassVar[tuple[str, ...]] = ("increase_in_confidence",)
    group: ClassVar[str] = "faithfulness"
    passes: ClassVar[int] = 2

    @property
    def facts(self) -> Mapping[str, object]:
        return SHOWN

    def row(self, found: Found, truth: Truth, probe: Probe | None = None) -> Row | None:
        assert probe is not None
        both = confidence(found, probe)
        if both is None:
            return None
        return {
            "increase_in_confidence": both.masked > both.clean,
            "probability": both.clean,
            "masked_probability": both.masked,
        }


def confidence(found: Found, probe: Probe) -> Confidence | None:
    """Asked once an image, in one pass, so that rounding is alike on both sides. None where the run explains no class,
    or the network puts out no number."""
    raw, label = explained(found), found.explained
    if raw is None or label is None:
        return None

    def ask() -> Confidence | None:
        pair = (probe.image, masked(probe.image, raw))
        clean, shown = probe.probabilities(pair, 2, label).tolist()
        return Confidence(clean, shown) if isfinite(clean) and isfinite(shown) else None

    return found.once(("confidence", label), ask)


def masked(image: Tensor, raw: Array) -> Tensor:
    """The image (c, h, w) times the heatmap of a raw map (u, v)."""
    import torch

    return image * torch.from_numpy(mask(raw, (image.shape[1], image.shape[2]))).to(image.device)
