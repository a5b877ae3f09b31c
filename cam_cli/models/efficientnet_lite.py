"""EfficientNet-Lite 0–2 in plain torch, with timm's module names, so layers and checkpoints are interchangeable.

Architecture: EfficientNet (Tan & Le 2019, arXiv:1905.11946, table 1) as changed by the Lite authors
(github.com/tensorflow/tpu, models/official/efficientnet/lite): no squeeze-and-excitation, ReLU6 for swish, stem, head
and the depth of the first and last stage unscaled. TensorFlow details that the weights need: "same" padding, BatchNorm
epsilon 1e-3. Checked against timm's `tf_efficientnet_lite*` in tests/parity.
"""

from math import ceil

import torch.nn.functional as F
from torch import Tensor, nn

# kernel, stride, expansion, channels, blocks
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)
STEM, HEAD = 32, 1280


class SameConv2d(nn.Conv2d):
    """A strided convolution with TensorFlow's "same" padding: ceil(n / stride) outputs, the odd pixel of padding at the
    bottom and right. The padding depends on the input size, so it cannot be a constant of the layer."""

    def forward(self, input: Tensor) -> Tensor:
        weight, padding = self.kernel(input)
        return F.conv2d(input, weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def kernel(self, input: Tensor) -> tuple[Tensor, list[int]]:
        """Weights and padding (rows, columns) for an input. Where one pixel more is wanted behind than before, the
        kernel has a row (column) of zeros before its own, which costs less than a padded copy of the input."""
        odd, padding = [], []
        for n, k, s in zip(input.shape[2:], self.kernel_size, self.stride, strict=True):
            total = max((ceil(n / s) - 1) * s + k - n, 0)
            odd.append(total % 2)
            padding.append(total - total // 2)
        return F.pad(self.weight, (odd[1], 0, odd[0], 0)), padding


class NormAct(nn.BatchNorm2d):
    """BatchNorm with its activation inside, as timm lays it out: the output of `bn2` is the rectified activation."""

    def __init__(self, channels: int, act: bool = True):
        super().__init__(channels, eps=1e-3)
        # Not in place: a layer that somebody looks at must keep its values.
        self.act: nn.Module = nn.ReLU6() if act else nn.Identity()

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = self.act(super().forward(input))
        return output


class GlobalPool(nn.Module):
    """(b, c, u, v) -> (b, c): the mean over the grid."""

    def forward(self, input: Tensor) -> Tensor:
        return input.mean((2, 3))


def conv(inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
    if stride == 1:
        return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)
    return SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)


class DepthwiseSeparable(nn.Module):
    """Depthwise then pointwise: the block of the first stage, which does not expand."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int):
        super().__init__()
        self.skip = stride == 1 and inputs == outputs
        self.conv_dw = conv(inputs, inputs, kernel, stride, groups=inputs)
        self.bn1 = NormAct(inputs)
        self.conv_pw = conv(inputs, outputs)
        self.bn2 = NormAct(outputs, act=False)

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = self.bn1(self.conv_dw(input))
        output = self.bn2(self.conv_pw(output))
        return input + output if self.skip else output


class InvertedResidual(nn.Module):
    """Expand, depthwise, project (linear), with a skip path where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        middle = inputs * expansion
        self.skip = stride == 1 and inputs == outputs
        self.conv_pw = conv(inputs, middle)
        self.bn1 = NormAct(middle)
        self.conv_dw = conv(middle, middle, kernel, stride, groups=middle)
        self.bn2 = NormAct(middle)
        self.conv_pwl = conv(middle, outputs)
        self.bn3 = NormAct(outputs, act=False)

    def forward(self, input: Tensor) -> Tensor:
        output: Tensor = self.bn1(self.conv_pw(input))
        output = self.bn2(self.conv_dw(output))
        output = self.bn3(self.conv_pwl(output))
        return input + output if self.skip else output


class EfficientNetLite(nn.Module):
    """float32 (b, 3, h, w), any h and w from 32 px -> logits (b, num_classes)."""

    def __init__(self, width: float, depth: float, num_classes: int = 1000):
        super().__init__()
        self.conv_stem = conv(3, STEM, 3, 2)
        self.bn1 = NormAct(STEM)
        stages: list[nn.Module] = []
        inputs = STEM
        for number, (kernel, stride, expansion, channels, blocks) in enumerate(STAGES):
            outputs = scaled(channels, width)
            repeats = blocks if number in (0, len(STAGES) - 1) else ceil(blocks * depth)
            stage: list[nn.Module] = []
            for step in (stride, *[1] * (repeats - 1)):
                if expansion == 1:
                    stage.append(DepthwiseSeparable(inputs, outputs, kernel, step))
                else:
                    stage.append(InvertedResidual(inputs, outputs, kernel, step, expansion))
                inputs = outputs
            stages.append(nn.Sequential(*stage))
        self.blocks = nn.Sequential(*stages)
        self.conv_head = conv(inputs, HEAD)
        self.bn2 = NormAct(HEAD)
        self.global_pool = GlobalPool()
        self.classifier = nn.Linear(HEAD, num_classes)

    def forward(self, input: Tensor) -> Tensor:
        features: Tensor = self.blocks(self.bn1(self.conv_stem(input)))
        features = self.bn2(self.conv_head(features))
        scores: Tensor = self.classifier(self.global_pool(features))
        return scores


def scaled(channels: int, width: float) -> int:
    """`channels * width` to the nearest multiple of 8, but never below 90 % of it (EfficientNet's rounding)."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * wanted else rounded + 8


def efficientnet_lite0(num_classes: int = 1000) -> EfficientNetLite:
    return EfficientNetLite(1.0, 1.0, num_classes)


def efficientnet_lite1(num_classes: int = 1000) -> EfficientNetLite:
    return EfficientNetLite(1.0, 1.1, num_classes)


def efficientnet_lite2(num_classes: int = 1000) -> EfficientNetLite:
    return EfficientNetLite(1.1, 1.2, num_classes)
