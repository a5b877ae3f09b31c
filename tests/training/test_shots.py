"""How pictures are shown while a network learns: at known pixels."""

import cv2
import numpy as np
import pytest
import torch

from cam_cli.images.intensity import Intensity
from cam_cli.images.preprocess import View, read_pictures
from cam_cli.training.shots import Camera, Changes, Shot, window
from cam_cli.types import ImageItem, Recipe

RECIPE = Recipe(8, 8, (0.0,) * 3, (1.0,) * 3, "bilinear", "options", squash=True)


def camera(recipe=RECIPE, fit="squash"):
    return Camera(recipe, fit, Intensity(), 10**8)


@pytest.fixture
def item(tmp_path):
    """16 × 8 pixels: columns 0 to 15 have the red values 0, 16, 32, …; rows the green ones 0, 32, 64, …"""
    picture = np.zeros((8, 16, 3), np.uint8)
    picture[..., 2] = np.arange(16) * 16
    picture[..., 1] = np.arange(8)[:, None] * 32
    path = tmp_path / "x.png"
    cv2.imwrite(str(path), picture)
    return ImageItem("x.png", str(path), "x")


def test_a_plain_shot_is_what_the_other_commands_show(item):
    (found,) = camera().take(item, [Shot(8)])
    (picture,) = read_pictures(item, [View("", RECIPE, 1)], fit="model", intensity=Intensity(), max_pixels=10**8)
    assert torch.equal(found, picture.tensor)
    assert found.shape == (3, 8, 8)


def test_a_mirrored_shot(item):
    plain, mirrored = camera().take(item, [Shot(8), Shot(8, mirrored=True)])
    assert torch.equal(mirrored, plain.flip(2))
    assert not torch.equal(mirrored, plain)


def test_another_size(item):
    plain, larger = camera().take(item, [Shot(8), Shot(12)])
    assert larger.shape == (3, 12, 12)
    assert larger.mean((1, 2)).tolist() == pytest.approx(plain.mean((1, 2)).tolist(), abs=0.02)


def test_a_window(item):
    """The right half of the width, the lower half of the height, at one pixel a pixel."""
    recipe = Recipe(8, 8, (0.0,) * 3, (1.0,) * 3, "bilinear", "options", squash=True)
    (found,) = camera(recipe).take(item, [Shot(8, window=(0.5, 0.5, 0.5))])
    assert (found[0] * 255).round()[0].tolist() == [128, 144, 160, 176, 192, 208, 224, 240]
    assert found[1].min() * 255 >= 4 * 32 - 1


def test_the_models_own_crop_at_another_size(item):
    """Resized in proportion: 10 px for a crop of 8 becomes 20 px for 16."""
    recipe = Recipe(8, 10, (0.0,) * 3, (1.0,) * 3, "bilinear", "weights")
    small, large = camera(recipe, "model").take(item, [Shot(8), Shot(16)])
    assert large.shape == (3, 16, 16)
    assert large.mean((1, 2)).tolist() == pytest.approx(small.mean((1, 2)).tolist(), abs=0.03)


@pytest.mark.parametrize(
    ("start", "side", "found"), [(0, 1, (0, 10)), (0.5, 0.5, (5, 10)), (0.99, 0.01, (9, 10)), (0.2, 0.3, (2, 5))]
)
def test_windows_hold_a_pixel_at_least(start, side, found):
    assert window(10, start, side) == slice(*found)


def changes(**more):
    return Changes(**({"size": 320, "step": 32, "factors": (0.7, 1.4), "flip": True, "crop": 0.8, "seed": 0} | more))


def test_sizes_are_spread_over_the_range():
    found = changes().sizes(40, "views")
    assert {size % 32 for size in found} == {0}
    assert (min(found), max(found)) == (224, 448)
    assert sorted(found) != found
    assert len(set(found)) == 8
    assert sum(size < 320 for size in found) == pytest.approx(20, abs=4)


def test_no_scaling():
    assert changes().unscaled.sizes(5, "views") == [320] * 5
    assert changes(size=225, step=32, factors=(1.0, 1.0)).sizes(2, "views") == [225, 225]


def test_few_sizes_still_differ():
    """One of each half of the range."""
    for seed in range(10):
        small, large = sorted(changes(seed=seed).sizes(2, "views"))
        assert small <= 320 <= large
        assert small < large


def test_shots_of_an_image():
    found = [changes().shot(320, f"{number}.jpg", "view 1") for number in range(200)]
    assert sum(one.mirrored for one in found) == pytest.approx(100, abs=25)
    assert all(0.8 <= one.window[2] <= 1 for one in found)
    assert all(at >= 0 and at + one.window[2] <= 1 + 1e-9 for one in found for at in one.window[:2])
    assert found[3] == changes().shot(320, "3.jpg", "view 1"), "whatever else is shown"
    assert found[3] != changes().shot(320, "3.jpg", "view 2")
    assert found[3] != changes(seed=1).shot(320, "3.jpg", "view 1")


def test_neither_mirrored_nor_cut():
    found = [changes(flip=False, crop=1.0).shot(320, str(number), "") for number in range(20)]
    assert {(one.mirrored, one.window) for one in found} == {(False, (0.0, 0.0, 1.0))}
