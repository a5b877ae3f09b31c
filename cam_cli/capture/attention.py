"""The attention matrices of a network's blocks, in one pass, with gradients there if asked.

Fused kernels never form the matrix, and modules differ too much to be hooked; but every block of torch, torchvision,
timm and transformers calls either `F.scaled_dot_product_attention` or `softmax`, looked up when it runs. For one pass
both are put in our own form, which keeps the matrix and goes on with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cam_cli.errors import MethodUnsuitable

from .model import forward, undisturbed
from .record import Recording


def record_attention(
    model: nn.Module,
    images: Tensor,
    *,
    gradients: bool,
    read_scores: Callable[[Any], Tensor] = lambda output: output,
) -> Recording:
    """Runs `model` once on `images` (b, 3, h, w). Activations of the recording: by number, in the order they ran, the
    attention matrices (b, heads, n, n) after the softmax, rows that sum to 1: from the token of a row to that of a
    column. As with `record`, everything before the first of them runs without gradients.

    Raises MethodUnsuitable where there are none, or where they are not all from every token to every token of an image
    (windows, several grids, a class token that asks alone); ModelFailed.
    """
    kept: list[Tensor] = []

    def keep(matrix: Tensor) -> Tensor:
        if not gradients:
            kept.append(matrix)
            return matrix
        torch.set_grad_enabled(True)
        kept.append(matrix if matrix.requires_grad else matrix.detach().requires_grad_())
        return kept[-1]

    with undisturbed(model), torch.set_grad_enabled(False), in_the_open(keep):
        scores = read_scores(forward(model, images))
    check(kept, len(images))
    return Recording(scores, {str(number): matrix for number, matrix in enumerate(kept)})


def check(matrices: list[Tensor], images: int) -> None:
    """Raises MethodUnsuitable unless all are of `images` images, over the same tokens."""
    if not matrices:
        raise MethodUnsuitable("this method reads the attention between tokens, and the network has none that it sees")
    shapes = [tuple(matrix.shape) for matrix in matrices]
    tokens = shapes[0][-1]
    for shape in shapes:
        if (shape[0], *shape[2:]) != (images, tokens, tokens):
            raise MethodUnsuitable(
                "this method follows attention between all tokens of an image, the same in every block; this network "
                f"also has it of another kind, in windows or from few tokens ({'×'.join(map(str, shape))} where "
                f"{images}×{shape[1]}×{tokens}×{tokens} was expected)"
            )


@contextmanager
def in_the_open(keep: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inside, attention goes through `keep`: it is given each matrix (b, heads, n, m), and what it returns is used."""
    softmax = torch.Tensor.softmax

    def rows(scores: Tensor, dim: Any = None, dtype: Any = None, **named: Any) -> Tensor:
        found = softmax(scores, dim, dtype=dtype, **named)
        return keep(found) if found.ndim == 4 and dim in (-1, 3) else found

    def attend(
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,  # the model is in eval mode
        is_causal: bool = False,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        if enable_gqa:
            groups = query.shape[-3] // key.shape[-3]
            key, value = key.repeat_interleave(groups, -3), value.repeat_interleave(groups, -3)
        scores = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
        if is_causal:
            attn_mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).tril()
        if attn_mask is not None:
            hidden = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if hidden else scores + attn_mask
        matrix = softmax(scores, -1)
        return (keep(matrix) if matrix.ndim == 4 else matrix) @ value

    fused, free, fast = F.scaled_dot_product_attention, torch.softmax, torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)  # a kernel for whole layers
        F.scaled_dot_product_attention = attend
        torch.softmax = torch.Tensor.softmax = rows  # type: ignore[assignment, method-assign]
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        F.scaled_dot_product_attention, torch.softmax = fused, free
        del torch.Tensor.softmax  # the class has it from its parent
