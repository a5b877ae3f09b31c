"""Peers that follow another formula than ours: how they deviate, and our map again with that one deviation.

`DEVIATIONS` are the pairs. Where the map could be made again it must be the peer's, so that nothing but what the line
says is different.
"""

from dataclasses import dataclass, replace

from .again import (
    Mask,
    ablated_far_below,
    aligned,
    blocks,
    cam_without_bias,
    centred,
    channelwise,
    finer_by_probabilities,
    fullgrad_by_pytorch_grad_cam,
    gradcam_pp_by_sums,
    guided_gradcam_in_modules,
    guided_in_modules,
    legrad_of_a_score_a_block,
    masked,
    nearest,
    refine_at_the_inputs_size,
    refine_by_pytorch_grad_cam,
    refine_on_the_grid,
    scaled_first,
    shares_of_strong_cells,
    smooth_by_torchcam,
    smooth_of_noisy_activations,
    squared_gradients,
    xgradcam_by_sums,
)
from .comparisons import CAPTUM, GRADCAM, TORCHCAM, Comparison
from .networks import BLOCKS, Place
from .peers import (
    Maps,
    by_captum,
    by_pytorch_grad_cam,
    by_torchcam,
    cam,
    cam_by_torchcam,
    guided_by_pytorch_grad_cam,
    largest,
    ours,
    rectified,
    turned,
)
from .places import EVERY, INPUTS, MIXED, RECTIFIED, SMALL, SMALL_MIXED, places


@dataclass(frozen=True)
class Deviation(Comparison):
    """again: our map with the peer's deviation, which `note` tells."""

    again: Maps | None = None


def scored(peer: str, method: str, theirs: Maps, mask_of: Mask, where: tuple[Place, ...], note: str) -> Deviation:
    """Score-CAM or its kin. torchcam's is rectified."""
    sign = rectified if peer == TORCHCAM else lambda maps: maps
    return Deviation(method, peer, sign(ours(method)), theirs, where, note, again=sign(masked(method, mask_of)))


ALIGNED = "aligns corners when it enlarges a mask"
FIRST = "scales a mask before it enlarges it"
# One a network, of the fewest channels.
FIRSTS = tuple(place for place in SMALL if place.layer in ("layer1", "features.pool0", "features.3"))
NOISE = f"{FIRST}; where no channel is flat: it draws noise for those too"
FUNCTION = "passes by a ReLU that is a function, DenseNet's last"
# At scores of 100 the probabilities of the references are 0.
CALM = tuple(replace(place, small=True) for place in EVERY)
DENSENET = tuple(place for place in INPUTS if place.name == "densenet121")
UNEVEN = places({"resnet18": ("layer1",), "densenet121": ("features.pool0",)}, small=True)

