"""Networks with seeded random weights on which maps can be compared, our maps of them, and how close is the same."""

from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from cam_cli.capture import record
from cam_cli.maps import rectify
from cam_cli.methods.cam import Cam
from cam_cli.methods.gradcam import GradCam
from cam_cli.methods.method import Target
from cam_cli.models.head import find_head
from tests.methods.asking import NOBODY, by_hand

CORRELATION, DIFFERENCE = 0.9999, 1e-3
SIDE = 128  # of the square input that the head is looked for on

# Two ordinary layers each, whose output nothing writes over.
LAYERS = {
    "resnet18": ("layer3", "layer4"),
    "densenet121": ("features.denseblock3", "features.denseblock4"),
    "squeezenet1_1": ("features.7", "features.12"),
    "mobilenet_v2": ("features.13", "features.18"),
}
HEADS = {"resnet18": "fc", "densenet121": "classifier", "squeezenet1_1": "classifier.1", "mobilenet_v2": "classifier.1"}
# A layer each that the next module or function writes over, and with what.
OVERWRITTEN = {"densenet121": ("features.norm5", F.relu), "mobilenet_v2": ("features.18.1", F.relu6)}


def images() -> Tensor:
    """Three smooth landscapes, (3, 3, 160, 224). Seed 3: every map compared after a ReLU has positive cells."""
    noise = torch.randn(3, 3, 10, 14, generator=torch.Generator().manual_seed(3))
    return F.interpolate(noise, size=(160, 224), mode="bicubic")


@cache
def network(name: str) -> nn.Module:
    """A torchvision classifier of ten classes, random weights, whose numbers are those of a trained one: batch norm
    holds the statistics of `images()`, the scores are of the order of 100. At the tiny gradients of a fresh head the
    peers' absolute epsilons would be compared, not the maps."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = torchvision.models.get_model(name, weights=None, num_classes=10)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0  # running statistics = those of the one batch
        model.train()(images())
        head = [module for module in model.modules() if isinstance(module, nn.Linear | nn.Conv2d)][-1]
        head.bias.zero_()
        head.weight.mul_(100 / model.eval()(images()).std())
        head.bias.normal_()
    return model


def targets(name: str) -> list[int]:
    """A class an image, each another one and none the best of its image."""
    with torch.no_grad():
        rankings = network(name)(images()).argsort(1, descending=True).tolist()
    chosen: list[int] = []
    for ranking in rankings:
        chosen.append(next(index for index in ranking[1:] if index not in chosen))
    return chosen


def gradcam(name: str, *layers: str) -> list[np.ndarray]:
    """Our raw maps (3, u, v) of `images()` at `layers`, all asked for at once."""
    target = Target.of(torch.tensor(targets(name)))
    recording = record(network(name), images(), layers, gradients=True)
    gradients = recording.gradients(target, torch.ones(3, dtype=torch.bool), last=True)
    seen = [by_hand(recording.activations[layer].detach(), gradients[layer], target=target) for layer in layers]
    return [GradCam().map(one, NOBODY).numpy() for one in seen]


def cam(name: str) -> np.ndarray:
    """Our raw class activation maps (3, u, v) of `images()`."""
    head = find_head(network(name), SIDE)
    recording = record(network(name), images(), [head.layer], gradients=False)
    target = Target.of(torch.tensor(targets(name)))
    seen = by_hand(recording.activations[head.layer], target=target, head=head)
    return Cam().map(seen, NOBODY).numpy()


def scaled(maps: np.ndarray) -> np.ndarray:
    """Each map of (b, u, v) from 0 to 1."""
    low, high = maps.min((1, 2), keepdims=True), maps.max((1, 2), keepdims=True)
    assert (low < high).all(), "a map that is the same everywhere compares with anything"
    return (maps - low) / (high - low)


def distance(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Of the image that differs most: the correlation of two stacks (b, u, v), the largest difference after min–max."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape
    pairs = zip(ours, theirs, strict=True)
    correlation = min(np.corrcoef(one.ravel(), other.ravel())[0, 1] for one, other in pairs)
    return correlation, np.abs(scaled(ours) - scaled(theirs)).max()


def assert_agree(ours: np.ndarray, theirs: np.ndarray, *, rectified: bool = False) -> None:
    """The maps are the same: in shape and place, and in units too. rectified: theirs went through a ReLU."""
    ours = np.stack([rectify(one) for one in ours]) if rectified else ours
    correlation, difference = distance(ours, theirs)
    assert correlation >= CORRELATION
    assert difference <= DIFFERENCE
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=DIFFERENCE * np.abs(theirs).max())
