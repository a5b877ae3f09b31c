"""Every method of ours that pytorch-grad-cam, torchcam or captum has too, where it follows the same formula.

`COMPARISONS` are the pairs whose maps must be equal; peers that do otherwise are in `deviations.py`, and methods that
no peer has in `ALONE`. `differences` measures one. `docs/make/parity.py` makes a page of them all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torchcam.methods as torchcam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputReST

from .networks import LAYERS, Place, distance
from .peers import (
    Maps,
    by_captum,
    by_pytorch_grad_cam,
    by_torchcam,
    cam,
    cam_by_torchcam,
    channel,
    guided_by_pytorch_grad_cam,
    largest,
    ours,
    per_score,
    product,
    random_by_pytorch_grad_cam,
    rectified,
    scores_of,
    smoothgrad_by_captum,
    turned,
)
from .places import (
    EVERY,
    INPUTS,
    LAST,
    MODULAR,
    MODULES,
    OF_TOKENS,
    POOLED,
    RECTIFIED,
    SMALL,
    SMALL_RECTIFIED,
    places,
    up_to,
)

GRADCAM, TORCHCAM, CAPTUM = "pytorch-grad-cam", "torchcam", "captum"


@dataclass(frozen=True)
class Comparison:
    """A method of ours and one peer's.

    where: the places at which the two are the same formula. note: what made them comparable, for people. damped: the
    peer adds an absolute epsilon that shows, though not to the eye.
    """

    method: str
    peer: str
    ours: Maps
    theirs: Maps
    where: tuple[Place, ...] = EVERY
    note: str = ""
    damped: bool = False


def occlusion(patch: int, stride: int) -> Comparison:
    theirs = by_captum(
        "Occlusion",
        sliding_window_shapes=(3, patch, patch),
        strides=(3, stride, stride),
        perturbations_per_eval=8,
    )
    return Comparison(
        "occlusion",
        CAPTUM,
        ours(f"occlusion:patch={patch},stride={stride}"),
        lambda place: theirs(place)[:, 0].numpy(),
        INPUTS,
        f"patches of {patch}, {stride} apart",
    )


def of_tokens(method: str, kind: str) -> Comparison:
    note = "tokens, laid out for it by hand"
    return Comparison(method, GRADCAM, ours(method), by_pytorch_grad_cam(kind), OF_TOKENS, note)


COMPARISONS = (
    Comparison(
        "cam",
        TORCHCAM,
        cam,
        cam_by_torchcam,
        POOLED,
        "the layer the head pools",
    ),
    Comparison("gradcam", GRADCAM, ours("gradcam"), by_pytorch_grad_cam("GradCAM"), places(LAYERS)),
    Comparison("gradcam", TORCHCAM, rectified(ours("gradcam")), by_torchcam("GradCAM"), places(LAYERS), "after a ReLU"),
    Comparison("gradcam", CAPTUM, ours("gradcam"), channel(by_captum("LayerGradCam", layered=True)), places(LAYERS)),
    of_tokens("gradcam", "GradCAM"),
    Comparison("hirescam", GRADCAM, ours("hirescam"), by_pytorch_grad_cam("HiResCAM")),
    of_tokens("hirescam", "HiResCAM"),
    Comparison("gradcam_elementwise", GRADCAM, ours("gradcam_elementwise"), by_pytorch_grad_cam("GradCAMElementWise")),
    of_tokens("gradcam_elementwise", "GradCAMElementWise"),
    Comparison(
        "xgradcam", GRADCAM, ours("xgradcam"), by_pytorch_grad_cam("XGradCAM"), RECTIFIED, "activations after a ReLU"
    ),
    Comparison(
        "xgradcam",
        TORCHCAM,
        rectified(ours("xgradcam")),
        by_torchcam("XGradCAM"),
        RECTIFIED,
        "activations and map after a ReLU",
    ),
    Comparison("layercam", GRADCAM, ours("layercam"), by_pytorch_grad_cam("LayerCAM")),
    Comparison("layercam", TORCHCAM, rectified(ours("layercam")), by_torchcam("LayerCAM"), note="after a ReLU"),
    of_tokens("layercam", "LayerCAM"),
    Comparison(
        "gradcam++",
        GRADCAM,
        ours("gradcam++"),
        by_pytorch_grad_cam("GradCAMPlusPlus"),
        RECTIFIED,
        "activations after a ReLU; it adds 1e-6 to the denominator",
        damped=True,
    ),
    Comparison(
        "refinecam",
        TORCHCAM,
        product("layercam"),
        by_torchcam("RefineCAM", lambda place: [one.layer for one in up_to(place)], base_method=torchcam.LayerCAM),
        LAST,
        "two layers, of LayerCAM maps: `layercam` with `--fuse product`",
    ),
    Comparison(
        "shapleycam",
        GRADCAM,
        ours("shapleycam"),
        by_pytorch_grad_cam("ShapleyCAM", lambda place: scores_of(place, ClassifierOutputReST)),
        note="told to explain `ClassifierOutputReST`",
    ),
    Comparison("finercam", TORCHCAM, rectified(ours("finercam")), by_torchcam("FinerCAM"), note="after a ReLU"),
    Comparison(
        "eigengradcam",
        GRADCAM,
        ours("eigengradcam"),
        turned(by_pytorch_grad_cam("EigenGradCAM"), ours("eigengradcam")),
        note="in our sign",
    ),
    Comparison(
        "kpcacam",
        GRADCAM,
        ours("kpcacam"),
        turned(by_pytorch_grad_cam("KPCA_CAM"), ours("kpcacam")),
        note="in our sign",
    ),
    Comparison(
        "ablationcam",
        GRADCAM,
        per_score(ours("ablationcam")),
        by_pytorch_grad_cam("AblationCAM"),
        SMALL_RECTIFIED,
        "activations after a ReLU; over the score",
    ),
    occlusion(16, 16),
    occlusion(20, 12),
    Comparison("input_gradient", CAPTUM, ours("input_gradient"), largest(by_captum("Saliency")), INPUTS),
    Comparison(
        "smoothgrad", CAPTUM, ours("smoothgrad:samples=8"), smoothgrad_by_captum, INPUTS, "8 samples of the same noise"
    ),
    Comparison("guided_backprop", GRADCAM, ours("guided_backprop"), guided_by_pytorch_grad_cam, MODULAR),
    Comparison("guided_backprop", CAPTUM, ours("guided_backprop"), largest(by_captum("GuidedBackprop")), MODULAR),
    Comparison(
        "guided_gradcam",
        CAPTUM,
        ours("guided_gradcam"),
        largest(by_captum("GuidedGradCam", layered=True, interpolate_mode="bilinear")),
        places(MODULES, small=True),
        "told to enlarge bilinearly",
    ),
    Comparison("random", GRADCAM, ours("random"), random_by_pytorch_grad_cam, SMALL, "on our weights"),
)

ALONE = {
    "rise": "its expectation for a linear score, and again in one step",
    "centre": "by hand",
    "rollout": "by independent loops, and cases known by hand",
}
"""Methods that none of the three has, and what they are tested by instead."""


def differences(one: Comparison) -> Iterator[tuple[Place, float, float]]:
    """(place, correlation, largest difference from 0 to 1) at every place of a comparison."""
    for place in one.where:
        yield place, *distance(one.ours(place), one.theirs(place))
