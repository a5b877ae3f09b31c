"""Architectures that people use, tiny, seeded, without downloads: what a contract is held against."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import torch
from torch import Tensor, nn
from torchvision import models
from torchvision.models import (
    convnext,
    densenet,
    maxvit,
    mobilenetv2,
    regnet,
    shufflenetv2,
    squeezenet,
    swin_transformer,
    vgg,
)
from torchvision.ops import Conv2dNormActivation

from cam_cli.models.description import Cut, HeadShape
from cam_cli.models.weak import WeakNetwork
from tests.nets import Blunt, ByHand, Residual, seeded

CLASSES = 4


@dataclass(frozen=True)
class Kind:
    """size: of its square input. traits: what some methods need: head (exact CAM), relu, attention (over all
    patches)."""

    make: Callable[[], nn.Module]
    size: int
    traits: frozenset[str]


def kind(make: Callable[[], nn.Module], size: int, *traits: str) -> Kind:
    return Kind(make, size, frozenset(traits))


def vit() -> nn.Module:
    return models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=CLASSES)


def swin() -> nn.Module:
    return swin_transformer.SwinTransformer([4, 4], 8, [1, 1], [1, 2], [4, 4], num_classes=CLASSES)


def maxvit_tiny() -> nn.Module:
    return maxvit.MaxVit(
        (64, 64), 8, 4, [8, 16], [1, 1], 4, 0.0, squeeze_ratio=0.5, expansion_ratio=2, num_classes=CLASSES
    )


def convnext_tiny() -> nn.Module:
    setting = [convnext.CNBlockConfig(8, 16, 1), convnext.CNBlockConfig(16, None, 1)]
    return convnext.ConvNeXt(setting, num_classes=CLASSES)


def vgg_tiny() -> nn.Module:
    made = vgg.VGG(vgg.make_layers([8, "M", 16, "M"], batch_norm=True), num_classes=CLASSES, dropout=0.1)
    made.avgpool = nn.AdaptiveAvgPool2d(2)
    made.classifier = nn.Sequential(nn.Linear(64, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, CLASSES))
    return made


def regnet_tiny() -> nn.Module:
    return regnet.RegNet(regnet.BlockParams([1, 1], [8, 16], [8, 8], [1.0, 1.0], [2, 2]), CLASSES, stem_width=8)


def squeezenet_tiny() -> nn.Module:
    """Its last layer is class maps, rectified and pooled; ReLU modules write in place."""
    made = models.SqueezeNet("1_1", CLASSES)
    made.features = nn.Sequential(
        nn.Conv2d(3, 8, 3, 2),
        nn.ReLU(True),
        squeezenet.Fire(8, 4, 8, 8),
        nn.MaxPool2d(3, 2),
        squeezenet.Fire(16, 4, 8, 8),
    )
    made.classifier[1] = nn.Conv2d(16, CLASSES, 1)
    return made


def mobilenet() -> nn.Module:
    setting = [[1, 8, 1, 1], [3, 8, 1, 2], [3, 16, 1, 2]]
    model = mobilenetv2.MobileNetV2(CLASSES, 0.25, setting)
    inside = model.features[-1][0].in_channels
    model.features[-1] = Conv2dNormActivation(inside, 32, kernel_size=1, activation_layer=nn.ReLU6)
    model.classifier[1] = nn.Linear(32, CLASSES)
    return model


def weak(pool: str, make: Callable[[], nn.Module], layer: str, channels: int) -> nn.Module:
    """As `camtool train` makes one: a trunk that never finishes, an adaptation layer, a score map a class, pooled."""
    return WeakNetwork(make(), Cut(layer, channels), HeadShape(CLASSES, (6,), 0.5, pool, 3.0))


KINDS = {
    "by hand": kind(ByHand, 16, "head"),
    "residual": kind(Residual, 16, "head", "relu"),
    "two linear layers": kind(Blunt, 16, "relu"),
    "regnet": kind(regnet_tiny, 32, "head", "relu"),
    "densenet": kind(partial(densenet.DenseNet, 4, (2, 2), 8, num_classes=CLASSES), 64, "head", "relu"),
    "vgg": kind(vgg_tiny, 32, "relu"),
    "squeezenet": kind(squeezenet_tiny, 48, "head", "relu"),
    "shufflenet": kind(
        partial(shufflenetv2.ShuffleNetV2, [1, 1, 1], [8, 8, 16, 32, 64], num_classes=CLASSES), 64, "head", "relu"
    ),
    "mobilenet": kind(mobilenet, 32, "head", "relu"),
    "convnext": kind(convnext_tiny, 32),
    "vit": kind(vit, 32, "attention"),
    "swin": kind(swin, 32, "head"),
    "maxvit": kind(maxvit_tiny, 64),
    "weak max": kind(partial(weak, "max", mobilenet, "features", 32), 32, "head", "relu"),
    "weak avg": kind(partial(weak, "avg", vgg_tiny, "features", 16), 32, "head", "relu"),
    "weak lse": kind(partial(weak, "lse", swin, "permute", 16), 32, "head", "relu"),
}


def network(name: str) -> nn.Module:
    """One for all tests, in eval mode."""
    return made(name).eval()


@cache
def made(name: str) -> nn.Module:
    """Every parameter drawn from one seed; weights small enough that deep ones neither die nor explode."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        model = KINDS[name].make()
        if isinstance(model, ByHand):
            return model
        if isinstance(model, Residual | Blunt):
            return seeded(model)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 1.0
        model.train()(images(name, 8))  # batch norm at the statistics of its inputs
        for parameter in list(model.parameters())[-2:]:
            parameter.normal_()  # a head that is not zero
        return model


def images(name: str, count: int) -> Tensor:
    size = KINDS[name].size
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(5))
