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
        "layercam": Entry(
            "cam_cli.methods.layercam:LayerCam",
            "activations weighted by positive gradients cell by cell (Jiang et al. 2021)",
        ),
        "gradcam++": Entry(
            "cam_cli.methods.gradcam_pp:GradCamPlusPlus",
            "channels weighted by positive gradients, each by its higher derivatives (Chattopadhay et al. 2018)",
        ),
        "eigencam": Entry(
            "cam_cli.methods.eigencam:EigenCam",
            "first principal component of the activations, for no class (Muhammad & Yeasin 2020)",
        ),
        "eigengradcam": Entry(
            "cam_cli.methods.eigengradcam:EigenGradCam",
            "first principal component of gradients times activations (pytorch-grad-cam)",
        ),
        "fem": Entry(
            "cam_cli.methods.fem:Fem",
            "cells beyond mean + 2 standard deviations of their channel, for no class (Fuad et al. 2020)",
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
