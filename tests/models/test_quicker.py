"""Folded networks: the same scores and the same layers, where that is possible; else the network itself."""

import copy

import pytest
import torch
from torch import nn

from cam_cli.capture import observe, record, replica
from cam_cli.models import load
from cam_cli.models.efficientnet_lite import NormAct, SameConv2d
from cam_cli.models.network import Specimen
from cam_cli.models.quicker import OnePass, Rest, dtypes, pairs, quicker
from tests.nets import Residual, seeded

SIZE = 32


def outputs(module: nn.Module, images: torch.Tensor) -> dict[str, torch.Tensor]:
    found = {}
    observe(module, images, lambda path, part, inputs, output: found.update({path: output.clone()}))
    return found


class Plain(nn.Module):
    """conv, norm, ReLU in place, conv with a bias, norm without scale, pool, linear."""

    def __init__(self):
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8)
        self.relu = nn.ReLU(inplace=True)
        self.conv2, self.norm2 = nn.Conv2d(8, 6, 3, stride=2, groups=2), nn.BatchNorm2d(6, affine=False)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = self.relu(self.norm1(self.conv1(x)))
        return self.fc(self.norm2(self.conv2(x)).mean((2, 3)))


class ReadTwice(Plain):
    """The first convolution's output is used beside its normalisation: no hook can see that, the scores do."""

    def forward(self, x):
        kept = self.conv1(x)
        x = self.relu(self.norm1(kept))
        return self.fc(self.norm2(self.conv2(x)).mean((2, 3))) + kept.mean((2, 3))[:, :4]


class CalledTwice(Plain):
    def forward(self, x):
        once = self.norm1(self.conv1(x))
        return self.fc(self.norm2(self.conv2(once + self.norm1(self.conv1(x.flip(3))))).mean((2, 3)))


class Viewed(Plain):
    """A view that channels last do not allow."""

    def forward(self, x):
        x = self.relu(self.norm1(self.conv1(x)))
        x = self.norm2(self.conv2(x))
        return self.fc(x.view(len(x), -1).unflatten(1, (6, -1)).mean(2))


def test_scores_and_layers_stay_and_the_network_itself_too():
    model = seeded(Plain())
    before = copy.deepcopy(model.state_dict())
    specimen = Specimen.of(model, SIZE)
    assert pairs(specimen) == {"norm1": "conv1", "norm2": "conv2"}
    fast = quicker(specimen, frozenset(), fold=True)
    assert fast is not model
    assert not any(isinstance(part, nn.BatchNorm2d) for part in fast.modules())
    images = specimen.noise(3)
    mine, theirs = outputs(fast, images), outputs(model, images)
    for path in ("norm1", "relu", "norm2", "fc"):
        torch.testing.assert_close(mine[path], theirs[path], rtol=1e-4, atol=1e-5)
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key]), key


def test_a_layer_that_is_looked_at_keeps_its_output():
    model = seeded(Plain())
    specimen = Specimen.of(model, SIZE)
    fast = quicker(specimen, {"conv1"}, fold=True)
    images = specimen.noise(2)
    mine, theirs = outputs(fast, images), outputs(model, images)
    torch.testing.assert_close(mine["conv1"], theirs["conv1"])
    assert isinstance(fast.norm1, nn.BatchNorm2d)
    assert not isinstance(fast.norm2, nn.BatchNorm2d)


def test_without_folding_only_the_layout_is_another():
    fast = quicker(Specimen.of(seeded(Plain()), SIZE), frozenset(), fold=False)
    assert isinstance(fast.norm1, nn.BatchNorm2d)
    assert fast.conv1.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("net", [ReadTwice, Viewed])
def test_what_would_change_the_scores_or_not_run_is_left_alone(net):
    model = seeded(net())
    assert quicker(Specimen.of(model, SIZE), frozenset(), fold=True) is model


def test_a_convolution_that_runs_twice_is_not_folded():
    model = seeded(CalledTwice())
    assert pairs(Specimen.of(model, SIZE)) == {"norm2": "conv2"}
    assert isinstance(quicker(Specimen.of(model, SIZE), frozenset(), fold=True).norm1, nn.BatchNorm2d)


def test_a_network_that_cannot_be_copied_is_left_alone():
    model = seeded(Plain())
    model.lock = __import__("threading").Lock()
    assert quicker(Specimen.of(model, SIZE), frozenset(), fold=True) is model


def test_skip_paths_and_functional_relus():
    model = seeded(Residual())
    specimen = Specimen.of(model, SIZE)
    assert pairs(specimen) == {"norm": "stem", "last.1": "last.0"}
    fast = quicker(specimen, frozenset(), fold=True)
    images = specimen.noise(2)
    torch.testing.assert_close(fast(images), model.eval()(images), rtol=1e-4, atol=1e-5)


def test_the_default_network_folds_whole_and_keeps_the_names_of_its_layers():
    network = load("efficientnet_lite0")
    specimen = Specimen.of(network, None)
    fast = quicker(specimen, frozenset(), fold=True)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in fast.modules())
    assert [name for name, _ in fast.named_modules()] == [name for name, _ in network.module.named_modules()]
    images = specimen.noise(2)
    mine, theirs = outputs(fast, images), outputs(network.module, images)
    for path in ("bn1", "blocks.1", "blocks.4", "bn2", "classifier"):
        spread = theirs[path].abs().max()
        assert (mine[path] - theirs[path]).abs().max() <= 1e-4 * spread, path


