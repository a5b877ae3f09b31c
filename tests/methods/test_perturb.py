"""Methods that ask the network again: maps by hand, each formula again in loops, and what it costs."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cam_cli.errors import UsageError
from cam_cli.methods.ablationcam import AblationCam
from cam_cli.methods.centre import Centre
from cam_cli.methods.guided_gradcam import GuidedGradCam
from cam_cli.methods.input_gradient import InputGradient
from cam_cli.methods.iscam import IsCam
from cam_cli.methods.occlusion import Occlusion
from cam_cli.methods.random import Random
from cam_cli.methods.rise import Rise
from cam_cli.methods.scorecam import ScoreCam
from cam_cli.methods.smoothgrad import SmoothGrad
from cam_cli.methods.sscam import SsCam
from tests.nets import ByHand, Residual, seeded

from .asking import anew, by_hand, captured


def noise(*shape, seed=2):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Linear(nn.Module):
    """Scores that are sums over the input: channel k of the layer is a colour a cell of 4×4 pixels; fc is linear."""

    def __init__(self, weights):
        super().__init__()
        self.features = nn.AvgPool2d(4)
        self.fc = nn.Linear(weights.shape[1], len(weights), bias=False)
        self.fc.weight.data.copy_(weights)
        self.eval()

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


# --- Score-CAM and its kin -----------------------------------------------------------------------------------------


def test_scorecam_by_hand():
    """One cell of each of three channels is lit, and a fourth is flat. At the size of the grid masks are the channels;
    the score is the sum of the red of the pixels with weights 1, 2, 3 and 4."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 1, bias=False)).eval()
    model[1].weight.data.copy_(torch.tensor([[1.0, 2, 3, 4, *[0] * 8]]))
    image = torch.tensor([[0.1, 0.2], [0.3, 0.4]]).expand(1, 3, 2, 2)
    channels = torch.tensor([[[5.0, 0], [0, 0]], [[0, 0], [0, 2]], [[-1, 0], [-1, -1]], [[7, 7], [7, 7]]])[None]
    seen, probe = captured(model, image, None, [0])
    seen = by_hand(channels, inputs=image, target=seen.target, seeds=(0,))
    e = [math.exp(score) for score in (0.1, 1.6, 0.4)]  # pixel 1 alone, pixel 4 alone, pixel 2 alone
    weights = [one / sum(e) for one in e] + [0]
    expected = sum(weight * channel for weight, channel in zip(weights, channels[0], strict=True))
    torch.testing.assert_close(ScoreCam().map(seen, probe)[0], expected)


def test_of_a_layer_that_is_flat_everywhere_nothing_is_left():
    seen, probe = captured(Linear(torch.ones(1, 12)), noise(1, 3, 8, 8), None, [0])
    seen = by_hand(torch.ones(1, 5, 2, 2), inputs=seen.inputs, target=seen.target, seeds=(0,))
    for method in (ScoreCam(), SsCam(samples=1), IsCam(steps=1)):
        assert not method.map(seen, probe).any()


def test_iscam_and_sscam_of_one_turn_without_noise_are_scorecam():
    seen, probe = captured(seeded(Residual()), noise(2, 3, 16, 16), "branch", [0, 1])
    expected = ScoreCam().map(seen, probe)
    torch.testing.assert_close(IsCam(steps=1).map(seen, anew(probe)), expected)
    torch.testing.assert_close(SsCam(samples=3, sigma=0.0).map(seen, anew(probe)), expected)


def test_iscam_of_a_linear_score_is_scorecam_of_a_brighter_one():
    """Steps 1/2 and 3/2 of a linear score have the mean 1; of three, 1/3, 1 and 2 have the mean 10/9."""
    weights = noise(2, 12)
    for steps, factor in ((2, 1), (3, 10 / 9)):
        images = noise(1, 3, 8, 8)
        seen, probe = captured(Linear(weights), images, "features", [1])
        brighter, other = captured(Linear(weights * factor), images, "features", [1])
        torch.testing.assert_close(IsCam(steps=steps).map(seen, probe), ScoreCam().map(brighter, other))


def test_sscam_of_a_linear_score_comes_to_scorecam():
    """Noise has mean 0; with 400 samples the weights are near, with 1 they are not."""
    images = noise(1, 3, 8, 8)
    seen, probe = captured(Linear(noise(2, 12) / 4), images, "features", [1])
    expected = ScoreCam().map(seen, probe)
    far, near = ((SsCam(samples=n).map(seen, anew(probe)) - expected).abs().max() for n in (1, 400))
    assert near < 0.05 * expected.abs().max() < far


# --- Ablation-CAM --------------------------------------------------------------------------------------------------


def test_ablationcam_behind_a_linear_head_is_grad_cam_times_the_mass():
    """M_1 = −f_0 + 2 f_1, averaged over the cells: without a channel the score loses its weight times its mean."""
    image = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    seen, probe = captured(ByHand(), image, "features", [1])
    means = seen.activations.mean((2, 3), keepdim=True)
    weights = torch.tensor([-1.0, 2])[:, None, None]
    torch.testing.assert_close(AblationCam().map(seen, probe), (weights * means * seen.activations).sum(1))


