"""Methods that ask the network again against the libraries that have them; where one deviates, it says how, takes our
map with that one deviation, and our own is held against a transcription."""

import copy
import warnings
from functools import cache

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cam_cli.engine.probe import LayerProbe
from cam_cli.methods import scorecam
from cam_cli.methods.choice import Choice
from cam_cli.methods.method import Captured
from tests.methods.asking import captured

from . import networks
from .networks import assert_agree, distance, images

pytorch_grad_cam = pytest.importorskip("pytorch_grad_cam")
torchcam = pytest.importorskip("torchcam.methods")
captum = pytest.importorskip("captum.attr")

# Two ordinary layers each, of few channels.
LAYERS = {
    "resnet18": ("layer1", "layer2"),
    "densenet121": ("features.pool0", "features.transition1"),
    "squeezenet1_1": ("features.3", "features.4"),
}
EVERY = [(name, layer) for name in LAYERS for layer in LAYERS[name]]
RECTIFIED = [one for one in EVERY if one != ("densenet121", "features.transition1")]  # the least activation is 0


@cache
def network(name: str) -> nn.Module:
    """With scores of the order of 3: at 100 a softmax over channels leaves one of them."""
    model = copy.deepcopy(networks.network(name))
    head = model.get_submodule(networks.HEADS[name])
    with torch.no_grad():
        head.weight.mul_(0.03)
        head.bias.mul_(0.03)
    return model


def small() -> Tensor:
    """(1, 3, 64, 80)."""
    return images()[:1, :, 16:144:2, 32:192:2].clone()


@cache
def best(name: str) -> int:
    with torch.no_grad():
        return int(network(name)(small()).argmax())


@cache
def seen(name: str, layer: str | None) -> tuple[Captured, LayerProbe]:
    return captured(network(name), small(), layer, [best(name)])


def ours(method: str, name: str, layer: str | None = None) -> np.ndarray:
    """Our raw map (1, u, v). method: with its parameters, as on the command line."""
    _, chosen = Choice.parse(method).load()
    return chosen.map(*seen(name, layer)).numpy()


def by_pytorch_grad_cam(kind: str, name: str, layer: str) -> np.ndarray:
    """(1, u, v), signed."""
    model = copy.deepcopy(network(name))
    module = model.get_submodule(layer)
    categories = [pytorch_grad_cam.utils.model_targets.ClassifierOutputTarget(best(name))]
    cam = getattr(pytorch_grad_cam, kind)(model, [module])
    cam(small(), categories)
    held = cam.activations_and_grads
    gradients = held.gradients[0].numpy() if held.gradients else None
    raw = cam.get_cam_image(small(), module, categories, held.activations[0].numpy(), gradients, False)
    held.release()
    return raw


def by_torchcam(kind: str, name: str, layer: str, **options) -> np.ndarray:
    """(1, u, v), rectified."""
    with getattr(torchcam, kind)(network(name), layer, **options) as cam, torch.no_grad():
        (maps,) = cam([best(name)], network(name)(small()), normalized=False)
    return maps.numpy()


def by_captum(kind: str, name: str, *made, **options) -> np.ndarray:
    """(1, 3, h, w), signed."""
    model = copy.deepcopy(network(name))
    made = [model.get_submodule(one) if isinstance(one, str) else one for one in made]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = getattr(captum, kind)(model, *made).attribute(small(), target=best(name), **options)
    return found.detach().numpy()


# --- Score-CAM and its kin -----------------------------------------------------------------------------------------


def aligned(channel: Tensor, image: Tensor) -> Tensor:
    """A mask as pytorch-grad-cam makes it: the corners of both sizes are one."""
    mask = F.interpolate(channel[None, None], image.shape[1:], mode="bilinear", align_corners=True)[0, 0]
    return (mask - mask.min()) / (mask.max() - mask.min())


