"""Every method on a network whose map is known by hand (tests/nets.py, ByHand)."""

import pytest
import torch

from cam_cli.methods.cam import Cam
from cam_cli.methods.gradcam import GradCam
from cam_cli.models.head import find_head
from tests.nets import ByHand, Residual, seeded

from .asking import captured

RED = torch.tensor([[0.2, 0.8], [0.5, 0.0]])
GREEN = torch.tensor([[0.1, 0.3], [0.9, 0.4]])
BLUE = torch.tensor([[0.3, 0.0], [0.4, 0.6]])


@pytest.fixture
def image():
    """One 8×8 image of four 4×4 cells, one colour each."""
    cells = torch.stack([RED, GREEN, BLUE])[None]
    return cells.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.mark.parametrize(("target", "expected"), [(0, RED), (1, -RED + 2 * (GREEN - BLUE))])
def test_cam_is_the_weighted_sum_of_the_pooled_channels(image, target, expected):
    model = ByHand()
    seen, probe = captured(model, image, "features", [target], head=True)
    raw = Cam().map(seen, probe)
    torch.testing.assert_close(raw, expected[None])
    # S_c is the mean of M_c plus the bias.
    torch.testing.assert_close(seen.scores[0, target], raw.mean() + model.fc.bias[target])


@pytest.mark.parametrize(("target", "expected"), [(0, RED / 4), (1, (-RED + 2 * (GREEN - BLUE)) / 4)])
def test_gradcam_at_the_pooled_layer_is_cam_over_the_number_of_cells(image, target, expected):
    found = GradCam().map(*captured(ByHand(), image, "features", [target]))
    torch.testing.assert_close(found, expected[None])


def test_gradcam_by_the_papers_equations():
    model = seeded(Residual())
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    seen, probe = captured(model, images, "second", [1, 1])
    expected = torch.zeros(2, 8, 8)
    for image in range(2):
        for channel in range(6):
            alpha = seen.gradients[image, channel].sum() / 64
            expected[image] += alpha * seen.activations[image, channel]
    torch.testing.assert_close(GradCam().map(seen, probe), expected)
    assert (expected < 0).any(), "raw maps are signed"


def test_cam_with_a_functional_relu_before_the_pooling():
    model = seeded(Residual())
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    head = find_head(model, 16)
    assert (head.layer, head.rectified, head.pooling) == ("last", True, "mean")
    seen, probe = captured(model, images, "last", [3, 3], head=True)
    raw = Cam().map(seen, probe)
    torch.testing.assert_close(raw.mean((1, 2)) + model.fc.bias[3], seen.scores[:, 3])
