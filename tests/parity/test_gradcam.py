"""Grad-CAM at awkward layers, at several at once, and as the tool ends: against three independent implementations."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("pytorch_grad_cam")
pytest.importorskip("torchcam.methods")
pytest.importorskip("captum.attr")

from captum.attr import LayerGradCam

from cam_cli.capture import record
from cam_cli.engine.answers import Reading
from cam_cli.engine.column import Column
from cam_cli.engine.explain import Explainer
from cam_cli.engine.selection import parse_selections
from cam_cli.methods.cam import Cam
from cam_cli.methods.gradcam import GradCam
from cam_cli.methods.method import Target
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from cam_cli.types import ImageItem, Picture
from tests.methods.asking import NOBODY, by_hand

from .networks import LAYERS, SIDE, VISIBLE, Place, assert_agree, distance, images, network, targets
from .peers import WHOLE, by_captum, by_pytorch_grad_cam, by_torchcam, cam, channel, heats, ours

# A layer each that the next module or function writes over, and with what.
OVERWRITTEN = {"densenet121": ("features.norm5", F.relu), "mobilenet_v2": ("features.18.1", F.relu6)}
# Serial; one inside the other; before and within a block that a skip path goes around.
TOGETHER = [
    ("densenet121", ["features.denseblock4", "features.norm5", "features"]),
    ("resnet18", ["layer3", "layer4", "layer4.1", "layer4.1.conv2"]),
    ("mobilenet_v3_large", ["features.12", "features.15.block.2"]),
]

captums = channel(by_captum("LayerGradCam", layered=True))


def gradcam(name: str, *layers: str) -> list[np.ndarray]:
    """Our raw maps (3, u, v) of `images()` at `layers`, all asked for at once."""
    target = Target.of(torch.tensor(targets(name)))
    recording = record(network(name), images(), layers, gradients=True)
    gradients = recording.gradients(target, torch.ones(3, dtype=torch.bool), last=True)
    seen = [by_hand(recording.activations[layer].detach(), gradients[layer], target=target) for layer in layers]
    return [GradCam().map(one, NOBODY).numpy() for one in seen]


@pytest.mark.parametrize("place", [Place(name, layers[-1]) for name, layers in LAYERS.items()], ids=str)
def test_the_heatmap_is_what_pytorch_grad_cam_returns(place):
    assert_agree(heats(ours("gradcam")(place)), by_pytorch_grad_cam("GradCAM", heat=True)(place))


@pytest.mark.parametrize("name", OVERWRITTEN)
def test_a_layer_that_is_written_over_is_explained_by_its_own_output(name):
    """captum agrees. The other two read the tensor when the next function has written over it: pytorch-grad-cam
    multiplies what is there by the gradients of what was there; torchcam explains what is there, which is what both
    networks pool, so that its map is the exact CAM over the number of cells."""
    layer, overwrite = OVERWRITTEN[name]
    place = Place(name, layer)
    (mine,) = gradcam(name, layer)
    assert_agree(mine, captums(place))

    mixed, later = by_pytorch_grad_cam("GradCAM")(place), by_torchcam("GradCAM")(place)
    assert distance(mine, mixed)[1] > VISIBLE
    assert distance(mine.clip(0), later)[1] > VISIBLE

    recording = record(network(name), images(), [layer], gradients=True)
    (gradients,) = recording.gradients(
        Target.of(torch.tensor(targets(name))), torch.ones(3, dtype=torch.bool), last=True
    ).values()
    there = overwrite(recording.activations[layer].detach())
    assert_agree((gradients.mean((2, 3), keepdim=True) * there).sum(1).numpy(), mixed)
    assert_agree(cam(place) / later[0].size, later, rectified=True)


@pytest.mark.parametrize(("name", "layers"), TOGETHER)
def test_layers_asked_for_together_are_what_each_is_alone(name, layers):
    for layer, together in zip(layers, gradcam(name, *layers), strict=True):
        (alone,) = gradcam(name, layer)
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5 * np.abs(alone).max())
        assert_agree(together, captums(Place(name, layer)))


def test_the_engine():
    """The third class of every image, a method at each of two layers, chosen and explained as in a run of the tool."""
    model, labels = network("resnet18"), Labels(tuple("abcdefghij"), None)
    columns = [
        Column(kind, method, chosen, layer)
        for kind, method, layer in (("gradcam", GradCam(), "layer3"), ("cam", Cam(), "layer4"))
        for chosen in survey(model, SIDE).choose(layer)
    ]
    reading = Reading(labels)
    selections = parse_selections(["top3"], labels.find, reading)
    head, cpu = find_head(model, SIDE), torch.device("cpu")
    explain = Explainer(model, reading, tuple(columns), selections, head, "mean", 0.0, cpu, "fp32")
    item, pixels = ImageItem("x", "x", "x"), np.zeros((160, 224, 3), np.uint8)
    found = list(explain([Picture(item, pixels, tensor, WHOLE) for tensor in images()]))
    for layer, cells in (("layer3", 1), ("layer4", 35)):  # CAM is Grad-CAM times cells at the layer the head pools
        maps = [one for each in found for one in each.maps if one.layers == (layer,) and one.label.selection == "3"]
        peer = LayerGradCam(model, model.get_submodule(layer))
        theirs = peer.attribute(images(), torch.tensor([one.target.index for one in maps])).squeeze(1).detach().numpy()
        assert_agree(np.stack([one.raw for one in maps]), theirs * cells)
