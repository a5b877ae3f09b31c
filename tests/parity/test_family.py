"""Every pair of `peers.COMPARISONS`, and of the gradient family what peers do otherwise than the paper."""

from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

pytorch_grad_cam = pytest.importorskip("pytorch_grad_cam")
torchcam = pytest.importorskip("torchcam.methods")

from cam_cli.maps import heatmap  # noqa: E402
from cam_cli.methods.fullgrad import FullGrad  # noqa: E402
from tests.methods.asking import captured  # noqa: E402

from .networks import LAYERS, assert_agree, distance, images, network, targets  # noqa: E402
from .peers import (  # noqa: E402
    COMPARISONS,
    EVERY,
    NETWORKS,
    RECTIFIED,
    by_pytorch_grad_cam,
    ours,
    seen,
)
from .test_gradcam import WHOLE  # noqa: E402

VISIBLE = 0.05  # of a map from 0 to 1
PAIRS = [(one, *place) for one in COMPARISONS for place in one.where]


@pytest.mark.parametrize(
    ("comparison", "name", "layer"),
    PAIRS,
    ids=[f"{one.method}-{one.peer}-{name}-{layer}" for one, name, layer in PAIRS],
)
def test_the_same_formula(comparison, name, layer):
    mine, theirs = comparison.ours(name, layer), comparison.theirs(name, layer)
    if not comparison.damped:
        assert_agree(mine, theirs)
    correlation, difference = distance(mine, theirs)
    assert correlation >= 0.999
    assert difference <= 5e-3


MIXED = [place for place in EVERY if place not in RECTIFIED]


@pytest.mark.parametrize(("name", "layer"), MIXED)
def test_xgradcam_of_channels_of_both_signs(name, layer):
    """The peers divide by sums that cancel: theirs is the map of a few such channels. Ours, by magnitudes, again."""
    one, _ = seen(name, layer)
    a, g = one.activations.double().numpy(), one.gradients.double().numpy()
    mine, theirs = ours("xgradcam")(name, layer), by_pytorch_grad_cam("XGradCAM")(name, layer)
    weights = np.array([[np.average(g[b, k], weights=abs(a[b, k])) for k in range(a.shape[1])] for b in range(len(a))])
    assert_agree(mine, np.einsum("bk,bkuv->buv", weights, a))
    assert distance(mine, theirs)[1] > VISIBLE
    literal = (a * g).sum((2, 3)) / (a.sum((2, 3)) + 1e-7)
    largest = np.sort(abs(literal), 1)
    assert (largest[:, -1] > 10 * np.median(largest, 1)).all()
    assert distance(np.einsum("bk,bkuv->buv", literal, a), theirs)[0] > 0.99


@pytest.mark.parametrize(("name", "layer"), EVERY)
def test_shapleycam_of_the_logit_is_gradcam(name, layer):
    """pytorch-grad-cam's default: nothing curves a logit behind these layers."""
    theirs = by_pytorch_grad_cam("ShapleyCAM")(name, layer)
    assert_agree(ours("gradcam")(name, layer), theirs)