def scaled_first(channel: Tensor, image: Tensor) -> Tensor:
    """A mask as torchcam makes it: from 0 to 1 on the grid, not after."""
    mask = (channel - channel.min()) / (channel.max() - channel.min())
    return F.interpolate(mask[None, None], image.shape[1:], mode="bilinear", align_corners=False)[0, 0]


def test_the_layers_are_what_they_are_said_to_be():
    for name, layer in EVERY:
        assert (seen(name, layer)[0].activations.min() == 0) == ((name, layer) in RECTIFIED)


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_scorecam_by_the_papers_equations(name, layer):
    """With the flat channels left out as in the released code."""
    channels = [one for one in seen(name, layer)[0].activations[0] if one.max() > one.min()]
    masks = []
    for channel in channels:
        up = F.interpolate(channel[None, None], small().shape[2:], mode="bilinear", align_corners=False)[0]
        masks.append((up - up.min()) / (up.max() - up.min()))
    with torch.no_grad():
        scores = network(name)(small() * torch.stack(masks))[:, best(name)].double().numpy()
    weights = np.exp(scores) / np.exp(scores).sum()
    assert_agree(ours("scorecam", name, layer), np.einsum("c,cuv->uv", weights, torch.stack(channels).numpy())[None])


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_scorecam_by_pytorch_grad_cam_with_corners_aligned(name, layer, monkeypatch):
    """Flat channels, here 0, change the sum of its weights, and so the units, but not the map."""
    theirs = by_pytorch_grad_cam("ScoreCAM", name, layer)
    monkeypatch.setattr(scorecam, "mask_of", aligned)
    correlation, difference = distance(ours("scorecam", name, layer), theirs)
    assert correlation >= 0.9999
    assert difference <= 1e-3


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_scorecam_by_torchcam_that_scales_first(name, layer, monkeypatch):
    theirs = by_torchcam("ScoreCAM", name, layer)
    monkeypatch.setattr(scorecam, "mask_of", scaled_first)
    correlation, difference = distance(ours("scorecam", name, layer).clip(0), theirs)
    assert correlation >= 0.9999
    assert difference <= 1e-3


@pytest.mark.parametrize("name", ["resnet18", "densenet121"])
@pytest.mark.parametrize(
    ("method", "kind", "options"),
    [("iscam:steps=2", "ISCAM", {"num_samples": 2}), ("sscam:samples=1", "SSCAM", {"num_samples": 1})],
)
def test_its_kin_by_torchcam_that_scales_first(method, kind, options, name, monkeypatch):
    """Its noise, of all channels at once, is the stream that ours draws a channel at a time, where none is flat."""
    layer = LAYERS[name][0]
    torch.manual_seed(0)
    theirs = by_torchcam(kind, name, layer, **options)
    monkeypatch.setattr(scorecam, "mask_of", scaled_first)
    correlation, difference = distance(ours(method, name, layer).clip(0), theirs)
    assert correlation >= 0.9999
    assert difference <= 1e-3


# --- Ablation-CAM --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "layer"), RECTIFIED)
def test_ablationcam(name, layer):
    """pytorch-grad-cam divides by the score, here positive. Before a ReLU it puts −10⁷ for 0: see below."""
    score = seen(name, layer)[0].scores[0, best(name)].item()
    assert score > 0
    assert_agree(ours("ablationcam", name, layer) / score, by_pytorch_grad_cam("AblationCAM", name, layer))


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_ablationcam_by_a_hook_that_takes_the_channel_out(name, layer):
    model, one = copy.deepcopy(network(name)), seen(name, layer)[0]
    count = one.activations.shape[1]
    lit = 1 - torch.eye(count + 1, count)[:, :, None, None]  # all but channel k; at last all
    hook = model.get_submodule(layer).register_forward_hook(lambda module, inputs, output: output * lit)
    with torch.no_grad():
        scores = model(small().expand(count + 1, -1, -1, -1))[:, best(name)].double()
    hook.remove()
    drops = (scores[-1] - scores[:-1])[:, None, None]
    assert_agree(ours("ablationcam", name, layer), (drops * one.activations[0]).sum(0)[None].numpy())


