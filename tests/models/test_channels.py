"""How many channels an input has, found in the network; and the recipe, bent to it."""

from dataclasses import replace

import pytest
from torch import Tensor, nn

from cam_cli import models
from cam_cli.errors import ModelFailed
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from cam_cli.models.network import Network, channels_of, suited
from cam_cli.types import Recipe
from tests.nets import ByHand, Residual, seeded

RECIPE = Recipe(32, 36, (0.3, 0.4, 0.8), (0.1, 0.2, 0.6), "bicubic", "weights")


class Stem(nn.Module):
    """Two classes; the first convolution sees `inside` channels, after `fold` was done to the picture."""

    def __init__(self, inside: int, fold: nn.Module | None = None) -> None:
        super().__init__()
        self.fold = fold or nn.Identity()
        self.features = nn.Conv2d(inside, 4, 3, stride=2, padding=1)
        self.fc = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(self.fold(x)).mean((2, 3)))


class Flat(nn.Module):
    """No convolution: patches of 4 x 4, laid flat."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.head = nn.Linear(5, 2)  # defined first, runs last
        self.patch = nn.Linear(channels * 16, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.patch(nn.functional.unfold(x, 4, stride=4).mT).mean(1))


def network(module: nn.Module, recipe: Recipe = RECIPE) -> Network:
    return Network("mine", "test", module.eval(), recipe, Labels(("a", "b"), None), "here", "0" * 64, ("said before",))


@pytest.mark.parametrize(
    ("module", "channels"),
    [
        (ByHand(), 3),
        (seeded(Residual()), 3),
        (Stem(1), 1),
        (Stem(4), 4),
        (Stem(12), 12),
        (Stem(12, nn.PixelUnshuffle(2)), 3),
        (Stem(16, nn.PixelUnshuffle(4)), 1),
        (Flat(3), 3),
        (Flat(1), 1),
        (nn.Flatten(), 3),
    ],
    ids=["RGB", "deep", "grey", "RGBA", "12 bands", "RGB folded", "grey folded", "RGB flat", "grey flat", "no layer"],
)
def test_channels(module, channels):
    assert channels_of(module, 32) == channels


@pytest.mark.parametrize("stem", [Stem(4), Stem(12), Stem(2)])
def test_other_inputs_are_refused_with_their_number(stem):
    with pytest.raises(ModelFailed, match=rf"mine takes pictures of {stem.features.in_channels} channels"):
        suited(network(stem))


def test_the_recipe_of_a_grey_network_is_the_average_and_said_to_be():
    found = suited(network(Stem(1)))
    assert found.recipe.mean == pytest.approx((0.5,))
    assert found.recipe.std == pytest.approx((0.3,))
    assert replace(found.recipe, mean=RECIPE.mean, std=RECIPE.std) == RECIPE
    said, note = found.notes
    assert (said, "grey" in note, "mean 0.5 and std 0.3" in note) == ("said before", True, True)
    assert len(note.splitlines()) == 1


def test_a_recipe_that_fits_is_left_alone():
    for given in (network(Stem(3)), network(Stem(1), replace(RECIPE, mean=(0.1,), std=(0.2,)))):
        assert suited(given) is given
    spread = suited(network(Stem(3), replace(RECIPE, mean=(0.1,), std=(0.2,))))
    assert (spread.recipe.mean, spread.recipe.std, spread.notes) == ((0.1,) * 3, (0.2,) * 3, ("said before",))


@pytest.mark.parametrize(("channels", "means"), [(1, 1), (3, 3)])
def test_a_persons_own_network_goes_through_it(channels, means, tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        "from torch import nn\ndef make():\n"
        f"    stem = nn.Conv2d({channels}, 4, 3, 2)\n"
        "    return nn.Sequential(stem, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))\n"
    )
    assert len(models.load(f"{file}:make").recipe.mean) == means


def test_a_look_inside_a_grey_network_needs_no_colour():
    for given in (suited(network(Stem(1))), Stem(1).eval()):
        assert survey(given, 32).outputs["features"] == (1, 4, 16, 16)
        assert find_head(given, 32).layer == "features"
        assert survey(given, 32).specimen.noise(2).shape == (2, 1, 32, 32)
