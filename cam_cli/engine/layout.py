"""Between a layer's own tensor and the grid that methods compute on."""

from torch import Tensor

from cam_cli.models.layers import Layer


def to_grid(tensor: Tensor, layer: Layer) -> Tensor:
    """A layer's output or gradient, of any float dtype, as float32 (b, c, u, v)."""
    return (tensor.permute(0, 3, 1, 2) if layer.channels_last else tensor).float()


def from_grid(grids: Tensor, layer: Layer, like: Tensor) -> Tensor:
    """`to_grid` undone: float32 (n, c, u, v) in the layout and dtype of `like`, the layer's output for one image."""
    return (grids.permute(0, 2, 3, 1) if layer.channels_last else grids).to(like.dtype)
