"""A network run as far as a layer: what it gives, what it leaves, and what the other watchers make of it."""

import pytest
import torch
from torch import nn

from cam_cli.capture import Tail, observe, record, run_until
from cam_cli.errors import LayerUnknown, LayerUnsuitable

from .nets import Residual, seeded
from .test_capture import assert_same, state

IMAGES = torch.randn(3, 3, 16, 20, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("layer", ["stem", "norm", "second", "branch", "branch.0", "last", "dropout"])
def test_it_gives_what_the_layer_puts_out(layer):
    model = seeded(Residual())
    expected = record(model, IMAGES, [layer], gradients=False).activations[layer]
    before = state(model)
    with torch.no_grad():
        assert torch.equal(run_until(model, IMAGES, layer), expected)
    assert_same(before, state(model))


def test_a_module_that_runs_three_times():
    model, seen = seeded(Residual()), []
    handle = model.relu.register_forward_hook(lambda *args: seen.append(args[2].clone()))
    with torch.no_grad():
        model(IMAGES)
    handle.remove()
    for call in (1, 2, 3):
        with torch.no_grad():
            assert torch.equal(run_until(model, IMAGES, "relu", call), seen[call - 1])
    with pytest.raises(LayerUnsuitable, match="ran 3 times, not 4"):
        run_until(model, IMAGES, "relu", 4)


def test_nothing_after_it_runs():
    model, ran = seeded(Residual()), []
    model.fc.forward = lambda x: ran.append(1)
    run_until(model, IMAGES, "last")
    assert not ran


def test_gradients_pass_through():
    model = seeded(Residual())
    run_until(model, IMAGES, "last").sum().backward()
    assert model.stem.weight.grad.abs().sum() > 0
    assert model.fc.weight.grad is None


class Stubborn(nn.Module):
    """Catches whatever an inner part raises."""

    def __init__(self):
        super().__init__()
        self.inner, self.after, self.idle = nn.Conv2d(3, 2, 3), nn.Conv2d(2, 2, 3), nn.ReLU()
        self.pair = Pair()

    def forward(self, x):
        try:
            x = self.inner(x)
        except Exception:
            x = x[:, :2]
        self.pair(x)
        return self.after(x).mean((2, 3))


class Pair(nn.Module):
    def forward(self, x):
        return x, x


def test_a_network_that_catches_errors_is_stopped_all_the_same():
    model = Stubborn()
    assert run_until(model, IMAGES, "inner").shape == (3, 2, 14, 18)


@pytest.mark.parametrize(
    ("layer", "error", "words"),
    [
        ("inne", LayerUnknown, "no layer is called 'inne'; did you mean inner"),
        ("idle", LayerUnsuitable, "exists but did not run"),
        ("pair", LayerUnsuitable, "puts out tuple, not one tensor"),
    ],
)
def test_layers_that_give_no_tensor(layer, error, words):
    model = Stubborn()
    before = state(model)
    with pytest.raises(error, match=words):
        run_until(model, IMAGES, layer)
    assert_same(before, state(model))


def test_an_error_of_the_network_is_its_own_and_leaves_no_hook():
    model = seeded(Residual())
    before = state(model)
    with pytest.raises(RuntimeError, match="size"):
        run_until(model, torch.zeros(1, 5, 16, 16), "last")
    assert_same(before, state(model))


class Cut(nn.Module):
    """A classifier on a trunk that never finishes."""

    def __init__(self, layer="last"):
        super().__init__()
        self.trunk, self.layer, self.head = seeded(Residual()), layer, nn.Conv2d(8, 2, 1)

    def forward(self, x):
        return self.head(run_until(self.trunk, x, self.layer)).mean((2, 3))


class Around(nn.Module):
    """One inside the other, with a module after: the inner one finishes, what was broken off in it does not."""

    def __init__(self):
        super().__init__()
        self.inner, self.fc = Cut(), nn.Linear(2, 3)

    def forward(self, x):
        return self.fc(self.inner(x))


def test_what_was_broken_off_puts_out_nothing():
    finished = []
    observe(seeded(Cut()), IMAGES, lambda path, *_: finished.append(path))
    assert "trunk.last" in finished
    assert "head" in finished
    assert not {"trunk", "trunk.dropout", "trunk.fc"} & set(finished)


def test_hooks_that_were_there_first_are_heard():
    """Recording replaces the layer's output by a leaf; the run goes on with that."""
    model = seeded(Cut())
    recording = record(model, IMAGES, ["trunk.last", "head"], gradients=True)
    found = recording.gradients(lambda scores: scores[:, 0], torch.ones(3, dtype=torch.bool), last=True)
    cells = found["trunk.last"][0, 0].numel()
    expected = model.head.weight[0, :, 0, 0] / cells
    torch.testing.assert_close(found["trunk.last"][0].mean((1, 2)), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("layer", ["inner.trunk.stem", "inner.trunk.last", "inner.head", "inner"])
def test_a_tail_behind_any_layer_of_a_network_with_a_trunk(layer):
    model = seeded(Around())
    before = state(model)
    image = IMAGES[:1]
    tail = Tail(model, image, layer, lambda output: output)
    torch.testing.assert_close(tail(tail.activations), model(image), rtol=1e-5, atol=1e-6)
    changed = tail.activations * 1.5
    seen = []
    handle = model.get_submodule(layer).register_forward_hook(lambda *_: seen.append(1) or changed)
    with torch.no_grad():
        expected = model(image)
    handle.remove()
    torch.testing.assert_close(tail(changed), expected, rtol=1e-5, atol=1e-6)
    assert seen == [1]
    assert_same(before, state(model))


def test_one_run_inside_another():
    """The outer layer lies in a network that is itself run as far as a layer."""

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut, self.last = Cut(), nn.Linear(2, 2)

        def forward(self, x):
            return self.last(self.cut(x))

    model = seeded(Outer())
    with torch.no_grad():
        assert torch.equal(
            run_until(model, IMAGES, "cut.head"), model.cut.head(run_until(model.cut.trunk, IMAGES, "last"))
        )
        assert torch.equal(run_until(model, IMAGES, "cut.trunk.stem"), model.cut.trunk.stem(IMAGES))
