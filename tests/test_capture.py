"""Gradients against plain autograd, and the model left as it was."""

import pytest
import torch
from torch import Tensor, nn

from cam_cli.capture import module_at, observe, record, undisturbed
from cam_cli.capture.model import modules_of
from cam_cli.errors import LayerUnknown, LayerUnsuitable, ModelFailed
from cam_cli.methods.method import Target

from .nets import Residual, seeded

LAYERS = [
    ["last"],
    ["last.0"],
    ["stem"],
    ["relu"],
    ["branch", "last"],
    ["last", "last.0", "last.1"],
    ["norm", "second", "branch.1", "last"],
    ["first", "relu"],
]


def by_autograd(model: nn.Module, images: Tensor, layers: list[str], targets: Tensor) -> dict[str, Tensor]:
    """The same by brute force: d score / d (what is added to the layer's output), by finite perturbation variables."""
    added: dict[str, Tensor] = {}

    def hook(name):
        def add(module, inputs, output):
            added[name] = torch.zeros_like(output, requires_grad=True)  # the last call of the module stays
            return output.clone() + added[name]

        return add

    handles = [module_at(model, name).register_forward_hook(hook(name)) for name in layers]
    score = model(images).gather(1, targets[:, None]).sum()
    found = torch.autograd.grad(score, [added[name] for name in layers])
    for handle in handles:
        handle.remove()
    return dict(zip(layers, found, strict=True))


@pytest.fixture
def images() -> Tensor:
    return torch.randn(3, 3, 16, 20, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("layers", LAYERS, ids="+".join)
def test_gradients_equal_plain_autograd(layers, images):
    model, targets = seeded(Residual()), torch.tensor([0, 3, 1])
    expected = by_autograd(model, images, layers, targets)
    recording = record(model, images, layers, gradients=True)
    found = recording.gradients(Target.of(targets), torch.ones(3, dtype=torch.bool), last=True)
    for name in layers:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-6)
        assert found[name].abs().sum() > 0
    torch.testing.assert_close(recording.scores, model(images), rtol=1e-5, atol=1e-6)


def test_activations_are_the_layers_own_outputs_before_an_in_place_neighbour(images):
    model = seeded(Residual())
    plain = model.stem(images)
    for gradients in (False, True):
        kept = record(model, images, ["stem", "norm"], gradients=gradients).activations
        torch.testing.assert_close(kept["stem"], plain)
        torch.testing.assert_close(kept["norm"], model.norm(plain))
        assert (kept["norm"] < 0).any(), "the ReLU after it works in place; the record must not have seen it"


def test_several_classes_from_one_pass_and_zeros_for_the_unwanted(images):
    model = seeded(Residual())
    recording = record(model, images, ["last"], gradients=True)
    first = recording.gradients(Target.of(torch.tensor([0, 0, 0])), torch.tensor([True, True, False]), last=False)[
        "last"
    ]
    second = recording.gradients(Target.of(torch.tensor([1, 1, 1])), torch.tensor([True, True, True]), last=True)[
        "last"
    ]
    expected = by_autograd(model, images, ["last"], torch.tensor([1, 1, 1]))["last"]
    assert not first[2].any()
    assert first[:2].any()
    torch.testing.assert_close(second, expected, rtol=1e-5, atol=1e-6)


def test_nothing_before_the_first_layer_is_differentiated(images):
    model, modes = seeded(Residual()), {}

    class Spy(nn.Module):
        def __init__(self, name):
            super().__init__()
            self.name = name

        def forward(self, x):
            modes[self.name] = torch.is_grad_enabled(), x.requires_grad
            return x

    model.stem = nn.Sequential(model.stem, Spy("stem"))
    model.branch = nn.Sequential(model.branch, Spy("branch"))
    model.last = nn.Sequential(model.last, Spy("last"))
    record(model, images, ["branch"], gradients=True)
    assert modes == {"stem": (False, False), "branch": (False, False), "last": (True, True)}


def state(model: nn.Module) -> tuple:
    return (
        [module.training for module in model.modules()],
        [parameter.requires_grad for parameter in model.parameters()],
        [parameter.grad for parameter in model.parameters()],
        [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules()],
        [getattr(module, "inplace", None) for module in model.modules()],
        ["forward" in vars(module) for module in model.modules()],
        {name: value.clone() for name, value in model.state_dict().items()},
        torch.is_grad_enabled(),
    )


def assert_same(before: tuple, after: tuple) -> None:
    assert before[:6] == after[:6]
    assert before[7] == after[7]
    for name, value in before[6].items():
        torch.testing.assert_close(after[6][name], value, rtol=0, atol=0)


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("end", ["success", "refusal", "exception"])
def test_the_model_is_left_as_found(images, gradients, end):
    model = seeded(Residual()).train()
    model.norm.eval()
    model.first.weight.requires_grad_(False)
    before = state(model)
    if end == "success":
        recording = record(model, images, ["last", "relu"], gradients=gradients)
        if gradients:
            recording.gradients(Target.of(torch.tensor([0, 1, 2])), torch.ones(3, dtype=torch.bool), last=True)
    elif end == "refusal":
        with pytest.raises(LayerUnknown, match="did you mean"):
            record(model, images, ["branch", "brunch"], gradients=gradients)
    else:
        with pytest.raises(ModelFailed, match="3×5×16×20"):
            record(model, torch.zeros(3, 5, 16, 20), ["last"], gradients=gradients)
    assert_same(before, state(model))


def test_observe_leaves_the_model_as_found_and_sees_every_call(images):
    model, calls = seeded(Residual()).train(), []
    before = state(model)
    observe(model, images, lambda name, module, inputs, output: calls.append(name))
    assert calls.count("relu") == 3
    assert calls[-1] == "fc"
    assert_same(before, state(model))


def test_frozen_parameters_and_an_outer_no_grad_do_not_matter(images):
    model, targets, wanted = seeded(Residual()), torch.tensor([0, 1, 2]), torch.ones(3, dtype=torch.bool)
    expected = record(model, images, ["last"], gradients=True).gradients(Target.of(targets), wanted, last=True)["last"]
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    with torch.no_grad():
        found = record(model, images, ["last"], gradients=True).gradients(Target.of(targets), wanted, last=True)["last"]
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_layer_that_does_not_run_is_refused(images):
    model = seeded(Residual())
    model.spare = nn.Conv2d(3, 3, 1)
    with pytest.raises(LayerUnsuitable, match="spare exists but did not run"):
        record(model, images, ["spare"], gradients=True)


def test_undisturbed_restores_after_an_exception():
    model = seeded(Residual()).train()
    inside = []

    def use():
        with undisturbed(model):
            inside.append((model.training, any(parameter.requires_grad for parameter in model.parameters())))
            raise KeyError

    with pytest.raises(KeyError):
        use()
    assert inside == [(False, False)]
    assert model.training
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_walk_finds_every_module_once():
    shared = nn.ReLU()
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 1), shared), nn.BatchNorm2d(4), shared)
    model.register_module("nothing", None)
    found = modules_of(model)
    assert len(found) == 5
    assert set(found) == set(model.modules())
