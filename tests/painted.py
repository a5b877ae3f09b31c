"""A network that sees nothing but colours, and pictures painted for it, so that every number of an evaluation is known
by hand: the map of `red` is the red of the pixels, at their own size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

SIDE = 32  # of every picture, and of the network's input
COLOURS = ("red", "green", "blue")
NETWORK = "tests.painted:rgb"
Box = tuple[int, int, int, int]


class Rgb(nn.Module):
    """One cell a pixel, f_c its colour c in [0, 1]; s_c = gain · mean of f_c. So M_c = gain · f_c, for each colour, at
    both layers, of which the first has the colours in another order."""

    def __init__(self, classes: Iterable[int] = (0, 1, 2), gain: float = 20.0) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1, bias=False)
        self.last = nn.Conv2d(3, 3, 1, bias=False)
        self.pool = nn.AdaptiveAvgPool2d(1)
        rows = [*classes]
        self.fc = nn.Linear(3, len(rows), bias=False)
        with torch.no_grad():
            turned = torch.eye(3)[[1, 2, 0]]
            self.first.weight.copy_(turned[:, :, None, None])
            self.last.weight.copy_(turned.T[:, :, None, None])
            self.fc.weight.copy_(torch.eye(3)[rows] * gain)
        self.default_cfg = {"input_size": (3, SIDE, SIDE), "crop_pct": 1.0, "mean": (0, 0, 0), "std": (1, 1, 1)}
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.pool(self.last(self.first(x))).flatten(1))


def rgb() -> nn.Module:
    """Its classes are 0, 1, 2, called class_0 … unless --labels says otherwise."""
    return Rgb()


def two() -> nn.Module:
    """Knows no blue."""
    return Rgb((0, 1))


def swapped() -> nn.Module:
    """Takes green for blue, and blue for green."""
    return Rgb((0, 2, 1))


class Sick(Rgb):
    """Where the first pixel is white, its scores are not numbers."""

    def forward(self, x: Tensor) -> Tensor:
        scores = super().forward(x)
        return torch.where((x[:, :, 0, 0] == 1).all(1, keepdim=True), scores * torch.nan, scores)


def sick() -> nn.Module:
    return Sick()


class Failing(Rgb):
    """Its forward pass fails where the first pixel is white."""

    def forward(self, x: Tensor) -> Tensor:
        if (x[:, :, 0, 0] == 1).all(1).any():
            raise RuntimeError("a white corner")
        return super().forward(x)


def failing() -> nn.Module:
    return Failing()


Patch = tuple[str, Box, int]
"""A colour, where it is, x0 y0 x1 y1, and how bright, up to 255."""

PICTURES: Mapping[str, tuple[Patch, ...]] = {
    "a.png": (("red", (4, 4, 12, 12), 255),),
    "b.png": (("red", (4, 4, 12, 12), 255),),
    "c.png": (("green", (16, 16, 28, 28), 255),),
    "d.png": (("red", (0, 0, 16, 16), 255), ("blue", (20, 20, 28, 28), 255)),
    "e.png": (("green", (8, 8, 16, 16), 255), ("green", (8, 16, 16, 28), 100)),
}
ROWS = {
    "a.png": ("red", "4 4 12 12", "x"),
    "b.png": ("red", "4 4 12 20", "y"),  # overlap: exactly a half
    "c.png": ("green", "0 0 8 8", "x"),  # nothing in common
    "d.png": ("blue", "20 20 28 28", "y"),  # the network says red
    "e.png": ("green", "8 8 16 16", "x"),  # 64 of 160 pixels above a fifth, all above two fifths
}
"""Of each picture its class, its box, and its `camera`."""


def painted(*patches: Patch, width: int = SIDE, height: int = SIDE, sick: bool = False) -> np.ndarray:
    """uint8 (height, width, 3) RGB, black where nothing is. sick: the first pixel is white."""
    values = np.zeros((height, width, 3), np.uint8)
    for colour, (x0, y0, x1, y1), bright in patches:
        values[y0:y1, x0:x1, COLOURS.index(colour)] = bright
    if sick:
        values[0, 0] = 255
    return values


def paint(file: Path, *patches: Patch, **more) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(cv2.imencode(".png", painted(*patches, **more)[..., ::-1])[1].tobytes())
    return file


def table(
    file: Path, rows: Mapping[str, tuple[str, ...]], columns: str = "class,boxes,camera", size: int = SIDE
) -> Path:
    """A dataset: a path below the folder `pics` a row, its cells, and the size of all pictures."""
    lines = [f"path,width,height,{columns}"]
    lines += [",".join((f"pics/{name}", str(size), str(size), *cells)) for name, cells in rows.items()]
    file.write_text("\n".join(lines) + "\n")
    return file


def write(folder: Path, more: Mapping[str, tuple[str, ...]] | None = None) -> Path:
    """PICTURES below `pics`, `labels.txt`, and `data.csv` with ROWS and more; returns that."""
    for name, patches in PICTURES.items():
        paint(folder / "pics" / name, *patches)
    (folder / "labels.txt").write_text("\n".join(COLOURS) + "\n")
    return table(folder / "data.csv", {**ROWS, **(more or {})})


def raw(name: str, colour: str) -> np.ndarray:
    """What the network's map of a colour is, but for its gain: float32 (32, 32)."""
    return painted(*PICTURES[name])[..., COLOURS.index(colour)].astype(np.float32) / 255