def test_ablationcam_runs_nothing_before_the_layer_again():
    """The first convolution runs once more, to record the tail; the last one also to try it, and in one pass of 7."""
    model = seeded(Residual())
    seen, probe = captured(model, noise(1, 3, 16, 16), "branch", [1])
    ran = Counter()

    def counting(module):
        own = module.forward

        def forward(x):
            ran[module] += len(x)
            return own(x)

        module.forward = forward

    counting(model.stem)
    counting(model.last[0])
    AblationCam().map(seen, probe)
    assert ran[model.stem] == 1
    assert ran[model.last[0]] == 1 + 2 + 7
    AblationCam().map(seen, probe)
    assert ran[model.stem] == 1, "another class finds the tail recorded"


def test_ablationcam_again_by_a_network_that_lacks_the_channel():
    model = seeded(Residual())
    seen, probe = captured(model, noise(2, 3, 16, 16), "second", [1, 2])
    expected = torch.zeros(2, 8, 8)
    for k in range(6):
        hook = model.second.register_forward_hook(
            lambda module, inputs, output, k=k: output * (torch.arange(6) != k)[:, None, None]
        )
        lacking = model(seen.inputs).detach()
        hook.remove()
        drops = (seen.scores - lacking)[[0, 1], [1, 2]]
        expected += drops[:, None, None] * seen.activations[:, k]
    torch.testing.assert_close(AblationCam().map(seen, probe), expected, rtol=1e-4, atol=1e-5)


def test_an_empty_channel_is_not_run():
    seen, probe = captured(ByHand(), torch.zeros(1, 3, 8, 8), "features", [1])
    told = []
    probe.progress = lambda done, count: told.append(count)
    assert not AblationCam().map(seen, probe).any()
    assert told == [1]


# --- RISE and occlusion --------------------------------------------------------------------------------------------


class Bright(nn.Module):
    """Two classes; the probability of class 1 is the red of one pixel, from 0 to 1."""

    def __init__(self, row, column):
        super().__init__()
        self.place = (row, column)

    def forward(self, x):
        p = x[:, 0, self.place[0], self.place[1]].clamp(1e-6, 1 - 1e-6)
        return torch.stack([torch.zeros_like(p), torch.logit(p)], 1)


def test_rise_by_its_expectation():
    """S(λ) = E[p M(κ) M(λ)] / E[M] where the probability is p M(κ). Far from κ the masks are independent:
    S = p E[M] = p/2; at κ itself S = p E[M²] / E[M] = p (1/2 + 2 Var[M])."""
    image = torch.full((1, 3, 32, 32), 0.8)
    seen, probe = captured(Bright(10, 12), image, None, [1])
    method = Rise(masks=4000, cells=4)
    masks = torch.stack([*method.drawn(0, image[0])])
    (found,) = method.map(seen, probe)
    assert abs(masks.mean() - 0.5) < 0.01
    assert abs(found[26:, 26:].mean() - 0.4) < 0.02
    assert abs(found[10, 12] - 0.8 * (0.5 + 2 * masks[:, 10, 12].var())) < 0.02
    assert found.argmax() in (10 * 32 + 12, 10 * 32 + 11, 11 * 32 + 12, 9 * 32 + 12, 10 * 32 + 13)


def test_rise_again_in_one_step():
    seen, probe = captured(seeded(Residual()), noise(2, 3, 20, 16), None, [1, 2])
    method = Rise(masks=50, cells=3, keep=0.3)
    for row, found in enumerate(method.map(seen, probe)):
        masks = torch.stack([*method.drawn(row, seen.inputs[row])])
        assert masks.shape == (50, 20, 16)
        assert ((masks >= 0) & (masks <= 1 + 1e-6)).all()
        p = seeded(Residual())(seen.inputs[row] * masks[:, None]).softmax(1)[:, row + 1].detach()
        torch.testing.assert_close(found, torch.einsum("n,nhw->hw", p, masks) / 50 / 0.3)


def test_rise_takes_sigmoids_where_the_network_does():
    seen, probe = captured(seeded(Residual()), noise(1, 3, 16, 16), None, [1])
    method = Rise(masks=20)
    softmax = method.map(seen, probe)
    sigmoid = method.map(type(seen)(**{**vars(seen), "activation": "sigmoid"}), probe)
    masks = torch.stack([*method.drawn(0, seen.inputs[0])])
    p = seeded(Residual())(seen.inputs * masks[:, None]).sigmoid()[:, 1].detach()
    torch.testing.assert_close(sigmoid[0], torch.einsum("n,nhw->hw", p, masks) / 20 / 0.5)
    assert not torch.allclose(sigmoid, softmax)


