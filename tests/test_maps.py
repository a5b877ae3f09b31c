"""Heatmaps by hand, against torch's bilinear resize, and through every geometry."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from cam_cli.maps import extent, fuse, heatmap, place, rectify, window
from cam_cli.types import Geometry


def squash(width, height, side=8):
    return Geometry(width, height, side, side, (side / width, side / height), (0.0, 0.0), "squash")


def test_two_cells_over_four_pixels_by_hand():
    geometry = Geometry(4, 1, 4, 1, (1.0, 1.0), (0.0, 0.0), "squash")
    found = heatmap(np.array([[-3.0, 4.0]], np.float32), geometry)
    # Cell centres lie at pixels 1 and 3, pixel centres at .5, 1.5, 2.5, 3.5: 0, 1/4, 3/4, 1 of the way. ReLU first.
    np.testing.assert_allclose(found.heat, [[0, 0.25, 0.75, 1]], atol=1e-7)
    assert found.peak == (3, 0)
    assert found.scale == (0.0, 4.0)
    assert found.flags == ()


@pytest.mark.parametrize(("width", "height"), [(50, 30), (3, 5), (8, 8), (101, 7)])
def test_squash_is_torchs_bilinear_resize(width, height):
    raw = np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32)
    expected = F.interpolate(torch.from_numpy(raw)[None, None], (height, width), mode="bilinear", align_corners=False)
    np.testing.assert_allclose(place(raw, squash(width, height)), expected[0, 0].numpy(), atol=2e-6)


def test_a_cropped_map_lands_where_the_crop_was():
    # 300×500 resized to 256×427 and cropped to 224: the middle cell of the map is the middle of the original.
    geometry = Geometry(300, 500, 224, 224, (256 / 300, 426 / 500), (-16.0, -101.0), "model")
    raw = np.zeros((7, 7), np.float32)
    raw[3, 3] = 1
    found = heatmap(raw, geometry)
    rows, columns = window(geometry)
    assert (columns.start, columns.stop) == (19, 281)  # 16/256·300 = 18.75 … 281.25
    assert (rows.start, rows.stop) == (119, 381)  # 101/426·500 = 118.5 … 381.5, centres from 119 to 380
    outside = found.heat.copy()
    outside[rows, columns] = 0
    assert not outside.any(), "what was not seen has no evidence"
    x, y = found.peak
    assert abs(x + 0.5 - 150) <= 1
    assert abs(y + 0.5 - 250) <= 1


def test_a_padded_map_leaves_out_the_margin():
    geometry = Geometry(400, 200, 8, 8, (8 / 400, 8 / 400), (0.0, 2.0), "pad")
    raw = np.zeros((4, 4), np.float32)
    raw[0] = 9  # lies wholly in the margin above the picture
    raw[2, 1] = 1
    found = heatmap(raw, geometry)
    assert window(geometry) == (slice(0, 200), slice(0, 400))
    # At the picture's top row, a little of the margin's cell above it is left by interpolation: that is the maximum.
    assert found.scale[1] < 9
    assert found.heat.max() == 1


@pytest.mark.parametrize(
    ("raw", "flag"),
    [
        ([[0.0, 0], [0, 0]], "all_zero"),
        ([[-1.0, -2], [0, -1]], "all_negative"),
        ([[2.0, 2], [2, 2]], "constant"),
        ([[0.1, 0.1], [0.1, 0.1]], "constant"),
        ([[float("nan"), 1], [0, 1]], "not_finite"),
        ([[float("inf"), 1], [0, 1]], "not_finite"),
        ([[3.0]], "one_cell"),
    ],
)
def test_a_map_without_a_where_is_zero_and_flagged(raw, flag):
    raw = np.array(raw, np.float32)
    for scale in (None, (0.0, 1.0)):
        found = heatmap(raw, squash(13, 9), scale)
        assert found.flags == (flag,)
        assert not found.heat.any()
        assert found.heat.shape == (9, 13)
        assert found.peak is None
        assert found.scale is None


def test_a_given_range_is_linear_and_clipped():
    raw = np.array([[-1.0, 0, 1, 2, 4]], np.float32)
    geometry = Geometry(5, 1, 5, 1, (1.0, 1.0), (0.0, 0.0), "squash")
    np.testing.assert_allclose(heatmap(raw, geometry, (1.0, 3.0)).heat, [[0, 0, 0, 0.5, 1]])
    assert extent(raw, geometry) == (0.0, 4.0)
    assert extent(-abs(raw), geometry) is None


def test_a_given_range_may_be_narrower_than_float32_tells_apart():
    raw = np.array([[1.0, 1.5, 2.0]], np.float32)
    geometry = Geometry(3, 1, 3, 1, (1.0, 1.0), (0.0, 0.0), "squash")
    np.testing.assert_array_equal(heatmap(raw, geometry, (1.5 - 1e-12, 1.5 + 1e-12)).heat, [[0, 0, 1]])


@given(st.integers(0, 2**32 - 1), st.integers(-37, 37), st.integers(0, 9))
def test_of_its_own_range_nothing_lies_beyond(seed, exponent, spread):
    """Whatever float32 values and however far apart: the least is 0, the most 1, by rounding alone."""
    random = np.random.default_rng(seed)
    raw = np.minimum(np.exp(random.normal(scale=1 + spread, size=(7, 7))) * 10.0**exponent, 1e38).astype(np.float32)
    found = heatmap(raw, squash(40, 30))
    if not found.flags:
        assert (found.heat.min(), found.heat.max()) == (0, 1)


def test_fusing_scales_each_layer_and_keeps_signs():
    small, large = np.array([[-2.0, 4.0]], np.float32), np.array([[0.0, 0, 0.01, 0.02]], np.float32)
    np.testing.assert_allclose(fuse([small, large], "max"), [[0, 0, 0.625, 1]], atol=1e-6)
    np.testing.assert_allclose(fuse([small, large], "mean"), [[-0.25, -0.0625, 0.5625, 1]], atol=1e-6)
    np.testing.assert_array_equal(fuse([np.zeros((2, 2), np.float32), np.eye(2, dtype=np.float32)], "max"), np.eye(2))


def test_rectify_takes_away_what_is_negative_or_not_finite():
    np.testing.assert_array_equal(rectify(np.array([[-1, np.nan], [np.inf, 2]])), [[0, 0], [0, 2]])


sides = st.integers(1, 60)


@given(sides, sides, st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_heat_is_in_range_and_peaks_at_one(width, height, rows, columns, seed):
    raw = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    found = heatmap(raw, squash(width, height))
    assert found.heat.dtype == np.float32
    assert found.heat.shape == (height, width)
    assert 0 <= found.heat.min() <= found.heat.max() <= 1
    if not found.flags:
        x, y = found.peak
        assert found.heat[y, x] == found.heat.max() == 1


def test_a_signed_map_is_scaled_by_its_largest_magnitude_and_zero_stays_zero():
    geometry = Geometry(5, 1, 5, 1, (1.0, 1.0), (0.0, 0.0), "squash")
    raw = np.array([[-4.0, -1, 0, 2, 1]], np.float32)
    found = heatmap(raw, geometry, signed=True)
    np.testing.assert_allclose(found.heat, [[-1, -0.25, 0, 0.5, 0.25]])
    assert (found.peak, found.scale, found.flags) == ((3, 0), (-4.0, 4.0), ())
    assert extent(raw, geometry, signed=True) == (-4.0, 4.0)
    given = heatmap(raw, geometry, (0.0, 2.0), signed=True)
    np.testing.assert_allclose(given.heat, [[-1, -0.5, 0, 1, 0.5]])
    assert given.scale == (-2.0, 2.0)


def test_a_signed_map_without_a_positive_cell_has_heat_and_no_peak():
    found = heatmap(np.array([[-1.0, -2], [0, -1]], np.float32), squash(13, 9), signed=True)
    assert (found.peak, found.flags) == (None, ())
    assert found.heat.min() == -1
    assert found.heat.max() <= 0


@pytest.mark.parametrize(
    ("raw", "flag"),
    [([[0.0, 0]], "all_zero"), ([[-2.0, -2]], "constant"), ([[float("nan"), 1]], "not_finite"), ([[-3.0]], "one_cell")],
)
def test_a_signed_map_without_a_where_is_zero_and_flagged(raw, flag):
    found = heatmap(np.array(raw, np.float32), squash(13, 9), signed=True)
    assert (found.flags, found.peak, found.scale) == ((flag,), None, None)
    assert not found.heat.any()


@given(sides, sides, st.integers(1, 9), st.integers(2, 9), st.integers(0, 2**32 - 1))
def test_a_signed_map_negated_is_drawn_negated(width, height, rows, columns, seed):
    raw = np.random.default_rng(seed).normal(size=(rows, columns)).astype(np.float32)
    one, other = (heatmap(sign * raw, squash(width, height), signed=True).heat for sign in (1, -1))
    np.testing.assert_array_equal(one, -other)
    assert abs(one).max() in (0, 1)
