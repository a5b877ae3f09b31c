"""EfficientNet-Lite against timm's: the same weights through both give the same logits and features, at any size."""

import pytest
import torch

from cam_cli.capture import record
from cam_cli.errors import WeightsUnavailable
from cam_cli.models import load

timm = pytest.importorskip("timm")

NAMES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


@pytest.fixture(scope="module", params=NAMES)
def pair(request):
    try:
        ours = load(request.param).module
    except WeightsUnavailable as error:
        pytest.skip(error.message)
    theirs = timm.create_model(f"tf_{request.param}").eval()
    theirs.load_state_dict(ours.state_dict())  # strict: names and shapes are timm's
    return ours, theirs


@pytest.mark.parametrize("size", [(224, 224), (240, 240), (260, 260), (256, 320), (33, 33), (32, 32), (225, 97)])
def test_logits_and_features_agree(pair, size):
    images = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)) * 2 - 1
    layers = ["conv_stem", "bn1", "blocks.0", "blocks.2.1.bn2", "blocks.4", "conv_head", "bn2"]
    ours, theirs = (record(module, images, layers, gradients=False) for module in pair)
    # timm's ReLU6 writes over its input, so a clone of what came before is what `record` keeps on both sides.
    torch.testing.assert_close(ours.scores, theirs.scores, atol=1e-4, rtol=0)
    for layer in layers:
        torch.testing.assert_close(ours.activations[layer], theirs.activations[layer], atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", NAMES)
def test_recipes_agree(name):
    try:
        recipe = load(name).recipe
    except WeightsUnavailable as error:
        pytest.skip(error.message)
    given = timm.get_pretrained_cfg(f"tf_{name}")
    assert (recipe.size, recipe.mean, recipe.std, recipe.interpolation) == (
        given.input_size[1],
        given.mean,
        given.std,
        given.interpolation,
    )
    assert int(recipe.size / given.crop_pct) == recipe.resize
    assert given.classifier == "classifier"
