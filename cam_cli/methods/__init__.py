"""The methods by name. One paper a file; this table is what help, lists, documentation and contract tests read."""

from cam_cli.errors import MethodUnknown
from cam_cli.registry import Entry, Registry


def folded(name: str) -> str:
    """Spellings of one method made equal: Grad-CAM, grad_cam and GradCAM; GradCAMPlusPlus and grad-cam++."""
    letters = name.lower().translate(str.maketrans("", "", "-_ "))
    return letters.replace("plusplus", "++")


METHODS = Registry(
    "method",
    MethodUnknown,
    {
        "cam": Entry(
            "cam_cli.methods.cam:Cam",
            "exact class activation maps of a network with a pooled linear head (Zhou et al. 2016)",
        ),
        "gradcam": Entry(
            "cam_cli.methods.gradcam:GradCam",
            "channels weighted by their averaged gradients, at any layer (Selvaraju et al. 2017)",
        ),
        "hirescam": Entry(
            "cam_cli.methods.hirescam:HiResCam",
            "gradients times activations cell by cell, summed over channels (Draelos & Carin 2020)",
        ),
        "gradcam_elementwise": Entry(
            "cam_cli.methods.gradcam_elementwise:GradCamElementWise",
            "HiResCAM without the channels that speak against the class (pytorch-grad-cam)",
        ),
        "xgradcam": Entry(
            "cam_cli.methods.xgradcam:XGradCam",
            "channels weighted by their gradients, averaged by activation (Fu et al. 2020)",
        ),
        "layercam": Entry(
            "cam_cli.methods.layercam:LayerCam",
            "activations weighted by positive gradients cell by cell (Jiang et al. 2021)",
        ),
        "gradcam++": Entry(
            "cam_cli.methods.gradcam_pp:GradCamPlusPlus",
            "channels weighted by positive gradients, each by its higher derivatives (Chattopadhay et al. 2018)",
        ),
        "smoothgradcam++": Entry(
            "cam_cli.methods.smoothgradcam_pp:SmoothGradCamPlusPlus",
            "Grad-CAM++ of derivatives averaged over noisy inputs (Omeiza et al. 2019)",
        ),
        "refinecam": Entry(
            "cam_cli.methods.refinecam:RefineCam",
            "the product of the Grad-CAM++ maps of all stages (Domeniconi et al. 2026)",
        ),
        "shapleycam": Entry(
            "cam_cli.methods.shapleycam:ShapleyCam",
            "channels weighted by their averaged gradients less half the curvature (Cai 2025)",
        ),
        "finercam": Entry(
            "cam_cli.methods.finercam:FinerCam",
            "what sets the class apart from the classes that score nearest to it (Zhang et al. 2025)",
        ),
        "eigencam": Entry(
            "cam_cli.methods.eigencam:EigenCam",
            "first principal component of the activations, for no class (Muhammad & Yeasin 2020)",
        ),
        "eigengradcam": Entry(
            "cam_cli.methods.eigengradcam:EigenGradCam",
            "first principal component of gradients times activations (pytorch-grad-cam)",
        ),
        "kpcacam": Entry(
            "cam_cli.methods.kpcacam:KpcaCam",
            "first kernel principal component of the activations, for no class (Karmani et al. 2024)",
        ),
        "fem": Entry(
            "cam_cli.methods.fem:Fem",
            "cells beyond mean + 2 standard deviations of their channel, for no class (Fuad et al. 2020)",
        ),
        "fullgrad": Entry(
            "cam_cli.methods.fullgrad:FullGrad",
            "input gradients and the gradients of every bias, at input size (Srinivas & Fleuret 2019)",
        ),
        "scorecam": Entry(
            "cam_cli.methods.scorecam:ScoreCam",
            "channels weighted by the score of the image that they mask (Wang et al. 2020)",
        ),
        "sscam": Entry(
            "cam_cli.methods.sscam:SsCam",
            "Score-CAM with noise on the masks, averaged (Wang et al. 2020)",
        ),
        "iscam": Entry(
            "cam_cli.methods.iscam:IsCam",
            "Score-CAM with masks that grow by steps, averaged (Naidu et al. 2020)",
        ),
        "ablationcam": Entry(
            "cam_cli.methods.ablationcam:AblationCam",
            "channels weighted by what the score loses without them (Desai & Ramaswamy 2020)",
        ),
        "rise": Entry(
            "cam_cli.methods.rise:Rise",
            "random masks weighted by the probability they leave, at no layer (Petsiuk et al. 2018)",
        ),
        "occlusion": Entry(
            "cam_cli.methods.occlusion:Occlusion",
            "what the score loses under a sliding patch, at no layer (Zeiler & Fergus 2014)",
        ),
        "input_gradient": Entry(
            "cam_cli.methods.input_gradient:InputGradient",
            "gradients at the input, their largest colour (Simonyan et al. 2013)",
        ),
        "smoothgrad": Entry(
            "cam_cli.methods.smoothgrad:SmoothGrad",
            "gradients at the input, averaged over noise (Smilkov et al. 2017)",
        ),
        "guided_backprop": Entry(
            "cam_cli.methods.guided_backprop:GuidedBackprop",
            "gradients at the input, through ReLUs only what is positive (Springenberg et al. 2014)",
        ),
        "guided_gradcam": Entry(
            "cam_cli.methods.guided_gradcam:GuidedGradCam",
            "guided backpropagation where Grad-CAM is positive (Selvaraju et al. 2017)",
        ),
        "random": Entry(
            "cam_cli.methods.random:Random",
            "channels with random weights, a baseline for no class (pytorch-grad-cam)",
        ),
        "centre": Entry(
            "cam_cli.methods.centre:Centre",
            "a peak at the centre of the input, a baseline for no class (Choe et al. 2020)",
        ),
        "rollout": Entry(
            "cam_cli.methods.rollout:Rollout",
            "attention followed through all blocks of a transformer, for no class (Abnar & Zuidema 2020)",
        ),
        "legrad": Entry(
            "cam_cli.methods.legrad:LeGrad",
            "positive gradients at the attention of every block of a transformer (Bousselham et al. 2024)",
        ),
    },
    folded,
)
