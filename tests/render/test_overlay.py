"""Pixels."""

import numpy as np
import pytest

from cam_cli.errors import UsageError
from cam_cli.render.colormap import COLORMAPS, Palette, colours, diverging
from cam_cli.render.legend import with_legend
from cam_cli.render.overlay import heat_picture, overlay
from cam_cli.render.panel import panel, tile
from cam_cli.render.text import plain

INFERNO = Palette(colours("inferno"))
WHOLE = (slice(0, 4), slice(0, 6))


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)


def test_no_evidence_leaves_the_picture_untouched(pixels):
    np.testing.assert_array_equal(overlay(pixels, np.zeros((4, 6), np.float32), INFERNO, 0.6, WHOLE), pixels)


def test_full_heat_is_alpha_of_the_hottest_colour(pixels):
    heat = np.zeros((4, 6), np.float32)
    heat[2, 5], heat[0, 0] = 1, 0.5
    found = overlay(pixels, heat, Palette(colours("viridis")), 0.6, WHOLE).astype(float)
    expected = 0.4 * pixels[2, 5] + 0.6 * colours("viridis")[255]
    np.testing.assert_allclose(found[2, 5], expected, atol=1.01)
    half = 0.5 * 0.6 * (128 / 127.5)
    np.testing.assert_allclose(found[0, 0], (1 - half) * pixels[0, 0] + half * colours("viridis")[128], atol=1.01)
    np.testing.assert_array_equal(found[1], pixels[1])


def test_opacity_rises_with_heat():
    black, heat = np.zeros((1, 256, 3), np.uint8), np.linspace(0, 1, 256, dtype=np.float32)[None]
    drawn = overlay(black, heat, Palette(np.full((256, 3), 255, np.uint8)), 1.0, (slice(0, 1), slice(0, 256)))
    assert (np.diff(drawn[0, :, 0].astype(int)) >= 0).all()
    assert drawn[0, 0, 0] == 0
    assert drawn[0, -1, 0] == 255


def test_signed_heat_covers_in_two_colours_and_none_covers_nothing(pixels):
    heat = np.zeros((4, 6), np.float32)
    heat[0, 0], heat[0, 1], heat[1, 0], heat[1, 1] = -1, 1, -0.5, 0.5
    table, found = diverging().colours, overlay(pixels, heat, diverging(), 0.6, WHOLE)
    np.testing.assert_array_equal(found[2:], pixels[2:])
    np.testing.assert_array_equal(found[:2, 2:], pixels[:2, 2:])
    for where, level, opacity in (((0, 0), 1, 0.6), ((0, 1), 255, 0.6), ((1, 0), 64, 0.3), ((1, 1), 192, 0.3)):
        expected = (1 - opacity) * pixels[where] + opacity * table[level]
        np.testing.assert_allclose(found[where].astype(float), expected, atol=2)
    blue, red = heat_picture(np.array([[-1, 1]], np.float32), diverging(), (slice(0, 1), slice(0, 2)))[0].astype(int)
    assert blue[2] > blue[0] + 100
    assert red[0] > red[2] + 100


def test_signed_opacity_rises_both_ways_and_the_colours_have_one_middle():
    black, heat = np.zeros((1, 255, 3), np.uint8), np.linspace(-1, 1, 255, dtype=np.float32)[None]
    drawn = overlay(black, heat, Palette(np.full((256, 3), 255, np.uint8), 128), 1.0, (slice(0, 1), slice(0, 255)))
    shown = drawn[0, :, 0].astype(int)
    np.testing.assert_array_equal(shown, shown[::-1])
    assert (np.diff(shown[127:]) > 0).all()
    assert (shown[0], shown[127], shown[254]) == (255, 0, 255)
    table = diverging().colours.astype(int)
    assert table[128].tolist() == [221, 221, 221]
    assert (np.diff(table[128:, 2]) <= 0).all()
    assert (np.diff(table[1:129, 0]) >= 0).all()


def test_the_hottest_red_is_red_and_not_blue():
    red = colours("hot")[120]
    assert red[0] > red[2], "tables are RGB"
    for name in COLORMAPS:
        assert colours(name).shape == (256, 3)


def test_only_what_was_not_seen_is_hatched():
    grey = np.full((120, 200, 3), 200, np.uint8)
    seen = (slice(10, 110), slice(50, 150))
    drawn = overlay(grey, np.zeros((120, 200), np.float32), INFERNO, 0.6, seen)
    np.testing.assert_array_equal(drawn[seen], grey[seen])
    outside = np.ones((120, 200), bool)
    outside[seen] = False
    share = (drawn != grey).any(2)[outside].mean()
    assert 0.15 < share < 0.4
    bare = heat_picture(np.zeros((120, 200), np.float32), INFERNO, seen)
    assert (bare[seen] == colours("inferno")[0]).all()
    assert set(np.unique(bare[:, :40])) == {64, 96}


def test_a_legend_is_below_and_leaves_the_picture_alone():
    picture = np.random.default_rng(1).integers(0, 256, (50, 320, 3), dtype=np.uint8)
    found = with_legend(picture, colours("inferno"), "espresso  95.1%", ["0", "35.5"])
    np.testing.assert_array_equal(found[:50], picture)
    strip = found[50:]
    assert strip.shape[1:] == (320, 3)
    assert (strip == 255).all(2).mean() > 0.3
    assert (strip == colours("inferno")[255]).all(2).any()


def test_a_signed_legend_has_its_zero_in_the_middle():
    table = diverging().colours
    found = with_legend(np.zeros((5, 400, 3), np.uint8), table, "", ["-2", "0", "2"])[5:]
    blue, red, grey = ((found == table[level]).all(2).any(0).nonzero()[0] for level in (1, 255, 128))
    assert blue.max() < grey.min() <= grey.max() < red.min()
    assert abs((blue.min() + red.max()) / 2 - grey.mean()) < 12


@pytest.mark.parametrize("width", [1, 7, 30, 2000])
def test_legends_fit_any_width(width):
    picture = np.zeros((5, width, 3), np.uint8)
    assert with_legend(picture, colours("inferno"), "", ["-1.25", "0", "3e+04"]).shape[1] == width
    assert with_legend(picture, colours("inferno"), "a long class name, 99.9%", ["-1.25", "3e+04"]).shape[1] == width


def test_tiles_of_extreme_shapes_line_up():
    tiles = [
        tile(np.zeros((height, width, 3), np.uint8), "caption") for height, width in ((2000, 30), (1, 1), (40, 60))
    ]
    whole = panel([tiles, tiles[:1]])
    assert whole.dtype == np.uint8
    assert whole.shape[1] > 3 * 400


def test_text_is_drawn_in_letters_the_font_has():
    assert plain("café ñandú · 5…6 × Ω 日") == "cafe nandu · 5...6 × ? ?"


def test_an_unknown_colour_map_names_its_neighbours():
    with pytest.raises(UsageError, match="did you mean inferno"):
        colours("infrno")
