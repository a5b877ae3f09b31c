"""Folded networks: the same scores and the same layers, where that is possible; else the network itself."""

import copy

import pytest
import torch
from torch import nn

from cam_cli.capture import observe
from cam_cli.models import load
from cam_cli.models.network import Specimen
from cam_cli.models.quicker import pairs, quicker
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
