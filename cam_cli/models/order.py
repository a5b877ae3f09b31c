"""Do a network's tokens stand in the order of the picture? Some are sorted into blocks first (Hiera)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cam_cli.capture import observe

from .network import Specimen
from .stages import Layer

ELSEWHERE = 3.0  # how many times a patch's own token another must change to stand for that patch


def row_by_row(specimen: Specimen, layer: Layer) -> bool:
    """Is the picture at `layer`, one of tokens near the patch embedding, there row by row? By value: two corners of a
    noise image are negated, one at a time, and the token that is to stand for a corner has to change with it, next to
    what other tokens do. One pass over three images; raises ModelFailed."""
    assert layer.prefix is not None
    rows, columns, side = layer.rows, layer.cols, specimen.size // layer.rows
    patches = [(0, columns - 1), (rows - 1, 0)]
    images = specimen.noise(1).repeat(1 + len(patches), 1, 1, 1)
    for image, (row, column) in zip(images[1:], patches, strict=True):
        image[:, row * side : (row + 1) * side, column * side : (column + 1) * side] *= -1
    kept: list[Tensor] = []

    def visit(path: str, module: nn.Module, inputs: object, output: object) -> None:
        if path == layer.path and isinstance(output, Tensor):
            kept.append(output.clone())

    observe(specimen.module, images, visit)
    tokens = kept[-1][:, layer.prefix :]
    change = (tokens[1:] - tokens[:1]).norm(dim=2)
    own = torch.stack([one[row * columns + column] for one, (row, column) in zip(change, patches, strict=True)])
    return bool((change.amax(1) <= ELSEWHERE * own).all())
