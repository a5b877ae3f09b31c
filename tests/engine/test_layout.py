"""Tokens as grids: there and back, at any shape of input, and what lies behind a layer of them run again."""

import pytest
import torch

from cam_cli.engine.layout import from_grid, to_grid
from cam_cli.models.layers import survey
from cam_cli.models.stages import Layer
from tests.methods.asking import captured
from tests.nets import vit
from tests.test_attention import IMAGES, block

DEFAULT = "encoder.layers.encoder_layer_1.ln_1"


def layer(channels_last=False, prefix=None):
    return Layer("x", "X", 3, 4, 4, 16, channels_last, pooling=False, prefix=prefix)


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        (layer(), (2, 3, 4, 6)),
        (layer(channels_last=True), (2, 4, 6, 3)),
        (layer(channels_last=True, prefix=0), (2, 24, 3)),
        (layer(channels_last=True, prefix=2), (2, 26, 3)),
    ],
)
def test_there_and_back(kind, shape):
    tensor = torch.randn(shape, dtype=torch.float64)
    grids = to_grid(tensor, kind, (64, 96))
    assert (grids.shape, grids.dtype) == ((2, 3, 4, 6), torch.float32)
    for image in range(2):
        back = from_grid(grids[image : image + 1], kind, tensor[image : image + 1])
        torch.testing.assert_close(back, tensor[image : image + 1], rtol=0, atol=1e-6)
        assert back.dtype == tensor.dtype


def test_tokens_run_row_by_row_after_the_others():
    tokens = torch.arange(26.0)[None, :, None].expand(1, -1, 3)
    grids = to_grid(tokens, layer(channels_last=True, prefix=2), (64, 96))
    assert grids[0, 0].tolist() == [[*range(2, 8)], [*range(8, 14)], [*range(14, 20)], [*range(20, 26)]]


def test_an_oblong_input():
    """The grid is that input's own, which the patch embedding shows."""
    model = block("fused")
    images = torch.randn(1, 3, 48, 128)
    seen, _ = captured(model, images, "embed", [0])
    assert seen.activations.shape == (1, 8, 3, 8)
    (grid,) = [one for one in survey(model, 64).layers if one.path == "qkv"]
    assert (grid.rows, grid.cols, grid.prefix) == (4, 4, 0)
    tokens, _ = captured(model, images, "qkv", [0], size=64)
    expected = torch.einsum("kc,bcuv->bkuv", model.qkv.weight, seen.activations) + model.qkv.bias[:, None, None]
    torch.testing.assert_close(tokens.activations, expected.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("path", [DEFAULT, "encoder.layers.encoder_layer_0.ln_2", "encoder.dropout"])
def test_the_tail_behind_tokens(path):
    """What the layer put out gives the scores again; a changed cell changes them as in the network itself."""
    model = vit()
    seen, probe = captured(model, IMAGES, path, [0, 1, 2])
    own = probe.tail(1, [seen.activations[1]], 1)
    torch.testing.assert_close(own[0], seen.scores[1], rtol=1e-4, atol=1e-5)

    changed = seen.activations[1].clone()
    changed[:, 2, 3] = 0
    handle = model.get_submodule(path).register_forward_hook(lambda module, inputs, output: zeroed(output))
    with torch.no_grad():
        expected = model(IMAGES[1:2])
    handle.remove()
    assert (expected - seen.scores[1]).abs().max() > 1e-3
    torch.testing.assert_close(probe.tail(1, [changed], 1), expected, rtol=1e-4, atol=1e-5)


def zeroed(tokens):
    tokens = tokens.clone()
    tokens[:, 1 + 2 * 4 + 3] = 0
    return tokens
