"""Networks of score maps: cut from any classifier, exact maps whatever pools them, and what `--layer` means on them."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from cam_cli.capture import record
from cam_cli.errors import MethodUnsuitable
from cam_cli.models.cutting import cut_at, needless
from cam_cli.models.description import Cut, HeadShape
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from cam_cli.models.network import Network
from cam_cli.models.pooling import LsePool, MaxPool, MeanPool, log_sum_exp
from cam_cli.models.torchvision import construct
from cam_cli.models.weak import Centred, MapHead, Trunk, WeakNetwork, as_grid
from cam_cli.types import Recipe
from tests.nets import Blunt, Residual, seeded, vit

SIZE = 96


def network(module, size=SIZE, channels=3):
    recipe = Recipe(size, size, (0.5,) * channels, (0.5,) * channels, "bilinear", "assumed")
    return Network("net", "test", module, recipe, Labels(("a", "b")), "none", "")


def head(pool, adapt=(6,), classes=4):
    return HeadShape(classes, adapt, 0.5, pool, 2.5)


MAPS = torch.tensor([[[[0.0, 2.0], [1.0, -3.0]], [[5.0, 5.0], [5.0, 5.0]]]])


def test_poolings_by_hand():
    assert MeanPool()(MAPS).tolist() == [[0.0, 5.0]]
    assert MaxPool()(MAPS).tolist() == [[2.0, 5.0]]
    expected = np.log(np.mean(np.exp(2 * np.array([0, 2, 1, -3])))) / 2
    assert LsePool(2.0)(MAPS)[0].tolist() == pytest.approx([expected, 5.0])


def test_log_sum_exp_lies_between_the_mean_and_the_maximum():
    cells = torch.randn(7, 50, generator=torch.Generator().manual_seed(0)) * 3
    torch.testing.assert_close(log_sum_exp(cells.double(), 1e-6), cells.double().mean(1), rtol=0, atol=1e-4)
    torch.testing.assert_close(log_sum_exp(cells, 1e4), cells.amax(1), rtol=0, atol=1e-3)
    steps = [log_sum_exp(cells, temperature) for temperature in (0.1, 0.5, 1, 4, 20)]
    assert all(bool((one < other).all()) for one, other in pairwise(steps))


def test_scores_do_not_overflow():
    assert LsePool(10.0)(torch.full((1, 1, 2, 2), 1e4)).item() == pytest.approx(1e4)


@pytest.mark.parametrize(
    ("adapt", "kinds"), [((), []), ((8,), ["Conv2d", "ReLU", "Dropout"]), ((8, 5), 2 * ["Conv2d", "ReLU", "Dropout"])]
)
def test_adaptation_layers(adapt, kinds):
    made = MapHead(12, HeadShape(3, adapt, 0.3, "max", 1.0))
    assert [type(layer).__name__ for layer in made.adapt] == kinds
    assert all(layer.p == 0.3 for layer in made.adapt if isinstance(layer, nn.Dropout))
    assert made(torch.randn(2, 12, 5, 4)).shape == (2, 3)


@pytest.mark.parametrize("adapt", [(), (6,), (6, 4)])
def test_what_centred_while_it_learnt_is_in_the_weights_after(adapt):
    torch.manual_seed(0)
    made, fresh = (MapHead(12, HeadShape(3, adapt, 0.5, "max", 1.0)).eval() for _ in range(2))
    grid = torch.rand(2, 12, 5, 4) * 6
    plain = made(grid)
    made.centre = Centred(torch.rand(12, 1, 1) * 3, torch.tensor(0.4))
    with torch.no_grad():
        expected = made(grid)
        by_hand = fresh_copy(made, fresh)((grid - made.centre.mean) / 0.4)
    torch.testing.assert_close(expected, by_hand)
    made.settle()
    assert made.state_dict().keys() == fresh.state_dict().keys()
    torch.testing.assert_close(made(grid), expected, rtol=1e-5, atol=1e-5)
    assert (made(grid) - plain).abs().min() > 0.01
    made.settle()
    torch.testing.assert_close(made(grid), expected, rtol=1e-5, atol=1e-5)


def fresh_copy(made, fresh):
    """A head without a centre, of the same weights."""
    fresh.load_state_dict({name: one for name, one in made.state_dict().items() if not name.startswith("centre")})
    return fresh


# What is cut, and what is dropped
CUTS = {
    "resnet18": ("layer4", ["avgpool", "fc"]),
    "mobilenet_v3_small": ("features", ["avgpool", "classifier"]),
    "alexnet": ("features.11", ["features.12", "avgpool", "classifier"]),
    "densenet121": ("features", ["classifier"]),
    "googlenet": ("inception5b", ["avgpool", "dropout", "fc"]),
    "convnext_tiny": ("features", ["avgpool", "classifier"]),
    "swin_t": ("permute", ["avgpool", "flatten", "head"]),
    "squeezenet1_1": ("classifier.2", ["classifier.3"]),
}


@pytest.mark.parametrize("name", CUTS)
def test_any_network_is_cut_at_its_default_layer(name):
    torch.manual_seed(0)
    module = construct(name, 5, SIZE).eval()
    images = torch.randn(2, 3, SIZE, SIZE)
    seen = survey(network(module))
    layer = seen.default
    expected = record(module, images, [layer.path], gradients=False).activations[layer.path]
    whole = sum(one.numel() for one in module.parameters())
    cut = cut_at(network(module), layer)
    assert (cut.layer, [*cut.dropped]) == CUTS[name]
    weak = WeakNetwork(module, cut, head("max")).eval()
    with torch.no_grad():
        grid = weak.features(images)
    expected = expected.movedim(3, 1) if layer.channels_last else expected
    assert torch.equal(grid, expected.relu() if cut.rectified else expected)
    assert grid.shape == (2, layer.channels, layer.rows, layer.cols)
    assert sum(one.numel() for one in weak.trunk.parameters()) <= whole


def test_what_is_not_needed_is_gone():
    """VGG's and AlexNet's fully connected layers are most of them."""
    module = construct("alexnet", 1000, 224).eval()
    cut = cut_at(network(module), survey(network(module)).default)
    weights = sum(one.numel() for one in WeakNetwork(module, cut, head("max")).state_dict().values())
    assert weights < 3e6 < 6e7


def test_a_finer_layer():
    module = construct("resnet18", 5, SIZE).eval()
    (layer,) = survey(network(module)).choose("layer3")[0]
    cut = cut_at(network(module), layer)
    assert cut.dropped == ("layer4", "avgpool", "fc")
    assert WeakNetwork(module, cut, head("avg")).features(torch.zeros(1, 3, SIZE, SIZE)).shape == (1, 256, 6, 6)


def test_densenets_relu_that_is_no_module():
    module = construct("densenet121", 5, SIZE).eval()
    assert cut_at(network(module), survey(network(module)).default).rectified


def test_a_layer_that_is_called_again_later():
    model = seeded(Residual())
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    layer = next(one for one in survey(model, 16).layers if one.path == "relu")
    cut = cut_at(network(model, 16), layer)
    assert cut.call == 3
    expected = record(model, images, ["relu"], gradients=False).activations["relu"]
    with torch.no_grad():
        assert torch.equal(Trunk(model, cut)(images), expected)


class Reader(nn.Module):
    """Reads the weight of a module that it does not call, before and after the cut."""

    def __init__(self):
        super().__init__()
        self.body, self.gate, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(1, 1), nn.Linear(4, 2)

    def forward(self, x):
        return self.fc(self.body(x * self.gate.weight[0, 0]).mean((2, 3)))


def test_modules_that_are_read_but_not_called_stay():
    model = Reader().eval()
    layer = survey(model, 16).default
    cut = cut_at(network(model, 16), layer)
    assert cut.dropped == ()
    assert isinstance(model.gate, nn.Linear)
    assert isinstance(model.fc, nn.Linear), "all of it is put back"


def test_attention_keeps_what_it_reads():
    module = construct("swin_t", 5, SIZE).eval()
    outputs = survey(network(module)).outputs
    assert "features.1.0.attn.qkv" not in outputs, "it is not called"
    cut = cut_at(network(module), survey(network(module)).default)
    assert isinstance(module.features[1][0].attn.qkv, nn.Linear)
    assert not any(path.startswith("features") for path in cut.dropped)


def test_needless_are_the_outermost_modules_that_hold_nothing_finished():
    model = nn.ModuleDict({
        "a": nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()), "b": nn.Sequential(nn.ReLU(), nn.ReLU()), "c": nn.Identity(),
    })  # fmt: skip
    assert list(needless(model, "", {"a.0"})) == ["a.1", "b"]
    assert list(needless(model, "", {"a", "a.0", "a.1"})) == ["b"]


def test_tokens_become_a_grid():
    model = vit()  # 4×4 patches of 32 channels, behind a class token
    layer = survey(network(model, 64)).default
    assert layer.prefix == 1
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    tokens = record(model, images, [layer.path], gradients=False).activations[layer.path]
    cut = cut_at(network(model, 64), layer)
    with torch.no_grad():
        grid = Trunk(model, cut)(images)
    assert grid.shape == (2, 32, 4, 4)
    assert torch.equal(grid[1, :, 1, 3], tokens[1, 1 + 4 + 3])


def test_tokens_of_an_oblong_picture():
    tokens = torch.arange(2 * 7 * 3.0).reshape(2, 7, 3)
    grid = as_grid(tokens, Cut("x", 3, prefix=1), (32, 48))
    assert grid.shape == (2, 3, 2, 3)
    assert torch.equal(grid[0, :, 1, 2], tokens[0, 6])


# Exact maps
@pytest.mark.parametrize("pool", ["avg", "max", "lse"])
@pytest.mark.parametrize("adapt", [(), (6,)])
@pytest.mark.parametrize("classes", [1, 4])
def test_the_class_map_is_the_score_map(pool, adapt, classes):
    torch.manual_seed(3)
    weak = WeakNetwork(seeded(Residual()), Cut("last", 8, dropped=()), head(pool, adapt, classes)).eval()
    found = find_head(weak, 16)
    assert (found.layer, found.channels_last, found.rectified) == ("head.scores", False, False)
    assert found.pooling == {"avg": "mean"}.get(pool, pool)
    assert found.linear is None
    if pool == "lse":
        assert found.temperature == pytest.approx(2.5, rel=1e-3)
    else:
        assert found.temperature is None
    if classes == 1:
        assert found.weights.tolist() == [[-1.0], [1.0]]
    else:
        assert found.weights is None


@pytest.mark.parametrize("temperature", [0.2, 1.0, 30.0])
def test_the_temperature_is_found_by_value(temperature):
    """Of whatever network pools so, its own module or not."""

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.body, self.maps = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 3, 1)

        def forward(self, x):
            maps = self.maps(self.body(x).relu()).flatten(2) * temperature
            return (maps.exp().mean(2)).log() / temperature

    found = find_head(Own().eval(), 16)
    assert (found.layer, found.pooling) == ("maps", "lse")
    assert found.temperature == pytest.approx(temperature, rel=1e-2)


def test_other_smooth_poolings_are_not_taken_for_log_sum_exp():
    class Norm(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.maps = nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.maps(x).relu().pow(3).mean((2, 3)).pow(1 / 3)

    with pytest.raises(MethodUnsuitable, match="camtool train"):
        find_head(Norm().eval(), 16)


@pytest.mark.parametrize("pool", ["avg", "max", "lse"])
def test_gradcam_there_is_cam(pool):
    """The gradients of a pooling over its cells add up to 1 whatever it is, so the averaged gradient of the class's own
    map is 1 over the cells, and of every other map 0."""
    torch.manual_seed(3)
    weak = WeakNetwork(seeded(Residual()), Cut("last", 8), head(pool)).eval()
    images = torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    recording = record(weak, images, ["head.scores"], gradients=True)
    found = recording.gradients(lambda scores: scores[:, 2], torch.ones(3, dtype=torch.bool), last=True)["head.scores"]
    weights = found.mean((2, 3))
    expected = torch.zeros(4)
    expected[2] = 1 / found[0, 0].numel()
    torch.testing.assert_close(weights, expected.expand(3, 4), rtol=1e-5, atol=1e-7)


def test_stages_and_blocks_are_those_of_the_classifier():
    module = construct("resnet18", 5, SIZE).eval()
    before = survey(network(module))
    blocks = [layer.path for layer in before.steps]
    cut = cut_at(network(module), before.default)
    after = survey(WeakNetwork(module, cut, head("max")).eval(), SIZE)
    assert {name: layer.path for name, layer in after.stages.items()} == {
        "layer1": "trunk.layer1", "layer2": "trunk.layer2", "layer3": "trunk.layer3", "layer4": "head.scores",
    }  # fmt: skip
    assert after.default.path == "head.scores"
    assert [layer.path for layer in after.steps] == [f"trunk.{path}" for path in blocks]


def test_a_network_that_has_no_such_head_is_told_of_training():
    with pytest.raises(MethodUnsuitable, match="`camtool train DATASET -m Blunt`, which gives this one such a head"):
        find_head(seeded(Blunt()), 16)
