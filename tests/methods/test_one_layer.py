"""Methods that need one layer's activations and gradients: maps by hand, and each formula again in loops."""

import itertools
import math

import numpy as np
import pytest
import torch

from cam_cli.methods import METHODS
from tests.nets import Residual, seeded

from .asking import NOBODY, by_hand, captured

# Two channels of four cells, and the gradients of a score.
ACTIVATIONS = torch.tensor([[[1.0, 2], [3, 4]], [[0, -1], [2, 1]]])
GRADIENTS = torch.tensor([[[1.0, 0], [0, -1]], [[2, 2], [-1, 0]]])


def mapped(name, activations, gradients=None):
    """The map (u, v) of one image."""
    gradients = gradients if gradients is None else gradients[None]
    return METHODS.load(name)().map(by_hand(activations[None], gradients), NOBODY)[0]


BY_HAND = {
    "hirescam": [[1.0, -2], [-2, -4]],
    "gradcam_elementwise": [[1.0, 0], [0, 0]],
    "layercam": [[1.0, -2], [0, 0]],
    # The second channel's activations without the −1 sum to 3: weights 1/(2 + 10) and twice 2/(2 + 6).
    "gradcam++": [[1 / 12, 2 / 12 - 1 / 2], [3 / 12 + 1, 4 / 12 + 1 / 2]],
}


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name):
    torch.testing.assert_close(mapped(name, ACTIVATIONS, GRADIENTS), torch.tensor(BY_HAND[name]))


def hirescam(a, g):
    return sum(g[k] * a[k] for k in range(len(a)))


def gradcam_elementwise(a, g):
    return sum(np.maximum(g[k] * a[k], 0) for k in range(len(a)))


def layercam(a, g):
    return sum(np.maximum(g[k], 0) * a[k] for k in range(len(a)))


def gradcam_pp(a, g):
    """Eq. 19 as printed, a cell at a time, of activations after a ReLU."""
    found = np.zeros(a.shape[1:])
    for k in range(len(a)):
        weight, mass = 0.0, np.maximum(a[k], 0).sum()
        for cell in itertools.product(*map(range, found.shape)):
            below = 2 * g[k][cell] ** 2 + mass * g[k][cell] ** 3
            alpha = g[k][cell] ** 2 / below if below else 0.0
            weight += alpha * max(g[k][cell], 0)
        found += weight * a[k]
    return found


def eigencam(a, _):
    """The eigenvector of Xᵀ X, whose sign makes its sum positive."""
    cells = a.reshape(len(a), -1).T
    vector = np.linalg.eigh(cells.T @ cells)[1][:, -1]
    return (cells @ vector * (-1 if vector.sum() < 0 else 1)).reshape(a.shape[1:])


def eigengradcam(a, g):
    product = g * a
    return eigencam(product - product.mean((1, 2), keepdims=True), None)


def fem(a, _):
    found = np.zeros(a.shape[1:])
    for channel in a:
        mean = sum(channel.flat) / channel.size
        sigma = math.sqrt(sum((value - mean) ** 2 for value in channel.flat) / channel.size)
        found += mean * (channel > mean + 2 * sigma)
    return found


AGAIN = {
    "hirescam": hirescam,
    "gradcam_elementwise": gradcam_elementwise,
    "layercam": layercam,
    "gradcam++": gradcam_pp,
    "eigencam": eigencam,
    "eigengradcam": eigengradcam,
    "fem": fem,
}


@pytest.mark.parametrize("layer", ["stem", "branch"])
@pytest.mark.parametrize("name", AGAIN)
def test_the_formula_again_in_float64(name, layer):
    """Before a ReLU and after one, where a channel may be empty."""
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    seen, probe = captured(seeded(Residual()), images, layer, [1, 1])
    for raw, a, g in zip(METHODS.load(name)().map(seen, probe), seen.activations, seen.gradients, strict=True):
        expected = AGAIN[name](a.double().numpy(), g.double().numpy())
        np.testing.assert_allclose(raw, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["gradcam++"])
def test_an_empty_channel_and_no_gradient_add_nothing(name):
    empty = torch.cat([ACTIVATIONS, torch.zeros(1, 2, 2)])
    gradients = torch.cat([GRADIENTS, torch.ones(1, 2, 2)])
    torch.testing.assert_close(mapped(name, empty, gradients), torch.tensor(BY_HAND[name]))
    assert not mapped(name, ACTIVATIONS, torch.zeros(2, 2, 2)).any()


def test_gradcam_pp_at_gradients_whose_square_underflows():
    """For small g all α are 1/2: the weights are half the sums of the positive gradients."""
    found = mapped("gradcam++", ACTIVATIONS, GRADIENTS * 1e-30)
    torch.testing.assert_close(found / 1e-30, ACTIVATIONS[0] / 2 + ACTIVATIONS[1] * 2)


# Two patterns at right angles, the first the stronger one; the second has mean 0 too.
STRONG = torch.tensor([[1.0, -1], [2, -2]])
FAINT = torch.tensor([[0.2, 0.2], [-0.1, -0.1]])


@pytest.mark.parametrize("first", [(0.6, 0.8), (-0.6, -0.8), (0.6, -0.8), (-0.6, 0.8)])
def test_eigencam_is_the_strong_pattern_with_the_sign_of_its_weights(first):
    """Channels are 5 v_k STRONG and a faint pattern at right angles to v: the map is 5 STRONG, up or down as Σ v_k."""
    across = (-first[1], first[0])
    channels = torch.stack([5 * first[k] * STRONG + across[k] * FAINT * 5 for k in range(2)])
    up = 1 if sum(first) > 0 else -1
    torch.testing.assert_close(mapped("eigencam", channels), 5 * up * STRONG)
    # With gradients of 2 and a constant a channel, which centring takes off.
    shifted = (channels + torch.tensor([7.0, -3])[:, None, None]) / 2
    torch.testing.assert_close(mapped("eigengradcam", shifted, torch.full((2, 2, 2), 2.0)), 5 * up * STRONG)


def test_eigencam_of_positive_activations_is_nowhere_negative():
    activations = torch.rand(6, 4, 5, generator=torch.Generator().manual_seed(0))
    assert (mapped("eigencam", activations) > 0).all()


@pytest.mark.parametrize("name", ["eigencam", "eigengradcam"])
def test_an_image_that_is_not_finite_spoils_no_other(name):
    good = torch.rand(1, 6, 4, 5, generator=torch.Generator().manual_seed(0))
    bad = good.clone()
    bad[0, 2, 1, 1] = torch.inf
    method = METHODS.load(name)()
    found = method.map(by_hand(torch.cat([bad, good]), torch.ones(2, 6, 4, 5)), NOBODY)
    assert found[0].isnan().all()
    torch.testing.assert_close(found[1:], method.map(by_hand(good, torch.ones(1, 6, 4, 5)), NOBODY))


def test_fem_by_hand():
    """Three channels of 4×4 cells: one strong cell (mean 1, σ √15), all alike, and −1 but for one 0 (mean −15/16)."""
    activations = torch.zeros(3, 4, 4)
    activations[0, 1, 2] = 16
    activations[1] = 5
    activations[2] = -1
    activations[2, 3, 0] = 0
    expected = torch.zeros(4, 4)
    expected[1, 2], expected[3, 0] = 1, -15 / 16
    torch.testing.assert_close(mapped("fem", activations), expected)