# --- at the input --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize(("patch", "stride"), [(16, 16), (20, 12)])
def test_occlusion(name, patch, stride):
    theirs = by_captum(
        "Occlusion",
        name,
        sliding_window_shapes=(3, patch, patch),
        strides=(3, stride, stride),
        perturbations_per_eval=8,
    )
    assert_agree(ours(f"occlusion:patch={patch},stride={stride}", name), theirs[:, 0])


@pytest.mark.parametrize("name", LAYERS)
def test_input_gradient(name):
    assert_agree(ours("input_gradient", name), by_captum("Saliency", name).max(1))


@pytest.mark.parametrize("name", LAYERS)
def test_smoothgrad(name):
    """Their noise is the same stream. One sample a pass, as ours: the rounding of a larger one turns a ReLU or two."""
    torch.manual_seed(0)
    spread = (0.15 * (small().max() - small().min())).item()
    tunnel = captum.NoiseTunnel(captum.Saliency(copy.deepcopy(network(name))))
    theirs = tunnel.attribute(
        small(),
        nt_type="smoothgrad",
        nt_samples=8,
        nt_samples_batch_size=1,
        stdevs=spread,
        target=best(name),
        abs=False,
    ).detach()
    assert_agree(ours("smoothgrad:samples=8", name), theirs.abs().sum(1).numpy())


def by_guided_relus(name: str) -> np.ndarray:
    """(1, 3, h, w): guided backpropagation with a function of its own for F.relu, F.relu_ and torch.relu."""

    class Guided(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * (x > 0)

        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return gradient * (x > 0) * (gradient > 0)

    model, image = copy.deepcopy(network(name)), small().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "relu", lambda x, inplace=False: Guided.apply(x))
        score = model(image)[0, best(name)]
    return torch.autograd.grad(score, image)[0].numpy()


@pytest.mark.parametrize("name", LAYERS)
def test_guided_backprop_by_another_way_to_guide(name):
    assert_agree(ours("guided_backprop", name), np.abs(by_guided_relus(name)).max(1))


def without_functions(name: str) -> bool:
    """DenseNet's last ReLU is a function, which the peers, who change modules, pass by."""
    return name != "densenet121"


@pytest.mark.parametrize("name", LAYERS)
def test_guided_backprop(name):
    mine = ours("guided_backprop", name)
    model = copy.deepcopy(network(name))
    by_jacob = pytorch_grad_cam.GuidedBackpropReLUModel(model, torch.device("cpu"))(small(), target_category=best(name))
    for theirs in (by_captum("GuidedBackprop", name), by_jacob.transpose(2, 0, 1)[None]):
        theirs = np.abs(theirs).max(1)
        if without_functions(name):
            assert_agree(mine, theirs)
        else:
            correlation, difference = distance(mine, theirs)
            assert correlation >= 0.999
            assert difference > networks.DIFFERENCE


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_guided_gradcam(name, layer):
    theirs = np.abs(by_captum("GuidedGradCam", name, layer, interpolate_mode="bilinear")).max(1)
    mine = ours("guided_gradcam", name, layer)
    if without_functions(name):
        assert_agree(mine, theirs)
    else:
        assert distance(mine, theirs)[0] >= 0.999


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_random(name, layer, monkeypatch):
    """With the weights that ours draws, in the place of its own."""
    channels = seen(name, layer)[0].activations.shape[1]
    weights = (torch.rand(channels, generator=torch.Generator().manual_seed(0)) * 2 - 1).numpy()
    monkeypatch.setattr(np.random, "uniform", lambda low, high, size: weights.reshape(size))
    assert_agree(ours("random", name, layer), by_pytorch_grad_cam("RandomCAM", name, layer))
