"""Networks to time: the weights do not matter for that, so ResNet-50 has seeded random ones."""

import torch
from torch import nn


def resnet50() -> nn.Module:
    from torchvision.models import resnet50 as make

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return make(weights=None).eval()
