"""Grad-CAM against three independent implementations, on four networks, at ordinary layers and at awkward ones."""

import numpy as np
import pytest
import torch

from cam_cli.capture import record
from cam_cli.engine.answers import Reading
from cam_cli.engine.explain import Column, Explainer
from cam_cli.engine.selection import parse_selections
from cam_cli.maps import heatmap
from cam_cli.methods.cam import Cam
from cam_cli.methods.gradcam import GradCam
from cam_cli.methods.method import Target
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from cam_cli.types import Geometry, ImageItem, Picture

from .networks import LAYERS, OVERWRITTEN, SIDE, assert_agree, cam, distance, gradcam, images, network, targets

pytorch_grad_cam = pytest.importorskip("pytorch_grad_cam")
torchcam = pytest.importorskip("torchcam.methods")
captum = pytest.importorskip("captum.attr")

WHOLE = Geometry(224, 160, 224, 160, (1.0, 1.0), (0.0, 0.0), "squash")
VISIBLE = 0.05  # of a map from 0 to 1
EVERY = [(name, layer) for name, layers in LAYERS.items() for layer in layers]
# Serial; one inside the other; before and within a block that a skip path goes around.
TOGETHER = [
    ("densenet121", ["features.denseblock4", "features.norm5", "features"]),
    ("resnet18", ["layer3", "layer4", "layer4.1", "layer4.1.conv2"]),
    ("mobilenet_v3_large", ["features.12", "features.15.block.2"]),
]


def by_pytorch_grad_cam(name: str, layer: str, chosen: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """What it returns, (3, h, w) from 0 to 1, and the signed maps (3, u, v) it made that from."""
    module = network(name).get_submodule(layer)
    categories = [pytorch_grad_cam.utils.model_targets.ClassifierOutputTarget(index) for index in chosen]
    cam = pytorch_grad_cam.GradCAM(network(name), [module])
    returned, seen = cam(images(), categories), cam.activations_and_grads
    (activations,), (gradients,) = seen.activations, seen.gradients
    raw = cam.get_cam_image(images(), module, categories, activations.numpy(), gradients.numpy())
    seen.release()
    return returned, raw


def by_torchcam(name: str, layer: str, chosen: list[int]) -> np.ndarray:
    """(3, u, v), rectified."""
    with torchcam.GradCAM(network(name), layer) as cam:
        (maps,) = cam(chosen, network(name)(images()), normalized=False)
    return maps.numpy()


def by_captum(name: str, layer: str, chosen: list[int]) -> np.ndarray:
    """(3, u, v), signed."""
    cam = captum.LayerGradCam(network(name), network(name).get_submodule(layer))
    return cam.attribute(images(), torch.tensor(chosen)).squeeze(1).detach().numpy()


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_pytorch_grad_cam(name, layer):
    (ours,) = gradcam(name, layer)
    returned, raw = by_pytorch_grad_cam(name, layer, targets(name))
    assert_agree(ours, raw)
    assert_agree(np.stack([heatmap(one, WHOLE).heat for one in ours]), returned)


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_torchcam(name, layer):
    (ours,) = gradcam(name, layer)
    assert_agree(ours, by_torchcam(name, layer, targets(name)), rectified=True)


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_captum(name, layer):
    (ours,) = gradcam(name, layer)
    assert_agree(ours, by_captum(name, layer, targets(name)))


@pytest.mark.parametrize("name", OVERWRITTEN)
def test_a_layer_that_is_written_over_is_explained_by_its_own_output(name):
    """captum agrees. The other two read the tensor when the next function has written over it: pytorch-grad-cam
    multiplies what is there by the gradients of what was there; torchcam explains what is there, which is what both
    networks pool, so that its map is the exact CAM over the number of cells."""
    layer, overwrite = OVERWRITTEN[name]
    (ours,) = gradcam(name, layer)
    assert_agree(ours, by_captum(name, layer, targets(name)))

    _, mixed = by_pytorch_grad_cam(name, layer, targets(name))
    later = by_torchcam(name, layer, targets(name))
    assert distance(ours, mixed)[1] > VISIBLE
    assert distance(ours.clip(0), later)[1] > VISIBLE

    recording = record(network(name), images(), [layer], gradients=True)
    (gradients,) = recording.gradients(
        Target.of(torch.tensor(targets(name))), torch.ones(3, dtype=torch.bool), last=True
    ).values()
    there = overwrite(recording.activations[layer].detach())
    assert_agree((gradients.mean((2, 3), keepdim=True) * there).sum(1).numpy(), mixed)
    assert_agree(cam(name) / later[0].size, later, rectified=True)


@pytest.mark.parametrize(("name", "layers"), TOGETHER)
def test_layers_asked_for_together_are_what_each_is_alone(name, layers):
    for layer, together in zip(layers, gradcam(name, *layers), strict=True):
        (alone,) = gradcam(name, layer)
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5 * np.abs(alone).max())
        assert_agree(together, by_captum(name, layer, targets(name)))


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
        ours = [one for each in found for one in each.maps if one.layers == (layer,) and one.label.selection == "3"]
        theirs = by_captum("resnet18", layer, [one.target.index for one in ours])
        assert_agree(np.stack([one.raw for one in ours]), theirs * cells)
