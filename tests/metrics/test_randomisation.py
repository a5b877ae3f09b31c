"""Likeness of maps: ranks by hand, what went flat, what does not count."""

import numpy as np
import pytest

from cam_cli.metrics.correlation import mean_ranks, pearson, spearman
from cam_cli.metrics.metric import Rules
from cam_cli.metrics.randomisation import ClassCorrelation, RandomisationCorrelation

from .answering import FLAT, TRUTH, Formula, found, noise

CASCADE, CLASSES = RandomisationCorrelation(Rules()), ClassCorrelation(Rules())
RAW = np.array([[1.0, 2], [3, 4]], np.float32)
PICTURE = noise(3, 4, 4)


def test_correlations_by_hand():
    assert spearman(RAW, RAW**3) == pytest.approx(1)
    assert spearman(RAW, -RAW) == pytest.approx(-1)
    assert spearman(RAW, np.array([[2.0, 1], [3, 4]])) == pytest.approx(0.8)  # 1 − 6 · 2 / (4 · 15)
    assert pearson(RAW, 5 - 2 * RAW) == pytest.approx(-1)
    assert pearson(RAW, np.zeros((2, 2))) is None
    assert spearman(RAW, np.full((2, 2), 7.0)) is None


def test_ties_share_their_rank():
    np.testing.assert_array_equal(mean_ranks(np.array([[5.0, 1], [5, 5], [0, 9]])), [3, 1, 3, 3, 0, 5])
    a, b = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3.0]), np.array([2, 7, 1, 8, 2, 8, 1, 8, 2, 8.0])
    assert spearman(a, b) == pytest.approx(0.13471506281091267, rel=1e-12)  # scipy 1.17.1, as is the next
    assert pearson(a, b) == pytest.approx(0.10492284287735881, rel=1e-12)


def test_the_mean_over_the_cascade():
    probe = Formula(PICTURE, cascade=[RAW * 2, np.array([[2.0, 1], [3, 4]]), -RAW])
    row = CASCADE.row(found(RAW), TRUTH, probe)
    assert row["steps"] == pytest.approx([1, 0.8, -1])
    assert row["randomisation_correlation"] == pytest.approx(0.8 / 3)
    other = CASCADE.row(found(RAW), TRUTH, Formula(PICTURE, cascade=[-RAW] * 3))
    curve = CASCADE.curves([row, None, other])["randomisation_correlation"]
    np.testing.assert_allclose(curve.x, [1, 2, 3])
    np.testing.assert_allclose(curve.y, [0, -0.1, -1], atol=1e-12)
    assert CASCADE.curves([None]) == {}


@pytest.mark.parametrize("raw", FLAT.values(), ids=FLAT)
def test_flat_maps(raw):
    """The trained network's does not count; of a random network's, or another class's, nothing is left."""
    probe = Formula(PICTURE, cascade=[RAW], second=RAW)
    assert CASCADE.row(found(raw), TRUTH, probe) is None
    assert CLASSES.row(found(raw), TRUTH, probe) is None
    gone = np.resize(raw, (2, 2)).astype(np.float32)
    probe = Formula(PICTURE, cascade=[RAW, gone], second=gone)
    assert CASCADE.row(found(RAW), TRUTH, probe)["steps"] == pytest.approx([1, 0])
    assert CLASSES.row(found(RAW), TRUTH, probe) == {"class_correlation": 0}


def test_the_other_class():
    assert CLASSES.row(found(RAW), TRUTH, Formula(PICTURE, second=RAW + 1))["class_correlation"] == pytest.approx(1)
    assert CLASSES.row(found(RAW), TRUTH, Formula(PICTURE, second=-RAW))["class_correlation"] == pytest.approx(-1)
    assert CLASSES.row(found(RAW), TRUTH, Formula(PICTURE, second=None)) is None
    assert CLASSES.row(found(RAW, None), TRUTH, Formula(PICTURE, second=RAW)) is None


def test_no_layer_to_draw_anew_and_nothing_explained():
    assert CASCADE.row(found(RAW), TRUTH, Formula(PICTURE)) is None
    assert CASCADE.row(found(RAW, None), TRUTH, Formula(PICTURE, cascade=[RAW])) is None


def test_lower_is_better():
    assert not CASCADE.higher_is_better
    assert not CLASSES.higher_is_better
