"""Networks with seeded random weights on which maps can be compared, and how close is the same."""

import copy
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import Tensor, nn

from cam_cli.engine.probe import LayerProbe
from cam_cli.maps import rectify
from cam_cli.methods.method import Captured
from cam_cli.models.layers import survey
from tests.methods.asking import captured
from tests.nets import vit

CORRELATION, DIFFERENCE = 0.9999, 1e-3
VISIBLE = 0.05  # of a map from 0 to 1
SIDE = 128  # of the square input that the head is looked for on

# Two ordinary layers each, whose output nothing writes over.
LAYERS = {
    "resnet18": ("layer3", "layer4"),
    "densenet121": ("features.denseblock3", "features.denseblock4"),
    "squeezenet1_1": ("features.7", "features.12"),
    "mobilenet_v2": ("features.13", "features.18"),
}
HEADS = {
    "resnet18": "fc",
    "densenet121": "classifier",
    "squeezenet1_1": "classifier.1",
    "mobilenet_v2": "classifier.1",
    "mobilenet_v3_large": "classifier.3",
    "shufflenet_v2_x0_5": "fc",
}
BLOCKS = {"vit": 2, "vit_deep": 3}
TOKENS = (*BLOCKS, "swin")


def images() -> Tensor:
    """Three smooth landscapes, (3, 3, 160, 224). Seed 3: every map compared after a ReLU has positive cells."""
    noise = torch.randn(3, 3, 10, 14, generator=torch.Generator().manual_seed(3))
    return F.interpolate(noise, size=(160, 224), mode="bicubic")


@cache
def network(name: str) -> nn.Module:
    """A classifier of ten classes, or of tokens and five, random weights, whose numbers are those of a trained one:
    batch norm holds the statistics of `images()`, the scores are of the order of 100. At the tiny gradients of a fresh
    head the peers' absolute epsilons would be compared, not the maps."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        if name in TOKENS:
            return of_tokens(name)
        model = torchvision.models.get_model(name, weights=None, num_classes=10)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0  # running statistics = those of the one batch
        model.train()(images())
        head = model.get_submodule(HEADS[name])
        head.bias.zero_()
        head.weight.mul_(100 / model.eval()(images()).std())
        head.bias.normal_()
    return model


def of_tokens(name: str) -> nn.Module:
    if name in BLOCKS:
        model = vit(BLOCKS[name])
        head = model.heads.head
    else:
        sizes = {"patch_size": [4, 4], "embed_dim": 24, "depths": [2, 2], "num_heads": [2, 2], "window_size": [4, 4]}
        model = torchvision.models.SwinTransformer(**sizes, num_classes=5).eval()
        head = model.head
    head.weight.mul_(100 / model(Place(name).images).std())
    return model


@cache
def calm(name: str) -> nn.Module:
    """The same with scores of the order of 3: at 100 a softmax over channels leaves one of them."""
    model = copy.deepcopy(network(name))
    head = model.get_submodule(HEADS[name])
    with torch.no_grad():
        head.weight.mul_(0.03)
        head.bias.mul_(0.03)
    return model


@cache
def targets(name: str) -> list[int]:
    """A class an image, each another one and none the best of its image."""
    with torch.no_grad():
        rankings = network(name)(images()).argsort(1, descending=True).tolist()
    chosen: list[int] = []
    for ranking in rankings:
        chosen.append(next(index for index in ranking[1:] if index not in chosen))
    return chosen


@dataclass(frozen=True)
class Place:
    """What maps are of: a network, a layer of it (None: none), some images, a class each.

    small: one image (1, 3, 64, 80) and its best class, for what asks the network hundreds of times; else `images()`
    and `targets`, or for networks of tokens three of 64×64 pixels.
    """

    name: str
    layer: str | None = None
    small: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{self.layer}"

    @property
    def network(self) -> nn.Module:
        return calm(self.name) if self.small else network(self.name)

    @property
    def images(self) -> Tensor:
        if self.name in TOKENS:
            return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(3))
        return images()[:1, :, 16:144:2, 32:192:2].clone() if self.small else images()

    @property
    def targets(self) -> list[int]:
        if self.name in TOKENS:
            return [2, 0, 4]
        if self.small:
            return best(self)
        return targets(self.name)

    @property
    def seen(self) -> tuple[Captured, LayerProbe]:
        """With a probe that has not been asked yet: it remembers the answers for one method."""
        seen, probe = captured_at(self)
        return seen, replace(probe, answers={})

    def copy(self) -> nn.Module:
        """The network, for a peer that changes its modules."""
        return copy.deepcopy(self.network)


@cache
def best(place: Place) -> list[int]:
    with torch.no_grad():
        return place.network(place.images).argmax(1).tolist()


@cache
def captured_at(place: Place) -> tuple[Captured, LayerProbe]:
    seen, probe = captured(place.network, place.images, place.layer, place.targets)
    if place.name in BLOCKS:
        probe.tokens = survey(place.network, 64).attended
    return seen, probe


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
