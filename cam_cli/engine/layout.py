"""Between a layer's own tensor and the grid that methods compute on."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cam_cli.models.layers import Layer


def to_grid(tensor: Tensor, layer: Layer, size: Sequence[int]) -> Tensor:
    """A layer's output or gradient, of any float dtype, as float32 (b, c, u, v), for images of `size` (h, w). Of tokens
    only the picture's."""
    if layer.prefix is not None:
        rows, columns = layer.cells(tensor.shape, size)
        tensor = tensor[:, layer.prefix :].reshape(len(tensor), rows, columns, -1)
    return (tensor.permute(0, 3, 1, 2) if layer.channels_last else tensor).float()


def from_grid(grids: Tensor, layer: Layer, like: Tensor) -> Tensor:
    """`to_grid` undone: float32 (n, c, u, v) in the layout and dtype of `like`, the layer's output for one image. The
    tokens before the picture's are those of `like`."""
    tensor = (grids.permute(0, 2, 3, 1) if layer.channels_last else grids).to(like.dtype)
    if layer.prefix is None:
        return tensor
    return torch.cat([like[:, : layer.prefix].expand(len(grids), -1, -1), tensor.flatten(1, 2)], 1)
