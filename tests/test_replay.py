"""The tail of a network, run again on other activations, against the whole network with the layer's output swapped."""

import pytest
import torch
from torch import nn

from cam_cli.capture import Tail, module_at
from cam_cli.errors import LayerUnsuitable, ModelFailed

from .nets import Blunt, Residual, seeded
from .test_capture import assert_same, state

IMAGE = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def scores(output):
    return output


def swapped(model, layer, activations):
    """The scores when the layer's last call puts out `activations`."""
    calls, seen = runs(model, layer), []

    def swap(module, inputs, output):
        seen.append(1)
        return activations.clone() if len(seen) == calls else output

    handle = module_at(model, layer).register_forward_hook(swap)
    with torch.no_grad():
        found = model(IMAGE.expand(len(activations), -1, -1, -1).clone())
    handle.remove()
    return found


def runs(model, layer):
    """How often the layer is called."""
    calls = []
    handle = module_at(model, layer).register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        model(IMAGE)
    handle.remove()
    return len(calls)


@pytest.mark.parametrize("layer", ["stem", "norm", "relu", "second", "branch", "branch.0", "last.0", "last", "dropout"])
def test_a_tail_is_the_network_with_the_layer_swapped(layer):
    """`relu` runs three times, some calls write in place, the skip path carries what comes before."""
    model = seeded(Residual())
    before = state(model)
    tail = Tail(model, IMAGE, layer, scores)
    others = torch.randn(5, *tail.activations.shape[1:], generator=torch.Generator().manual_seed(2))
    expected = swapped(model, layer, others)
    for _ in range(2):  # nothing of a first replay is left in the second
        torch.testing.assert_close(tail(others), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(tail(tail.activations), model(IMAGE), rtol=1e-5, atol=1e-5)
    assert_same(before, state(model))


class Shared(nn.Module):
    """A module that runs inside a block before the layer, by itself before the layer, and again behind it."""

    def __init__(self):
        super().__init__()
        self.activation = nn.ReLU(inplace=True)
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), self.activation, nn.Conv2d(4, 4, 3))
        self.layer = nn.Conv2d(4, 4, 3)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = self.activation(self.first(x) - 1)
        return self.fc(self.activation(self.layer(x) - x[..., 1:-1, 1:-1]).mean((2, 3)))


def test_calls_are_counted_where_a_module_runs_inside_a_block_that_answers_as_a_whole():
    model = seeded(Shared())
    others = torch.randn(3, 4, 10, 10, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(Tail(model, IMAGE, "layer", scores)(others), swapped(model, "layer", others))


def test_what_lies_before_the_layer_does_not_run_again(monkeypatch):
    model = seeded(Residual())
    tail = Tail(model, IMAGE, "last", scores)
    monkeypatch.setattr(nn.Conv2d, "_conv_forward", lambda *_: pytest.fail("a convolution ran again"))
    tail(torch.zeros(2, 8, 4, 4))


def test_a_network_that_gives_other_scores_each_time_is_refused():
    class Noisy(Blunt):
        def forward(self, x):
            return self.classifier(self.features(x) + torch.randn(1))

    with pytest.raises(LayerUnsuitable, match="run again from layer features"):
        Tail(seeded(Noisy()), IMAGE, "features", scores)


def test_the_model_is_left_as_found_when_a_replay_fails():
    model = seeded(Blunt())
    tail = Tail(model, IMAGE, "features", scores)
    before = state(model)
    with pytest.raises(ModelFailed):
        tail(torch.zeros(2, 4, 3, 3))
    assert_same(before, state(model))
