"""Guided backpropagation: which ReLUs are found, and that nothing else changes."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cam_cli.capture import INPUT, guided, record
from cam_cli.errors import MethodUnsuitable
from cam_cli.methods.guided_backprop import GuidedBackprop
from cam_cli.methods.guided_gradcam import GuidedGradCam
from tests.nets import Residual, seeded
from tests.test_capture import assert_same, state

from .asking import captured

ZERO = torch.zeros(())
RELUS = {
    "module": nn.ReLU(),
    "in-place module": nn.ReLU(inplace=True),
    "relu6 module": nn.ReLU6(),
    "function": F.relu,
    "in-place function": lambda x: F.relu_(x),
    "relu6": F.relu6,
    "hardtanh": lambda x: F.hardtanh(x, 0.0, 50.0),
    "threshold": lambda x: F.threshold(x, 0.0, 0.0),
    "clamp": lambda x: x.clamp(min=0),
    "in-place clamp": lambda x: x.clamp_(min=0),
    "clamp to 6": lambda x: x.clamp(0, 6),
    "clamp_min": lambda x: torch.clamp_min(x, 0),
    "clamp at a tensor": lambda x: x.clamp(min=ZERO),
    "maximum": lambda x: torch.maximum(x, ZERO),
    "max, turned round": lambda x: torch.max(torch.zeros_like(x), x),
}
OTHERS = {
    "gelu": F.gelu,
    "silu": F.silu,
    "hardswish": F.hardswish,
    "leaky": F.leaky_relu,
    "hardtanh": F.hardtanh,
    "threshold at 1": lambda x: F.threshold(x, 1.0, 0.0),
    "clamp above": lambda x: x.clamp(max=1),
    "clamp at −1": lambda x: x.clamp(-1, 1),
    "maximum with itself": lambda x: torch.maximum(x, x.flip(1)),
    "nothing": lambda x: x,
}


class TwoLayers(nn.Module):
    """h = φ(W x) on three inputs and three hidden units, twice; one score."""

    def __init__(self, activation):
        super().__init__()
        self.activation = activation
        self.first = nn.Linear(3, 3, bias=False)
        self.second = nn.Linear(3, 3, bias=False)
        self.head = nn.Linear(3, 1, bias=False)
        self.first.weight.data.copy_(torch.tensor([[1.0, 1, 0], [-1, 1, 0], [0, 0, -1]]))
        self.second.weight.data.copy_(torch.tensor([[1.0, -2, 5], [3, 1, 5], [-1, -1, 5]]))
        self.head.weight.data.copy_(torch.tensor([[1.0, -1, 4]]))
        self.eval()

    def forward(self, x):
        x = self.activation(self.first(x.flatten(1)))
        return self.head(self.activation(self.second(x)))


IMAGE = torch.tensor([1.0, 0.5, 1]).view(1, 3, 1, 1)
# Hidden: (1.5, −0.5, −1), rectified (1.5, 0, 0); then (1.5, 4.5, −1.5), of which two pass. The head hands back
# (1, −1, 4): guided (1, 0, 0), for the second is negative and the third dead. Through the second layer (1, −2, 5), of
# which only the first unit is alive; through the first layer its row. Plain gradients: (1 − 3) times that row.
GUIDED, PLAIN = torch.tensor([1.0, 1, 0]), torch.tensor([-2.0, -2, 0])


@pytest.mark.parametrize("name", RELUS)
def test_by_hand_however_the_relu_is_written(name):
    model = TwoLayers(RELUS[name])
    seen, probe = captured(model, IMAGE, None, [0])
    before = state(model)
    torch.testing.assert_close(probe.input_gradients(IMAGE, guided=True).flatten(), GUIDED)
    torch.testing.assert_close(probe.input_gradients(IMAGE).flatten(), PLAIN)
    torch.testing.assert_close(GuidedBackprop().map(seen, probe).item(), 1.0)
    assert_same(before, state(model))


@pytest.mark.parametrize("name", OTHERS)
def test_a_network_without_relus_is_refused(name):
    model = TwoLayers(OTHERS[name])
    seen, probe = captured(model, IMAGE, None, [0])
    before = state(model)
    with pytest.raises(MethodUnsuitable, match="has none; try smoothgrad or gradcam"):
        GuidedBackprop().map(seen, probe)
    assert_same(before, state(model))


def test_every_relu_counts_once_and_the_hooks_go():
    """Residual's ReLUs: a module three times, another in the branch, two functions."""
    images = torch.randn(1, 3, 16, 16)
    recording = record(seeded(Residual()), images, [INPUT], gradients=True)
    score, everyone = lambda scores: scores[:, 1], torch.ones(1, dtype=torch.bool)
    plain = recording.gradients(score, everyone, last=False)[INPUT]
    with guided(recording.scores) as count:
        assert count == 6
        changed = recording.gradients(score, everyone, last=False)[INPUT]
    assert not torch.allclose(plain, changed)
    torch.testing.assert_close(recording.gradients(score, everyone, last=True)[INPUT], plain, rtol=0, atol=0)


def test_scores_that_depend_on_nothing_have_no_relus():
    with guided(torch.zeros(1, 4)) as count:
        assert count == 0


@pytest.mark.parametrize("name", ["convnext_tiny", "vit_b_32"])
def test_networks_of_gelu_are_refused(name):
    torchvision = pytest.importorskip("torchvision")
    kept = {"image_size": 32} if name == "vit_b_32" else {}
    model = torchvision.models.get_model(name, weights=None, num_classes=3, **kept).eval()
    for method in (GuidedBackprop(), GuidedGradCam()):
        seen, probe = captured(model, torch.zeros(1, 3, 32, 32), None, [0])
        seen = type(seen)(**{**vars(seen), "activations": torch.ones(1, 2, 4, 4), "gradients": torch.ones(1, 2, 4, 4)})
        with pytest.raises(MethodUnsuitable):
            method.map(seen, probe)


def test_it_costs_no_start_up_time():
    script = (
        "import sys, torch\nfrom cam_cli.capture import guided\nx = torch.ones(2, 3, requires_grad=True)\n"
        "y = x.relu()\nwith guided(y) as count:\n    torch.autograd.grad(y.sum(), x)\n"
        "assert count == 1\nprint('torch._dynamo' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
