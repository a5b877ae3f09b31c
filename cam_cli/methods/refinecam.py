"""RefineCAM."""

from dataclasses import dataclass
from typing import ClassVar

from .gradcam_pp import GradCamPlusPlus
from .method import Needs


@dataclass(frozen=True)
class RefineCam(GradCamPlusPlus):
    """L_c = Π_l N(ReLU(L_c^l)),   N: min–max, then bilinear to the finest grid

    L_c^l: the Grad-CAM++ map of layer l; the layers are all stages of the network (`layer1` … `layer4`), or those that
    `--layer a+b+c` names; of a single one the map is Grad-CAM++.
    Domeniconi et al. 2026, arXiv:2605.14641: deep maps say where, shallow ones draw it finely. The paper allows any
    base method: `--fuse product` is this with another. torchcam 0.5.0 multiplies at the finest grid, as we do; the
    authors' own code (theirs, and in pytorch-grad-cam) at the input's size.
    """

    needs: ClassVar[Needs] = GradCamPlusPlus.needs | Needs.STAGES
    fuse: ClassVar[str | None] = "product"
