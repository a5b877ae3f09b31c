"""Formulas transcribed once more, on networks of ordinary size, whether a peer follows ours or none."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F

pytest.importorskip("pytorch_grad_cam")
pytest.importorskip("torchcam.methods")
pytest.importorskip("captum.attr")

from tests.methods.test_one_layer import AGAIN

from .again import Guided, noise, terms
from .networks import assert_agree
from .peers import by_pytorch_grad_cam, ours
from .places import EVERY, INPUTS, MIXED, RECTIFIED, SMALL


@pytest.mark.parametrize("place", EVERY, ids=str)
@pytest.mark.parametrize("method", ["gradcam++", "eigencam", "fem"])
def test_by_the_papers_equation(method, place):
    """By loops in float64."""
    seen, _ = place.seen
    pairs = zip(seen.activations.double().numpy(), seen.gradients.double().numpy(), strict=True)
    assert_agree(ours(method)(place), np.stack([AGAIN[method](*pair) for pair in pairs]))


@pytest.mark.parametrize("place", MIXED, ids=str)
def test_xgradcam_of_channels_of_both_signs(place):
    """By magnitudes. The peers divide by sums that cancel: theirs is the map of a few such channels."""
    seen, _ = place.seen
    a, g = seen.activations.double().numpy(), seen.gradients.double().numpy()
    weights = np.array([[np.average(g[b, k], weights=abs(a[b, k])) for k in range(a.shape[1])] for b in range(len(a))])
    assert_agree(ours("xgradcam")(place), np.einsum("bk,bkuv->buv", weights, a))
    largest = np.sort(abs((a * g).sum((2, 3)) / (a.sum((2, 3)) + 1e-7)), 1)
    assert (largest[:, -1] > 10 * np.median(largest, 1)).all()


@pytest.mark.parametrize("place", EVERY, ids=str)
def test_shapleycam_of_the_logit_is_gradcam(place):
    """pytorch-grad-cam's default: nothing curves a logit behind these layers."""
    assert_agree(ours("gradcam")(place), by_pytorch_grad_cam("ShapleyCAM")(place))


@pytest.mark.parametrize("place", RECTIFIED, ids=str)
def test_smoothgradcam_pp_of_one_sample(place):
    seen, probe = place.seen
    g, a = probe.record(seen.inputs + noise(place)).gradients.double(), seen.activations.double()
    below = 2 * g**2 + g**3 * a.sum((2, 3), keepdim=True)
    weights = (g.relu() * (g**2 / below).nan_to_num()).sum((2, 3), keepdim=True)
    assert_agree(ours("smoothgradcam++:samples=1,noise=0.1")(place), (weights * a).sum(1).numpy())


def layerwise(one, size):
    one = one.double().abs()
    one = torch.stack([(each - each.min()) / ((each.max() - each.min()) or 1) for each in one])  # biases of zero
    return F.interpolate(one, size, mode="bilinear").sum(1)


@pytest.mark.parametrize("place", INPUTS, ids=str)
def test_fullgrad(place):
    size = place.images.shape[2:]
    assert_agree(ours("fullgrad")(place), sum(layerwise(one, size) for one in terms(place)).numpy())


@pytest.mark.parametrize("place", INPUTS, ids=str)
def test_fullgrad_is_complete(place):
    seen, probe = place.seen
    everything = [terms(place)[0], *probe.bias_gradients()]
    total = sum(one.double().flatten(1).sum(1) for one in everything)
    torch.testing.assert_close(total, seen.target(seen.scores).double(), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("place", SMALL, ids=str)
def test_scorecam(place):
    """With the flat channels left out as in the released code."""
    channels = [one for one in place.seen[0].activations[0] if one.max() > one.min()]
    masks = []
    for channel in channels:
        up = F.interpolate(channel[None, None], place.images.shape[2:], mode="bilinear", align_corners=False)[0]
        masks.append((up - up.min()) / (up.max() - up.min()))
    with torch.no_grad():
        scores = place.network(place.images * torch.stack(masks))[:, place.targets[0]].double().numpy()
    weights = np.exp(scores) / np.exp(scores).sum()
    assert_agree(ours("scorecam")(place), np.einsum("c,cuv->uv", weights, torch.stack(channels).numpy())[None])


@pytest.mark.parametrize("place", SMALL, ids=str)
def test_ablationcam_by_a_hook_that_takes_the_channel_out(place):
    model, (channels,) = place.copy(), place.seen[0].activations
    lit = 1 - torch.eye(len(channels) + 1, len(channels))[:, :, None, None]  # all but channel k; at last all
    hook = model.get_submodule(place.layer).register_forward_hook(lambda module, inputs, output: output * lit)
    with torch.no_grad():
        scores = model(place.images.expand(len(lit), -1, -1, -1))[:, place.targets[0]].double()
    hook.remove()
    drops = (scores[-1] - scores[:-1])[:, None, None]
    assert_agree(ours("ablationcam")(place), (drops * channels).sum(0)[None].numpy())


@pytest.mark.parametrize("place", INPUTS, ids=str)
def test_guided_backprop_by_another_way_to_guide(place, monkeypatch):
    """A function of its own for F.relu, F.relu_ and torch.relu."""
    mine = ours("guided_backprop")(place)
    monkeypatch.setattr(F, "relu", lambda x, inplace=False: Guided.apply(x))
    image = place.images.requires_grad_()
    score = copy.deepcopy(place.network)(image)[0, place.targets[0]]
    (found,) = torch.autograd.grad(score, image)
    assert_agree(mine, found.abs().amax(1).numpy())
