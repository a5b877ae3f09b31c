"""The options that override a network's recipe, each alone and together."""

import pytest

from cam_cli.errors import UsageError
from cam_cli.images.recipe import asked, recipe_for
from cam_cli.specs import GeometrySpec
from cam_cli.types import Recipe

RECIPE = Recipe(224, 256, (0.5, 0.4, 0.3), (0.5, 0.25, 0.2), "bicubic", "weights")
GREY = Recipe(28, 28, (0.13,), (0.31,), "bilinear", "assumed")


def test_without_options_the_recipe_is_the_networks():
    for fit in ("model", "squash", "pad", "keep"):
        assert recipe_for(RECIPE, GeometrySpec(fit=fit)) is RECIPE
    assert asked(GeometrySpec()) == {}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"size": 448}, (448, 512, RECIPE.mean, RECIPE.std, "bicubic")),
        ({"size": 8}, (8, 9, RECIPE.mean, RECIPE.std, "bicubic")),
        ({"size": 448, "fit": "keep"}, (448, 448, RECIPE.mean, RECIPE.std, "bicubic")),
        ({"mean": "0"}, (224, 256, (0.0, 0.0, 0.0), RECIPE.std, "bicubic")),
        ({"std": "0.1, 2,3"}, (224, 256, RECIPE.mean, (0.1, 2.0, 3.0), "bicubic")),
        ({"interpolation": "bilinear"}, (224, 256, RECIPE.mean, RECIPE.std, "bilinear")),
        (
            {"mean": "0.485,0.456,0.406", "std": "1", "size": 112, "interpolation": "bilinear"},
            (112, 128, (0.485, 0.456, 0.406), (1.0, 1.0, 1.0), "bilinear"),
        ),
    ],
)
def test_options_take_the_place_of_the_networks(options, wanted):
    assert recipe_for(RECIPE, GeometrySpec(**options)) == Recipe(*wanted, "options")


def test_a_size_never_crops_more_than_the_resize_leaves():
    tight = Recipe(224, 100, RECIPE.mean, RECIPE.std, "bicubic", "weights")
    assert recipe_for(tight, GeometrySpec(size=300)).resize == 300


def test_what_was_asked_for_is_kept_as_it_was():
    options = {"mean": "0.5", "std": "0.1,0.2,0.3", "size": 64}
    assert asked(GeometrySpec(**options)) == {"size": 64, "mean": (0.5,), "std": (0.1, 0.2, 0.3)}


@pytest.mark.parametrize("text", ["", "a", "0.5,", "0.5;0.5", "nan", "inf", "123.675,116.28,103.53", "-0.1", "1.1"])
def test_means_that_are_none(text):
    with pytest.raises(UsageError, match=r"--mean takes numbers from 0 to 1, .* one a channel"):
        asked(GeometrySpec(mean=text))


@pytest.mark.parametrize("text", ["", "x", "0", "0.5,0,0.5", "-1", "nan", "inf"])
def test_stds_that_are_none(text):
    with pytest.raises(UsageError, match=r"--std takes numbers above 0, .* one a channel"):
        asked(GeometrySpec(std=text))


@pytest.mark.parametrize(
    ("recipe", "options", "says"),
    [
        (RECIPE, {"mean": "0.5,0.5"}, "--mean has 2 numbers, the network's input 3 channels;"),
        (RECIPE, {"std": "1,1,1,1"}, "--std has 4 numbers, the network's input 3 channels;"),
        (GREY, {"mean": "0.485,0.456,0.406"}, "--mean has 3 numbers, the network's input 1 channel;"),
    ],
)
def test_a_count_that_is_not_the_networks_says_the_networks(recipe, options, says):
    with pytest.raises(UsageError, match=says):
        recipe_for(recipe, GeometrySpec(**options))
    assert recipe_for(GREY, GeometrySpec(mean="0.2", std="0.3")) == Recipe(
        28, 28, (0.2,), (0.3,), "bilinear", "options"
    )
