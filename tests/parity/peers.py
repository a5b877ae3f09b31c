"""Our maps and those of three libraries on the same networks, images, layers and classes, in pairs that must be equal.

`COMPARISONS` holds every pair in which a peer follows the formula that ours follows; `differences` measures one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytorch_grad_cam
import torchcam.methods as torchcam
from pytorch_grad_cam.utils.model_targets import ClassifierOutputReST, ClassifierOutputTarget

from cam_cli.engine.probe import LayerProbe
from cam_cli.maps import fuse, rectify
from cam_cli.methods import METHODS
from cam_cli.methods.method import Captured
from tests.methods.asking import captured

from .networks import LAYERS, distance, images, network, targets

NETWORKS = ("resnet18", "densenet121", "squeezenet1_1")
EVERY = [(name, layer) for name in NETWORKS for layer in LAYERS[name]]
RECTIFIED = [(name, layer) for name, layer in EVERY if name != "densenet121"]  # no activation below 0

Maps = Callable[[str, str], np.ndarray]
"""Of a network of `networks.py` and one of its layers: maps (3, u, v) of `images()`."""


@cache
def seen(name: str, layer: str) -> tuple[Captured, LayerProbe]:
    return captured(network(name), images(), layer, targets(name))


def ours(method: str, **parameters: Any) -> Maps:
    """Our raw maps, signed."""
    return lambda name, layer: METHODS.load(method)(**parameters).map(*seen(name, layer)).numpy()


def rectified(maps: Maps) -> Maps:
    return lambda name, layer: np.stack([rectify(one) for one in maps(name, layer)])


def by_pytorch_grad_cam(kind: str, score: Callable[[int], Any] = ClassifierOutputTarget) -> Maps:
    """Signed."""

    def maps(name: str, layer: str) -> np.ndarray:
        module, model = network(name).get_submodule(layer), network(name)
        scores = [score(index) for index in targets(name)]
        kept: list[np.ndarray] = []
        with getattr(pytorch_grad_cam, kind)(model, [module]) as cam:
            inner = cam.get_cam_image
            cam.get_cam_image = lambda *given: kept.append(inner(*given)) or kept[-1]
            cam(images(), scores)
        return kept[0]

    return maps


def by_torchcam(kind: str, **parameters: Any) -> Maps:
    """Rectified."""

    def maps(name: str, layer: str) -> np.ndarray:
        with getattr(torchcam, kind)(network(name), layer, **parameters) as cam:
            (found,) = cam(targets(name), network(name)(images()), normalized=False)
        return found.detach().numpy()

    return maps


def turned(theirs: Maps, like: Maps) -> Maps:
    """Each map of `theirs` with the sign that suits `like`: a principal component has any."""

    def maps(name: str, layer: str) -> np.ndarray:
        found, other = theirs(name, layer), like(name, layer)
        return found * np.sign((found * other).sum((1, 2), keepdims=True))

    return maps


def up_to(name: str, layer: str) -> list[str]:
    """The layers compared on this network, as far as `layer`."""
    return list(LAYERS[name][: LAYERS[name].index(layer) + 1])


def product(method: str) -> Maps:
    """Our maps of `up_to`, multiplied."""

    def maps(name: str, layer: str) -> np.ndarray:
        layered = [ours(method)(name, one) for one in up_to(name, layer)]
        return np.stack([fuse(list(raws), "product") for raws in zip(*layered, strict=True)])

    return maps


def refined_by_torchcam(base: str) -> Maps:
    def maps(name: str, layer: str) -> np.ndarray:
        chosen = up_to(name, layer)
        if len(chosen) == 1:  # torchcam's takes two or more
            return by_torchcam(base)(name, layer)
        with torchcam.RefineCAM(network(name), chosen, base_method=getattr(torchcam, base)) as cam:
            (found,) = cam(targets(name), network(name)(images()), normalized=False)
        return found.detach().numpy()

    return maps


@dataclass(frozen=True)
class Comparison:
    """One method of ours and one peer's.

    where: the (network, layer) at which the two are the same formula. how: what made them comparable, for people.
    damped: the peer adds an absolute epsilon that shows, though not to the eye.
    """

    method: str
    peer: str
    ours: Maps
    theirs: Maps
    where: tuple[tuple[str, str], ...] = tuple(EVERY)
    how: str = ""
    damped: bool = False


GRADCAM, TORCHCAM = "pytorch-grad-cam 1.5.7", "torchcam 0.5.0"

COMPARISONS = (
    Comparison("gradcam", GRADCAM, ours("gradcam"), by_pytorch_grad_cam("GradCAM")),
    Comparison("gradcam", TORCHCAM, rectified(ours("gradcam")), by_torchcam("GradCAM"), how="after a ReLU"),
    Comparison("hirescam", GRADCAM, ours("hirescam"), by_pytorch_grad_cam("HiResCAM")),
    Comparison("gradcam_elementwise", GRADCAM, ours("gradcam_elementwise"), by_pytorch_grad_cam("GradCAMElementWise")),
    Comparison("layercam", GRADCAM, ours("layercam"), by_pytorch_grad_cam("LayerCAM")),
    Comparison("layercam", TORCHCAM, rectified(ours("layercam")), by_torchcam("LayerCAM"), how="after a ReLU"),
    Comparison(
        "gradcam++",
        GRADCAM,
        ours("gradcam++"),
        by_pytorch_grad_cam("GradCAMPlusPlus"),
        tuple(RECTIFIED),
        damped=True,
    ),
    Comparison(
        "eigengradcam",
        GRADCAM,
        ours("eigengradcam"),
        turned(by_pytorch_grad_cam("EigenGradCAM"), ours("eigengradcam")),
        how="in our sign",
    ),
    Comparison("xgradcam", GRADCAM, ours("xgradcam"), by_pytorch_grad_cam("XGradCAM"), tuple(RECTIFIED)),
    Comparison(
        "xgradcam",
        TORCHCAM,
        rectified(ours("xgradcam")),
        by_torchcam("XGradCAM"),
        tuple(RECTIFIED),
        how="after a ReLU",
    ),
    Comparison(
        "kpcacam",
        GRADCAM,
        ours("kpcacam"),
        turned(by_pytorch_grad_cam("KPCA_CAM"), ours("kpcacam")),
        how="in our sign",
    ),
    Comparison("shapleycam", GRADCAM, ours("shapleycam"), by_pytorch_grad_cam("ShapleyCAM", ClassifierOutputReST)),
    Comparison("finercam", TORCHCAM, rectified(ours("finercam")), by_torchcam("FinerCAM"), how="after a ReLU"),
    Comparison(
        "refinecam",
        TORCHCAM,
        product("layercam"),
        refined_by_torchcam("LayerCAM"),
        tuple((name, LAYERS[name][-1]) for name in NETWORKS),
        how="the product, of LayerCAM maps",
    ),
)


def differences(comparison: Comparison) -> Iterator[tuple[str, str, float, float]]:
    """(network, layer, correlation, largest difference from 0 to 1) at every place of a comparison."""
    for name, layer in comparison.where:
        yield name, layer, *distance(comparison.ours(name, layer), comparison.theirs(name, layer))
