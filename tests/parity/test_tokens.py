"""Layers of tokens against the libraries that are told how to lay them out, and LeGrad against torchcam's."""

from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cam_cli.methods import METHODS
from cam_cli.methods.legrad import LeGrad
from cam_cli.methods.method import Attention
from cam_cli.models.layers import survey
from tests.methods.asking import captured
from tests.nets import vit

from .networks import assert_agree, distance

pytorch_grad_cam = pytest.importorskip("pytorch_grad_cam")
torchcam = pytest.importorskip("torchcam.methods")

TARGETS = [2, 0, 4]
VISIBLE = 0.05  # of a map from 0 to 1
FIRST, LAST = "encoder.layers.encoder_layer_0", "encoder.layers.encoder_layer_1"
LAYERS = [
    ("vit", f"{LAST}.ln_1"),
    ("vit", f"{FIRST}.ln_2"),
    ("vit", "encoder.dropout"),
    ("swin", "features.1"),
    ("swin", "features.3.0.norm2"),
    ("swin", "norm"),
]
KINDS = [
    ("gradcam", "GradCAM"),
    ("hirescam", "HiResCAM"),
    ("gradcam_elementwise", "GradCAMElementWise"),
    ("layercam", "LayerCAM"),
]


def images() -> Tensor:
    return torch.randn(3, 3, 64, 64, generator=torch.Generator().manual_seed(3))


@cache
def network(name: str) -> nn.Module:
    """Gradients of ordinary size, so that no absolute epsilon of a peer is what is compared."""
    if name == "vit":
        model = vit()
        head = model.heads.head
    else:
        from torchvision.models import SwinTransformer

        torch.manual_seed(0)
        sizes = {"patch_size": [4, 4], "embed_dim": 24, "depths": [2, 2], "num_heads": [2, 2], "window_size": [4, 4]}
        model = SwinTransformer(**sizes, num_classes=5).eval()
        head = model.head
    with torch.no_grad():
        head.weight.mul_(100 / model(images()).std())
    return model


def laid_out(name: str):
    """What a person would write for pytorch-grad-cam."""
    if name == "swin":
        return lambda tensor: tensor.permute(0, 3, 1, 2)
    return lambda tensor: tensor[:, 1:].reshape(len(tensor), 4, 4, -1).permute(0, 3, 1, 2)


@pytest.mark.parametrize(("method", "kind"), KINDS)
@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_pytorch_grad_cam_with_a_reshape_by_hand(method, kind, name, layer):
    model = network(name)
    ours = METHODS.load(method)().map(*captured(model, images(), layer, TARGETS)).numpy()
    categories = [pytorch_grad_cam.utils.model_targets.ClassifierOutputTarget(index) for index in TARGETS]
    module = model.get_submodule(layer)
    cam = getattr(pytorch_grad_cam, kind)(model, [module], reshape_transform=laid_out(name))
    cam(images(), categories)
    held = cam.activations_and_grads
    raw = cam.get_cam_image(images(), module, categories, held.activations[0].numpy(), held.gradients[0].numpy(), False)
    held.release()
    assert_agree(ours, raw)


def by_torchcam(model: nn.Module, blocks: list[str], projection=None) -> np.ndarray:
    with torchcam.LeGrad(model, blocks, score_projection=projection) as cam:
        (maps,) = cam(TARGETS, model(images()), normalized=False)
    return maps.numpy()


def ours(model: nn.Module, blocks: slice) -> np.ndarray:
    """Our LeGrad of some of the network's blocks."""
    seen, probe = captured(model, images(), None, TARGETS)
    probe.tokens = survey(model, 64).attended
    whole = probe.attention(gradients=True)

    class Some:
        def attention(self, *, gradients: bool) -> Attention:
            return Attention(whole.matrices[blocks], whole.gradients[blocks], whole.prefix, whole.rows, whole.cols)

    return LeGrad().map(seen, Some()).numpy()


def test_legrad_of_the_last_block_is_torchcams_when_its_head_reads_as_the_network_does():
    model = network("vit")
    reads = lambda tokens: model.heads(model.encoder.ln(tokens)[:, 0])  # noqa: E731
    assert_agree(ours(model, slice(1, 2)), by_torchcam(model, [LAST], reads))


def test_where_legrad_is_not_torchcams():
    """torchcam, as the paper, gives each block a score of its own, of the mean of its tokens; we take the network's."""
    model = network("vit")
    assert distance(ours(model, slice(None)), by_torchcam(model, [FIRST, LAST]))[1] > VISIBLE
    reads = lambda tokens: model.heads(model.encoder.ln(tokens)[:, 0])  # noqa: E731
    assert distance(ours(model, slice(0, 1)), by_torchcam(model, [FIRST], reads))[1] > VISIBLE
