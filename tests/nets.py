"""Tiny networks whose maps are known by hand, and whose quirks are those of real ones."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def seeded(module: nn.Module, seed: int = 0) -> nn.Module:
    """Every parameter drawn anew from one seed, batch-norm statistics too, in eval mode."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
        for name, buffer in module.named_buffers():
            if name.endswith("running_var"):
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
            elif name.endswith("running_mean"):
                buffer.copy_(torch.randn(buffer.shape, generator=generator) * 0.1)
    return module.eval()


class ByHand(nn.Module):
    """Two channels (red, then green minus blue), 4-pixel cells, GAP, then w = [[1, 0], [−1, 2]] and b = [0, 1/2].

    On an image whose cells are one colour each, f_0 = red, f_1 = green − blue, M_0 = f_0, M_1 = −f_0 + 2 f_1.
    """

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 2, 4, stride=4, bias=False)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(2, 2)
        with torch.no_grad():
            self.features.weight[0] = torch.tensor([1.0, 0, 0])[:, None, None] / 16
            self.features.weight[1] = torch.tensor([0.0, 1, -1])[:, None, None] / 16
            self.fc.weight.copy_(torch.tensor([[1.0, 0], [-1, 2]]))
            self.fc.bias.copy_(torch.tensor([0.0, 0.5]))
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.features(x)).flatten(1))


class Residual(nn.Module):
    """Skip path, in-place ReLU module, functional in-place ReLU, one ReLU module that runs three times, batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.norm = nn.BatchNorm2d(6)
        self.first = nn.Conv2d(6, 6, 3, padding=1)
        self.second = nn.Conv2d(6, 6, 3, padding=1)
        self.branch = nn.Sequential(nn.Conv2d(6, 6, 1), nn.ReLU(inplace=True))
        self.last = nn.Sequential(nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8))
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.stem(x)))
        y = self.relu(self.first(x))
        y = F.relu_(self.second(y) + x)
        x = self.relu(y + x) + self.branch(x)
        x = F.relu(self.last(x), inplace=True)
        return self.fc(self.dropout(x.mean((2, 3))))


class OneLogit(Residual):
    """A binary classifier as it is explained: its logit s as the scores −s, s of two classes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        score = super().forward(x)
        return torch.cat([-score, score], 1)


class Blunt(nn.Module):
    """No pooling: two linear layers on the flattened grid, as in VGG. CAM is not defined on it."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4, padding=1), nn.ReLU())
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


def vit(blocks: int = 2, **options) -> nn.Module:
    """torchvision's ViT of 64 px, 4×4 patches, 2 heads, 32 channels and 5 classes; its head is zero no more."""
    from torchvision.models import VisionTransformer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        sizes = {"image_size": 64, "patch_size": 16, "num_heads": 2, "hidden_dim": 32, "mlp_dim": 64}
        model = VisionTransformer(num_layers=blocks, num_classes=5, **(sizes | options))
        nn.init.normal_(model.heads.head.weight)
    return model.eval()
