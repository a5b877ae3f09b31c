"""Methods of one layer against the libraries that follow the same formula; where one does not, it says how."""

from functools import cache

import numpy as np
import pytest

from cam_cli.engine.probe import LayerProbe
from cam_cli.methods import METHODS
from cam_cli.methods.eigencam import principal
from cam_cli.methods.method import Captured
from tests.methods.asking import captured
from tests.methods.test_one_layer import AGAIN

from .networks import LAYERS, assert_agree, distance, images, network, targets

pytorch_grad_cam = pytest.importorskip("pytorch_grad_cam")
torchcam = pytest.importorskip("torchcam.methods")

EVERY = [(name, layer) for name in ("resnet18", "densenet121", "squeezenet1_1") for layer in LAYERS[name]]
RECTIFIED = [(name, layer) for name, layer in EVERY if name != "densenet121"]  # no activation below 0
VISIBLE = 0.05  # of a map from 0 to 1


@cache
def seen(name: str, layer: str) -> tuple[Captured, LayerProbe]:
    return captured(network(name), images(), layer, targets(name))


def ours(method: str, name: str, layer: str) -> np.ndarray:
    """Our raw maps (3, u, v) of `images()`."""
    return METHODS.load(method)().map(*seen(name, layer)).numpy()


def again(method: str, name: str, layer: str) -> np.ndarray:
    """The same by loops in float64."""
    one, _ = seen(name, layer)
    pairs = zip(one.activations.double().numpy(), one.gradients.double().numpy(), strict=True)
    return np.stack([AGAIN[method](activations, gradients) for activations, gradients in pairs])


def by_pytorch_grad_cam(kind: str, name: str, layer: str) -> np.ndarray:
    """(3, u, v), signed."""
    module = network(name).get_submodule(layer)
    categories = [pytorch_grad_cam.utils.model_targets.ClassifierOutputTarget(index) for index in targets(name)]
    cam = getattr(pytorch_grad_cam, kind)(network(name), [module])
    cam(images(), categories)
    held = cam.activations_and_grads
    gradients = held.gradients[0].numpy() if held.gradients else None
    raw = cam.get_cam_image(images(), module, categories, held.activations[0].numpy(), gradients, False)
    held.release()
    return raw


def by_torchcam(kind: str, name: str, layer: str) -> np.ndarray:
    """(3, u, v), rectified."""
    with getattr(torchcam, kind)(network(name), layer) as cam:
        (maps,) = cam(targets(name), network(name)(images()), normalized=False)
    return maps.numpy()


def turned(theirs: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Each map of `theirs` with the sign that suits `like`: pytorch-grad-cam's principal components have any."""
    signs = np.sign((theirs * like).sum((1, 2), keepdims=True))
    return theirs * signs


@pytest.mark.parametrize(("name", "layer"), EVERY)
@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("hirescam", "HiResCAM"),
        ("gradcam_elementwise", "GradCAMElementWise"),
        ("layercam", "LayerCAM"),
    ],
)
def test_pytorch_grad_cam(method, kind, name, layer):
    assert_agree(ours(method, name, layer), by_pytorch_grad_cam(kind, name, layer))


@pytest.mark.parametrize(("name", "layer"), EVERY)
@pytest.mark.parametrize(("method", "kind"), [("layercam", "LayerCAM")])
def test_torchcam(method, kind, name, layer):
    assert_agree(ours(method, name, layer), by_torchcam(kind, name, layer), rectified=True)


@pytest.mark.parametrize(("name", "layer"), RECTIFIED)
def test_gradcam_pp_after_a_relu(name, layer):
    """pytorch-grad-cam's 1e-6 under the fraction moves the units a little. torchcam 0.5.0 divides a copy."""
    mine, theirs = ours("gradcam++", name, layer), by_pytorch_grad_cam("GradCAMPlusPlus", name, layer)
    correlation, difference = distance(mine, theirs)
    assert correlation >= 0.999
    assert difference <= 5e-3
    assert distance(mine.clip(0), by_torchcam("GradCAMpp", name, layer))[1] > VISIBLE


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_gradcam_pp_by_the_papers_equation(name, layer):
    assert_agree(ours("gradcam++", name, layer), again("gradcam++", name, layer))


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_eigencam(name, layer):
    """pytorch-grad-cam centres the channels, the paper does not: centred, ours is theirs; as it is, the paper's."""
    mine, theirs = ours("eigencam", name, layer), by_pytorch_grad_cam("EigenCAM", name, layer)
    centred = principal(seen(name, layer)[0].activations, centred=True).numpy()
    assert_agree(centred, turned(theirs, centred))
    assert distance(mine, turned(theirs, mine))[1] > VISIBLE
    assert_agree(mine, again("eigencam", name, layer))


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_eigengradcam(name, layer):
    mine = ours("eigengradcam", name, layer)
    assert_agree(mine, turned(by_pytorch_grad_cam("EigenGradCAM", name, layer), mine))


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_fem(name, layer):
    """pytorch-grad-cam weights activations by how many of their cells are strong; the paper strong cells by means."""
    mine, theirs = ours("fem", name, layer), by_pytorch_grad_cam("FEM", name, layer)
    assert_agree(mine, again("fem", name, layer))
    assert distance(mine, theirs)[1] > VISIBLE
    one = seen(name, layer)[0].activations
    strong = one > one.mean((2, 3), keepdim=True) + 2 * one.std((2, 3), correction=0, keepdim=True)
    shares = strong.float().mean((2, 3), keepdim=True)
    assert_agree((shares * one).sum(1).numpy(), theirs)
