"""The methods by name. One paper a file; this table is what help, lists, documentation and contract tests read."""

from cam_cli.errors import MethodUnknown
from cam_cli.registry import Entry, Registry

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
    },
)
