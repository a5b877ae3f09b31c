"""The bundled networks: shapes, padding and the accuracy they are known for (parity with timm: tests/parity)."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cam_cli.models import load
from cam_cli.models.efficientnet_lite import SameConv2d, efficientnet_lite0, efficientnet_lite1, efficientnet_lite2

DATA = Path(__file__).resolve().parents[2] / "../shared/data/ilsvrc"


@pytest.mark.parametrize(
    ("build", "millions", "blocks"),
    [
        (efficientnet_lite0, 4.65, [1, 2, 2, 3, 3, 4, 1]),
        (efficientnet_lite1, 5.42, [1, 3, 3, 4, 4, 5, 1]),
        (efficientnet_lite2, 6.09, [1, 3, 3, 4, 4, 5, 1]),
    ],
)
def test_the_architectures_have_their_published_size(build, millions, blocks):
    module = build()
    assert sum(parameter.numel() for parameter in module.parameters()) / 1e6 == pytest.approx(millions, abs=0.01)
    assert [len(stage) for stage in module.blocks] == blocks


@pytest.mark.parametrize(("height", "width"), [(32, 32), (33, 47), (256, 320), (225, 224)])
@torch.no_grad()
def test_any_size_from_32_px_gives_a_same_padded_grid(height, width):
    module = efficientnet_lite0(5).eval()
    images = torch.rand(2, 3, height, width)
    features = module.bn2(module.conv_head(module.blocks(module.bn1(module.conv_stem(images)))))
    assert features.shape == (2, 1280, -(-height // 32), -(-width // 32))
    assert features.min() >= 0  # bn2 holds its ReLU6
    assert features.max() <= 6
    assert torch.equal(module(images), module.classifier(features.mean((2, 3))))


@pytest.mark.parametrize("side", [7, 8, 9, 10])
@pytest.mark.parametrize("kernel", [3, 5])
@torch.no_grad()
def test_same_padding_puts_the_odd_pixel_last(side, kernel):
    layer = SameConv2d(1, 1, kernel, 2, bias=False)
    image = torch.rand(1, 1, side, side + 1)
    totals = [max((-(-n // 2) - 1) * 2 + kernel - n, 0) for n in (side, side + 1)]
    padded = np.pad(image[0, 0].numpy(), [(total // 2, total - total // 2) for total in totals])
    expected = F.conv2d(torch.from_numpy(padded)[None, None], layer.weight, stride=2)
    assert torch.equal(layer(image), expected)


def test_accuracy_on_reference_photographs():
    if not DATA.is_dir():
        pytest.skip("no reference data beside the project")
    with (DATA / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[::3]
    module, right = load("efficientnet_lite0").module, 0
    for start in range(0, len(rows), 32):
        batch = rows[start : start + 32]
        pixels = np.stack([cv2.imread(str(DATA / row["path"]))[..., ::-1] for row in batch]).astype(np.float32)
        images = F.interpolate(torch.from_numpy(pixels).movedim(3, 1), (224, 224), mode="bicubic", antialias=True)
        with torch.inference_mode():
            found = module(images.clamp(0, 255) / 127.5 - 1).argmax(1)
        right += int((found == torch.tensor([int(row["class"]) for row in batch])).sum())
    assert right / len(rows) >= 0.80, f"{right} of {len(rows)}"
