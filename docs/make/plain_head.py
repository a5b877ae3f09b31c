"""A head that learns plainly, to compare `camtool train` with: the recipe of the project's first prototype, as far as it
is recorded, on the photographs that are here.

The same layers (1×1 to 256, ReLU, 1×1 to the classes) on the same features of the same pictures at 320 px, 30 epochs. What
is not recorded is what one writes first: Adam at 0.001, 32 images a step, no dropout, each picture as it is.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from cam_cli.images.intensity import Intensity
from cam_cli.images.preprocess import View, read_pictures
from cam_cli.models import load
from cam_cli.models.pooling import pooling
from cam_cli.types import ImageItem

EPOCHS, BATCH, RATE, WIDTH = 30, 32, 1e-3, 256


def plain_head(trained: Path, pool: str, data: Path, split: str, out: Path) -> None:
    """Writes `out`: the file `trained` of `camtool train` with another head, which learns from the labels of `data`'s
    list `split`."""
    network = load(f"trained@{trained}")
    names = (data / "ImageSets/Main" / f"{split}.txt").read_text().split()
    view = View("", network.recipe, 32)
    features, present = [], torch.zeros(len(names), len(network.labels.names))
    for row, name in enumerate(names):
        path = str(next((data / "JPEGImages").glob(f"{name}.*")))
        item = ImageItem(name, path, name)
        (picture,) = read_pictures(item, [view], fit="squash", intensity=Intensity(), max_pixels=10**8)
        with torch.no_grad():
            features.append(network.module.features(picture.tensor[None]))
        for one in ElementTree.parse(data / "Annotations" / f"{name}.xml").iterfind("object/name"):
            present[row, network.labels.names.index(str(one.text))] = 1
    head = learnt(torch.cat(features), present, pool)
    with safe_open(trained, "pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    tensors |= {"head.adapt.0.weight": head[0].weight, "head.adapt.0.bias": head[0].bias}
    tensors |= {"head.scores.weight": head[2].weight, "head.scores.bias": head[2].bias}
    save_file({key: one.detach().contiguous() for key, one in tensors.items()}, out, metadata)


def learnt(features: Tensor, present: Tensor, pool: str) -> nn.Sequential:
    """From features (n, c, u, v) and which classes are there (n, k)."""
    torch.manual_seed(0)
    layers = nn.Conv2d(features.shape[1], WIDTH, 1), nn.ReLU(), nn.Conv2d(WIDTH, present.shape[1], 1)
    head = nn.Sequential(*layers, pooling(pool, 5.0))
    adam = torch.optim.Adam(head.parameters(), RATE)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(features)).split(BATCH):
            adam.zero_grad()
            F.binary_cross_entropy_with_logits(head(features[rows]), present[rows]).backward()
            adam.step()
    return head