@pytest.mark.parametrize(("name", "layer"), RECTIFIED)
def test_smoothgradcam_pp_of_one_sample(name, layer):
    """On the noise that ours draws. torchcam has Σ A g³ for g³ Σ A below α, whose terms cancel, and sums the noisy
    image's activations: of our formula's parts, so put together, its map."""
    one, probe = seen(name, layer)
    drawn = [torch.randn(one.inputs.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in one.seeds]
    ranges = one.inputs.amax((1, 2, 3), keepdim=True) - one.inputs.amin((1, 2, 3), keepdim=True)
    noise = 0.1 * ranges * torch.stack(drawn)
    with torchcam.SmoothGradCAMpp(network(name), layer, num_samples=1) as cam:
        cam._distrib = SimpleNamespace(sample=lambda size: noise)
        network(name)(images())
        (theirs,) = cam(targets(name), normalized=False)
    noisy = probe.record(one.inputs + noise)
    g, a = noisy.gradients.double(), one.activations.double()
    weighted = lambda below: (g.relu() * (g**2 / below).nan_to_num()).sum((2, 3), keepdim=True)  # noqa: E731
    weights = weighted(2 * g**2 + g**3 * a.sum((2, 3), keepdim=True))
    assert_agree(ours("smoothgradcam++", samples=1, noise=0.1)(name, layer), (weights * a).sum(1).numpy())
    weights = weighted(2 * g**2 + (a * g**3).sum((2, 3), keepdim=True) + 1e-8)
    again = (weights * noisy.activations).sum(1).clamp(min=0).numpy()
    correlation, difference = distance(again, theirs.detach().numpy())
    assert correlation >= 0.999
    assert difference <= 5e-3


@pytest.mark.parametrize("name", ["resnet18"])
def test_finercam_against_the_weighted_differences_of_pytorch_grad_cam(name):
    """Theirs weights the references by probabilities and differentiates those as well."""
    layer = LAYERS[name][-1]
    with pytorch_grad_cam.FinerCAM(network(name), [network(name).get_submodule(layer)]) as cam:
        score = pytorch_grad_cam.utils.model_targets.FinerWeightedTarget
        with torch.no_grad():
            rankings = [(row - row[own]).abs().argsort().tolist() for row, own in scores(name)]
        theirs = cam(images(), [score(own, rest[:3], 1.0) for own, *rest in rankings])
    heats = np.stack([heatmap(one, WHOLE).heat for one in ours("finercam", gamma=1.0)(name, layer)])
    assert distance(heats, theirs)[1] > VISIBLE


def scores(name):
    return zip(network(name)(images()), targets(name), strict=True)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1"])
def test_refinecam_at_the_inputs_size_is_pytorch_grad_cams(name):
    """Which enlarges each Grad-CAM++ map before it multiplies; its 1e-6 moves those a little."""
    with torch.no_grad():
        categories = [pytorch_grad_cam.utils.model_targets.ClassifierOutputTarget(index) for index in targets(name)]
    modules = [network(name).get_submodule(layer) for layer in LAYERS[name]]
    theirs = pytorch_grad_cam.RefineCAM(network(name), modules)(images(), categories)
    heats = [np.stack([heatmap(one, WHOLE).heat for one in ours("gradcam++")(name, layer)]) for layer in LAYERS[name]]
    correlation, difference = distance(np.prod(heats, 0), theirs)
    assert correlation >= 0.999
    assert difference <= 5e-3


@cache
def terms(name):
    """Input times its gradients, and of each layer with a grid its biases times theirs: (3, c, u, v)."""
    given, probe = captured(network(name), images(), None, targets(name))
    grids = [one for one in probe.bias_gradients() if one.ndim == 4]
    return [given.inputs * probe.input_gradients(given.inputs), *grids]


def channelwise(one):
    one = one.abs() - one.abs().amin((2, 3), keepdim=True)
    one = one / (one.amax((2, 3), keepdim=True) + 1e-7)
    return F.interpolate(one, (160, 224), mode="bilinear").sum(1)


def layerwise(one):
    one = one.double().abs()
    one = torch.stack([(each - each.min()) / ((each.max() - each.min()) or 1) for each in one])  # biases of zero
    return F.interpolate(one, (160, 224), mode="bilinear").sum(1)


@pytest.mark.parametrize("name", NETWORKS)
def test_fullgrad(name):
    """pytorch-grad-cam's min–max is each channel's own: of the same terms, that is theirs. Ours is a layer's."""
    categories = [pytorch_grad_cam.utils.model_targets.ClassifierOutputTarget(index) for index in targets(name)]
    theirs = pytorch_grad_cam.FullGrad(network(name), [])(images(), categories)
    assert distance(sum(map(channelwise, terms(name))).numpy(), theirs)[0] >= 0.999
    mine = FullGrad().map(*captured(network(name), images(), None, targets(name))).numpy()
    assert_agree(mine, sum(map(layerwise, terms(name))).numpy())
    assert distance(mine, theirs)[1] > VISIBLE


@pytest.mark.parametrize("name", NETWORKS)
def test_fullgrad_is_complete(name):
    given, probe = captured(network(name), images(), None, targets(name))
    everything = [terms(name)[0], *probe.bias_gradients()]
    total = sum(one.double().flatten(1).sum(1) for one in everything)
    torch.testing.assert_close(total, given.target(given.scores).double(), rtol=1e-4, atol=1e-3)