class Activated(nn.Module):
    """Convolutions of all kinds that the default network has, each with a normalisation that holds its activation."""

    def __init__(self, act: nn.Module | None = None):
        super().__init__()
        self.stem, self.norm1 = SameConv2d(3, 8, 3, 2, bias=False), NormAct(8)
        self.wide, self.norm2 = nn.Conv2d(8, 12, 1, bias=False), NormAct(12)
        self.deep, self.norm3 = SameConv2d(12, 12, 5, 2, groups=12, bias=False), NormAct(12)
        self.thin, self.norm4 = nn.Conv2d(12, 6, 1, bias=False), NormAct(6, act=False)
        if act:
            self.norm2.act = act
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        x = self.norm2(self.wide(self.norm1(self.stem(x))))
        x = self.norm4(self.thin(self.norm3(self.deep(x))))
        return self.fc(x.mean((2, 3)))


def one_pass(module: nn.Module) -> list[str]:
    return [name for name, part in module.named_modules() if isinstance(part.__dict__.get("forward"), OnePass)]


def ops(run) -> list[str]:
    with torch.profiler.profile() as seen:
        run()
    return [event.name for event in seen.events()]


ONEDNN = pytest.mark.skipif(not dtypes(), reason="torch without oneDNN")


@ONEDNN
@pytest.mark.parametrize("size", [SIZE, SIZE + 1, 47])
@pytest.mark.parametrize("act", [None, nn.ReLU(inplace=True), nn.SiLU(), nn.Hardswish()])
def test_an_activation_goes_into_its_convolution(act, size):
    model = seeded(Activated(act))
    specimen = Specimen.of(model, size)
    fast = quicker(specimen, frozenset(), fold=True)
    assert one_pass(fast) == ["stem", "wide", "deep", "thin"]
    images = specimen.noise(3)
    mine, theirs = outputs(fast, images), outputs(model, images)
    for path in ("norm1", "norm2", "norm3", "norm4", "fc"):
        torch.testing.assert_close(mine[path], theirs[path], rtol=1e-4, atol=1e-5)
    assert "norm1.act" not in mine, "the activation has run once more"


def test_where_gradients_are_taken_the_activation_runs_by_itself():
    model = seeded(Activated())
    specimen = Specimen.of(model, SIZE)
    fast, images = quicker(specimen, {"norm2"}, fold=True), specimen.noise(2)
    found = []
    for one in (fast, model):
        recording = record(one, images, ["norm2"], gradients=True)
        wanted = torch.ones(2, dtype=torch.bool)
        found.append(recording.gradients(lambda scores: scores[:, 1], wanted, last=True)["norm2"])
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-6)
    assert found[0].any()


def test_an_activation_that_is_looked_at_still_runs():
    model = seeded(Activated())
    specimen = Specimen.of(model, SIZE)
    fast = quicker(specimen, {"norm2.act"}, fold=True)
    assert one_pass(fast) == ["stem", "deep", "thin"]
    images = specimen.noise(2)
    mine, theirs = outputs(fast, images), outputs(model, images)
    torch.testing.assert_close(mine["norm2.act"], theirs["norm2.act"], rtol=1e-4, atol=1e-5)


class Own(nn.Conv2d):
    def forward(self, input):
        return super().forward(input.clone())


@pytest.mark.parametrize(
    "change",
    [
        {"wide": Own(8, 12, 1)},
        {"wide": nn.Conv2d(8, 12, 3, padding="same")},
        {"wide": nn.Conv2d(8, 12, 3, padding=1, padding_mode="reflect")},
        {"act": nn.Softplus()},
        {"act": nn.ReLU6(), "hardtanh": True},
    ],
    ids=["own forward", "padding in words", "reflected", "an activation without a name", "a subclass"],
)
def test_what_is_not_plain_keeps_its_own_forward(change):
    model = Activated(change.get("act"))
    if "wide" in change:
        model.wide = copy.deepcopy(change["wide"])
    if "hardtanh" in change:
        model.norm2.act = type("Odd", (nn.ReLU6,), {"forward": lambda self, x: x * 2})()
    specimen = Specimen.of(seeded(model), SIZE)
    fast = quicker(specimen, frozenset(), fold=True)
    assert one_pass(fast) == ["stem", "deep", "thin"]
    images = specimen.noise(2)
    torch.testing.assert_close(fast(images), model(images), rtol=1e-4, atol=1e-5)


@ONEDNN
@torch.no_grad()
def test_in_other_arithmetic_torch_does_it():
    model = seeded(Activated())
    specimen = Specimen.of(model, SIZE)
    fast, images = quicker(specimen, frozenset(), fold=True), specimen.noise(2)
    assert "mkldnn::_convolution_pointwise" in ops(lambda: fast(images))
    with torch.autocast("cpu", torch.bfloat16):
        assert "mkldnn::_convolution_pointwise" not in ops(lambda: fast(images))
    double = copy.deepcopy(fast).double()
    torch.testing.assert_close(double(images.double()).float(), model(images), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_copy_convolves_by_its_own_weights():
    specimen = Specimen.of(seeded(Activated()), SIZE)
    fast, images = quicker(specimen, frozenset(), fold=True), specimen.noise(1)
    before = fast(images)
    other = replica(fast)
    assert other.stem.__dict__["forward"].conv is other.stem
    assert isinstance(other.norm1, Rest)
    assert other.norm1.before is other.stem.__dict__["forward"]
    half = copy.deepcopy(fast)
    half.stem.weight.mul_(0.5)
    assert not torch.equal(half(images), before)
    assert torch.equal(fast(images), before)