DEVIATIONS = (
    Deviation(
        "cam",
        TORCHCAM,
        cam,
        cam_by_torchcam,
        (Place("squeezenet1_1", "features"),),
        "leaves out the bias and the ReLU of SqueezeNet's class maps",
        again=cam_without_bias,
    ),
    Deviation(
        "xgradcam",
        GRADCAM,
        ours("xgradcam"),
        by_pytorch_grad_cam("XGradCAM"),
        MIXED,
        "divides by sums of both signs, not of magnitudes",
        again=xgradcam_by_sums,
    ),
    Deviation(
        "xgradcam",
        TORCHCAM,
        rectified(ours("xgradcam")),
        by_torchcam("XGradCAM"),
        MIXED,
        "divides by sums of both signs, not of magnitudes; after a ReLU",
        again=rectified(xgradcam_by_sums),
    ),
    Deviation(
        "gradcam++",
        GRADCAM,
        ours("gradcam++"),
        by_pytorch_grad_cam("GradCAMPlusPlus"),
        MIXED,
        "sums activations of both signs, not the positive ones; adds 1e-6 to the denominator",
        again=gradcam_pp_by_sums,
    ),
    Deviation(
        "gradcam++",
        TORCHCAM,
        rectified(ours("gradcam++")),
        by_torchcam("GradCAMpp"),
        RECTIFIED,
        "divides a copy and drops it, so that α = g²; after a ReLU",
        again=rectified(squared_gradients),
    ),
    Deviation(
        "smoothgradcam++",
        TORCHCAM,
        rectified(ours("smoothgradcam++:samples=1,noise=0.1")),
        smooth_by_torchcam,
        RECTIFIED,
        "has Σ A g³ for g³ Σ A, and sums the noisy image's activations; one sample, our noise, after a ReLU",
        again=rectified(smooth_of_noisy_activations),
    ),
    Deviation(
        "refinecam",
        GRADCAM,
        refine_on_the_grid,
        refine_by_pytorch_grad_cam,
        RECTIFIED[1::2],
        "enlarges each map to the input's size before it multiplies, and adds 1e-6 in Grad-CAM++; two layers",
        again=refine_at_the_inputs_size,
    ),
    Deviation(
        "finercam",
        GRADCAM,
        ours("finercam:gamma=1.0"),
        by_pytorch_grad_cam("FinerCAM", nearest),
        CALM,
        "weights the references by their probabilities and differentiates those too; γ = 1",
        again=finer_by_probabilities,
    ),
    Deviation(
        "eigencam",
        GRADCAM,
        ours("eigencam"),
        turned(by_pytorch_grad_cam("EigenCAM"), ours("eigencam")),
        EVERY,
        "centres the channels; in our sign",
        again=turned(centred, ours("eigencam")),
    ),
    Deviation(
        "fem",
        GRADCAM,
        ours("fem"),
        by_pytorch_grad_cam("FEM"),
        EVERY,
        "weights activations by the share of strong cells, not strong cells by means",
        again=shares_of_strong_cells,
    ),
    Deviation(
        "fullgrad",
        GRADCAM,
        ours("fullgrad"),
        fullgrad_by_pytorch_grad_cam,
        INPUTS,
        "scales each channel from 0 to 1, not each layer",
        again=channelwise,
    ),
    scored(GRADCAM, "scorecam", by_pytorch_grad_cam("ScoreCAM"), aligned, SMALL, ALIGNED),
    scored(TORCHCAM, "scorecam", by_torchcam("ScoreCAM"), scaled_first, SMALL, FIRST),
    scored(TORCHCAM, "sscam:samples=1", by_torchcam("SSCAM", num_samples=1), scaled_first, UNEVEN, NOISE),
    scored(TORCHCAM, "iscam:steps=2", by_torchcam("ISCAM", num_samples=2), scaled_first, FIRSTS, FIRST),
    Deviation(
        "ablationcam",
        GRADCAM,
        ours("ablationcam"),
        by_pytorch_grad_cam("AblationCAM"),
        SMALL_MIXED,
        "puts a channel of both signs to −10⁷ and less, not to 0",
        again=ablated_far_below,
    ),
    Deviation(
        "guided_backprop",
        GRADCAM,
        ours("guided_backprop"),
        guided_by_pytorch_grad_cam,
        DENSENET,
        FUNCTION,
        again=guided_in_modules,
    ),
    Deviation(
        "guided_backprop",
        CAPTUM,
        ours("guided_backprop"),
        largest(by_captum("GuidedBackprop")),
        DENSENET,
        FUNCTION,
        again=guided_in_modules,
    ),
    Deviation(
        "guided_gradcam",
        CAPTUM,
        ours("guided_gradcam"),
        largest(by_captum("GuidedGradCam", layered=True, interpolate_mode="bilinear")),
        tuple(place for place in SMALL if place.name == "densenet121"),
        FUNCTION,
        again=guided_gradcam_in_modules,
    ),
    Deviation(
        "legrad",
        TORCHCAM,
        ours("legrad"),
        by_torchcam("LeGrad", blocks),
        tuple(map(Place, BLOCKS)),
        "as the paper, gives each block a score of its own, of the mean of its tokens",
        again=legrad_of_a_score_a_block,
    ),
)