def test_occlusion_of_a_linear_score_by_hand():
    """Patches of 4 pixels every 4: each loses what its own cell gives. A cell's score: Σ colours, w · mean."""
    weights = noise(2, 12)
    image = noise(1, 3, 8, 8)
    seen, probe = captured(Linear(weights), image, None, [1])
    cells = (F.avg_pool2d(image, 4)[0] * weights[1].view(3, 2, 2)).sum(0)
    expected = cells.repeat_interleave(4, 0).repeat_interleave(4, 1)
    torch.testing.assert_close(Occlusion(patch=4.0, stride=4.0).map(seen, probe)[0], expected)
    torch.testing.assert_close(Occlusion(patch=0.5, stride=0.5).map(seen, probe)[0], expected)


def test_occlusion_of_windows_that_overlap_is_their_mean():
    """Score: the sum of the reds in a row of five pixels; patches of 3 every 2 start at 0 and 2: pixel 2 is in both."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(75, 1, bias=False)).eval()
    model[1].weight.data.zero_()
    model[1].weight.data[0, :5] = 1
    image = torch.zeros(1, 3, 5, 5)
    image[0, 0, 0] = torch.tensor([1.0, 2, 3, 4, 5])
    found = Occlusion(patch=3.0, stride=2.0).map(*captured(model, image, None, [0]))[0]
    torch.testing.assert_close(found[0], torch.tensor([6.0, 6, 9, 12, 12]))
    torch.testing.assert_close(found[2], torch.tensor([3.0, 3, 4.5, 6, 6]))
    assert not found[3:].any()


def test_occlusion_does_not_skip_pixels():
    with pytest.raises(UsageError, match="stride of 5 pixels skips some between patches of 4"):
        Occlusion(patch=4.0, stride=5.0).map(*captured(Bright(0, 0), torch.zeros(1, 3, 16, 16), None, [0]))


# --- gradients at the input ----------------------------------------------------------------------------------------


def test_the_gradient_of_a_linear_score_is_its_weights():
    weights = noise(2, 12)
    cells = (weights[1].view(3, 2, 2) / 16).repeat_interleave(4, 1).repeat_interleave(4, 2)
    seen, probe = captured(Linear(weights), noise(1, 3, 8, 8), None, [1])
    torch.testing.assert_close(InputGradient().map(seen, probe)[0], cells.abs().amax(0))
    torch.testing.assert_close(SmoothGrad(samples=3).map(seen, probe)[0], cells.abs().sum(0))


class Cube(nn.Module):
    def forward(self, x):
        return (x**3).sum((1, 2, 3))[:, None]


def test_smoothgrad_of_a_cube_by_its_expectation():
    """d/dx x³ = 3 x², whose mean under noise is 3 (x² + σ²), with σ of the image's range."""
    image = torch.linspace(-1, 1, 12).view(1, 3, 2, 2)
    seen, probe = captured(Cube(), image, None, [0])
    found = SmoothGrad(samples=4000, noise=0.25).map(seen, probe)[0]
    expected = 3 * (image[0] ** 2 + 0.5**2).sum(0)
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0)
    torch.testing.assert_close(SmoothGrad(samples=1, noise=0.0).map(seen, probe)[0], 3 * (image[0] ** 2).sum(0))


def test_guided_gradcam_is_the_product():
    from cam_cli.methods.gradcam import GradCam
    from cam_cli.methods.guided_backprop import GuidedBackprop

    seen, probe = captured(seeded(Residual()), noise(2, 3, 16, 16), "second", [0, 1])
    coarse = GradCam().map(seen, probe)
    where = F.interpolate(coarse.clamp(min=0)[:, None], (16, 16), mode="bilinear", align_corners=False)[:, 0]
    found = GuidedGradCam().map(seen, probe)
    torch.testing.assert_close(found, where * GuidedBackprop().map(seen, probe))
    assert (coarse < 0).any()
    assert (found == 0).any()
    assert (found > 0).any()


# --- baselines -----------------------------------------------------------------------------------------------------


def test_random_weights_are_the_seeds_and_uniform():
    channels = torch.eye(4000)[None].view(1, 4000, 4000, 1)
    weights = Random().map(by_hand(channels, seeds=(7,)), None)[0, :, 0]
    torch.testing.assert_close(Random().map(by_hand(channels, seeds=(7,)), None)[0, :, 0], weights, rtol=0, atol=0)
    assert not torch.equal(Random().map(by_hand(channels, seeds=(8,)), None)[0, :, 0], weights)
    assert (weights.abs() <= 1).all()
    np.testing.assert_allclose(weights.sort().values, np.linspace(-1, 1, 4000), atol=0.05)


def test_centre_by_hand():
    found = Centre().map(by_hand(torch.empty(2, 0), inputs=torch.empty(2, 3, 3, 5)), None)
    assert found.shape == (2, 3, 5)
    torch.testing.assert_close(found[0, 1, 2], torch.tensor(1.0))
    torch.testing.assert_close(found[1, 1, 3], torch.tensor(math.exp(-(0.4**2) / 0.5)))
    torch.testing.assert_close(found[0, 0, 2], torch.tensor(math.exp(-((2 / 3) ** 2) / 0.5)))
    torch.testing.assert_close(found, found.flip(1).flip(2))
