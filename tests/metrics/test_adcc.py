"""ADCC by hand, its zeros, and the two ways to average it."""

import numpy as np
import pytest

from cam_cli.metrics.adcc import Adcc, harmonic
from cam_cli.metrics.metric import Rules

from .answering import FLAT, TRUTH, Formula, found, image

ADCC = Adcc(Rules())
RAW = [[2.0, 1], [0, 0]]  # lets through 1, 1/2, 0, 0: complexity 3/8
ONES = image([[1.0, 1], [1, 1]])  # Y = 1, O = 3/8: drop 5/8


def row(raw=RAW, again=RAW, probability=None, picture=ONES):
    more = {} if probability is None else {"probability": probability}
    return ADCC.row(found(raw), TRUTH, Formula(picture, again=np.array(again, np.float32), **more))


def test_by_hand():
    """The same map again: coherency 1, so 3 / (1 + 8/5 + 8/3) = 45/79."""
    assert row() == pytest.approx({"adcc": 45 / 79, "coherency": 1, "complexity": 0.375, "drop": 0.625})


def test_coherency_is_the_correlation_of_heatmaps():
    """1, 1/2, 0, 0 against 1, 0, 0, 0: deviations 5, 1, −3, −3 and 3, −1, −1, −1 of eighths and quarters."""
    expected = 20 / np.sqrt(44 * 12)
    assert row(again=[[7.0, -3], [0, 0]])["coherency"] == pytest.approx((expected + 1) / 2)


@pytest.mark.parametrize("again", [*FLAT.values(), -np.array(RAW)], ids=[*FLAT, "negated"])
def test_without_heat_in_the_second_map_there_is_no_coherency(again):
    assert row(again=again) == pytest.approx({"adcc": 0, "coherency": 0, "complexity": 0.375, "drop": 0.625})


def test_opposite_maps_are_a_zero_term():
    found_there = row(raw=[[1.0, 0]], again=[[0.0, 1]], picture=image([[1.0, 1]]))
    assert (found_there["coherency"], found_there["adcc"]) == pytest.approx((0, 0))


def test_a_first_map_without_heat():
    assert row(raw=np.zeros((2, 2))) == pytest.approx({"adcc": 0, "coherency": 0, "complexity": 0, "drop": 1})


def test_all_is_lost():
    assert row(probability=lambda one: float(one.min() > 0))["adcc"] == 0, "drop 1"


def test_nothing_explained_does_not_count():
    assert ADCC.row(found(RAW, None), TRUTH, Formula(ONES)) is None


def test_the_mean_of_images_and_that_of_averages():
    rows = [row(), None, row(again=[[7.0, -3], [0, 0]]), row(probability=lambda one: float(one.min() > 0))]
    weights = np.array([[1.0, 1, 1, 1], [2, 5, 0, 1]])
    value = ADCC.reduce(rows, weights)["adcc"]
    there = [one for one in rows if one]
    each = [one["adcc"] for one in there]
    np.testing.assert_allclose(value.values, [np.mean(each), (2 * each[0] + each[2]) / 3])
    assert value.n == 3
    means = {part: np.mean([one[part] for one in there]) for part in ("coherency", "complexity", "drop")}
    whole = harmonic(means["coherency"], 1 - means["complexity"], 1 - means["drop"])
    assert value.computed_with == pytest.approx({**means, "of_averages": whole})
    assert value.computed_with["of_averages"] > value.values[0]


def test_no_rows():
    value = ADCC.reduce([None], np.ones((2, 1)))["adcc"]
    assert np.isnan(value.values).all()
    assert value.n == 0
    assert set(value.computed_with.values()) <= {None}


def test_the_harmonic_mean():
    assert harmonic(1, 1, 1) == 1
    assert harmonic(0.5, 1, 1) == pytest.approx(0.75)
    assert harmonic(0.5, 0, 1) == 0
