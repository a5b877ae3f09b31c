"""What publications fix of an evaluation, by name: the values of `--protocol`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Interpolation = Literal["voc12", "voc07", "none"]

LOCALISATION = ("top1_loc", "top5_loc", "gt_known_loc", "top1_accuracy", "top5_accuracy")


@dataclass(frozen=True)
class Protocol:
    """source: the publication or code. metrics, methods: empty for the defaults. The others are as the options of those
    names, and `metrics.metric.Rules`, say."""

    source: str
    metrics: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    fit: str = "squash"
    size: int | None = None
    threshold: str = "0.2"
    tolerance: float = 18.0
    tolerance_in: str = "original"
    interpolation: Interpolation = "voc12"
    by_class: bool = False


PROTOCOLS = {
    "camtool": Protocol("the definitions of `camtool metrics`, the whole picture seen, boxes at 20 %"),
    "wsol": Protocol(
        "Choe et al., CVPR 2020, arXiv:2001.07437, and clovaai/wsolevaluation: 224×224, best threshold",
        ("maxboxacc", "maxboxacc_v2", "pxap", "top1_accuracy"),
        ("cam",),
        size=224,
    ),
    "ilsvrc": Protocol(
        "Russakovsky et al., IJCV 2015, arXiv:1409.0575, and the kit: right class and an overlap of 0.5 with any box",
        LOCALISATION,
    ),
    "cam2016": Protocol(
        "Zhou et al., CVPR 2016, arXiv:1512.04150: CAM, 20 % of the maximum, the largest component",
        LOCALISATION,
        ("cam",),
    ),
    "gradcam2017": Protocol(
        "Selvaraju et al., ICCV 2017, arXiv:1610.02391: Grad-CAM, 15 % of the maximum, the largest segment",
        LOCALISATION,
        ("gradcam",),
        threshold="0.15",
    ),
    "torchray": Protocol(
        "facebookresearch/TorchRay: pointing game, 15 px, short side 224, mean over classes",
        ("pointing_game_15px", "pointing_game"),
        ("gradcam",),
        fit="keep",
        size=224,
        by_class=True,
    ),
    "oquab2015": Protocol(
        "Oquab et al., CVPR 2015: average precision of classes, and of their locations within 18 px",
        ("classification_ap", "location_ap"),
    ),
    "voc07": Protocol(
        "PASCAL VOC 2007's development kit: average precision at 11 recalls; CorLoc by class",
        ("classification_ap", "corloc", "location_ap"),
        interpolation="voc07",
        by_class=True,
    ),
    "voc12": Protocol(
        "PASCAL VOC 2012's development kit: area under the monotone precision; CorLoc by class",
        ("classification_ap", "corloc", "location_ap"),
        by_class=True,
    ),
}
