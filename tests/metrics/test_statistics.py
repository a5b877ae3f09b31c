"""Resamples, intervals and paired differences."""

import math

import numpy as np
import pytest

from cam_cli.metrics.metric import Value
from cam_cli.metrics.statistics import Difference, difference, interval, weightings

from .made import dataset, metric, rows_of


def test_each_line_draws_as_many_images_as_there_are():
    weights = weightings(30, 200, 4)
    assert (weights.shape, weights.dtype) == ((201, 30), np.float32)
    assert (weights[0] == 1).all()
    assert (weights.sum(1) == 30).all()
    assert (weights >= 0).all()
    assert (weights == weights.astype(int)).all()
    assert abs(weights[1:].mean(0) - 1).max() < 0.3, "each image as often as any other"
    assert abs((weights[1:] == 0).mean() - (1 - 1 / 30) ** 30) < 0.02


def test_the_draw_depends_on_the_seed_and_the_number_alone():
    np.testing.assert_array_equal(weightings(20, 9, 7), weightings(20, 9, 7))
    np.testing.assert_array_equal(weightings(20, 30, 7)[:10], weightings(20, 9, 7))
    assert (weightings(20, 9, 7) != weightings(20, 9, 8)).any()


def test_of_no_image_and_of_one():
    assert weightings(0, 5, 0).shape == (6, 0)
    assert (weightings(1, 5, 0) == 1).all()


def number(values, n: int = 50) -> Value:
    return Value(np.array(values, float), n, {})


def test_an_interval_is_the_middle_95_percent_of_the_resamples():
    values = [0.123, *np.linspace(0, 1, 1001)]
    assert interval(number(values)) == (pytest.approx(0.025), pytest.approx(0.975))


def test_resamples_without_a_number_are_passed_over():
    values = [0.5, *np.linspace(0, 1, 1001), *[math.nan] * 300]
    assert interval(number(values)) == (pytest.approx(0.025), pytest.approx(0.975))


@pytest.mark.parametrize(
    "none", [number([math.nan] * 5, 0), number([0.5, 0.5, 0.5], 1), number([0.5]), number([0.5, math.nan])]
)
def test_there_is_no_interval_where_nothing_can_be_said(none):
    assert interval(none) is None


def test_a_share_of_half_of_100_is_five_points_wide():
    """Its standard error is 0.05, and the interval close to ± 1.96 of it."""
    hits = np.repeat([0.0, 1.0], 50)
    weights = weightings(100, 4000, 0)
    low, high = interval(number(weights @ hits / 100, 100))
    assert (low, high) == (pytest.approx(0.402, abs=0.011), pytest.approx(0.598, abs=0.011))


def test_differences_are_of_the_same_images():
    """Two runs that differ in one image: the difference is never of another sign, however wide each one's interval."""
    hits = (np.random.default_rng(0).random(80) < 0.5).astype(float)
    better = hits.copy()
    better[np.flatnonzero(hits == 0)[:6]] = 1
    weights = weightings(80, 2000, 1)
    one, other = (number(weights @ some / 80, 80) for some in (better, hits))
    found = difference(one, other)
    assert found.value == pytest.approx(6 / 80)
    assert 0 < found.interval[0] < 6 / 80 < found.interval[1]
    low, high = interval(one)
    assert low < interval(other)[1], "apart, they overlap"
    assert high - low > found.interval[1] - found.interval[0]
    assert difference(one, one) == Difference(0.0, (0.0, 0.0))
    assert math.isnan(difference(number([math.nan] * 3), number([0.5] * 3)).value)
    assert difference(number([math.nan] * 3), number([0.5] * 3)).interval is None


def test_an_interval_of_a_metric_is_that_of_its_images():
    """Of pairs of several classes too: all pairs of an image come and go together."""
    rows = rows_of("mean_iou", dataset(40, 3))
    weights = weightings(len(rows), 300, 0)
    found = metric("mean_iou").reduce(rows, weights)["mean_iou"]
    sums, counts = np.array([(sum(row["mean_iou"]), len(row["mean_iou"])) if row else (0, 0) for row in rows]).T
    np.testing.assert_allclose(found.values, weights @ sums / (weights @ counts), rtol=1e-6)
    low, high = interval(found)
    assert low < found.values[0] < high
