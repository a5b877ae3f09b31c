"""Every metric that asks the network: rows are plain, means are re-weighted, parts join; and where pixels rank."""

import json

import numpy as np
import pytest

from cam_cli.metrics import METRICS
from cam_cli.metrics.metric import Needs, Rules, mean_of
from cam_cli.metrics.relevance import flat, mask, ranked, ranks

from .answering import FLAT, TRUTH, Formula, found, noise

ASKING = (
    "insertion_auc", "deletion_auc", "average_drop", "increase_in_confidence", "adcc", "road_combined",
    "randomisation_correlation", "class_correlation",
)  # fmt: skip


def bright(one):
    return one.sigmoid().mean().item()


def rows(metric, count):
    """Of images of noise, the third without a class explained."""
    maps = [noise(4, 4, 4, seed=seed).numpy() for seed in range(count)]
    return [
        metric.row(
            found(one[0], None if seed == 2 else "cat"),
            TRUTH,
            Formula(noise(3, 8, 8, seed=seed), bright, again=one[1], second=one[2], cascade=one[2:], seed=seed),
        )
        for seed, one in enumerate(maps)
    ]


@pytest.mark.parametrize("name", ASKING)
def test_rows_are_plain_and_reduce_by_weights(name):
    kind = METRICS.load(name)
    metric = kind(Rules())
    assert kind.names == (name,)
    assert kind.needs == Needs.PROBE
    assert kind.group in ("faithfulness", "sanity")
    kept = rows(metric, 6)
    assert [row is None for row in kept] == [False, False, True, False, False, False]
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    assert kept == rows(metric, 6), "the same again"
    drawn = np.random.default_rng(0).integers(0, 6, (5, 6))
    weights = np.stack([np.bincount(one, minlength=6) for one in drawn]).astype(float)
    value = metric.reduce(kept, weights)[name]
    for line, images in zip(value.values, drawn, strict=True):
        again = metric.reduce([kept[place] for place in images], np.ones((1, 6)))[name].values[0]
        assert line == pytest.approx(again)
    assert value.n == 5
    json.dumps(value.computed_with, allow_nan=False)
    np.testing.assert_array_equal(value.values, metric.reduce(kept[:2] + kept[2:], weights)[name].values)
    assert name in metric.cells(kept[0])
    for curve in metric.curves(kept).values():
        assert curve.x.shape == curve.y.shape
        assert (np.diff(curve.x) > 0).all()


@pytest.mark.parametrize("name", ASKING)
def test_without_rows_there_is_no_number(name):
    value = METRICS.load(name)(Rules()).reduce([None, None], np.ones((3, 2)))[name]
    assert value.n == 0
    assert np.isnan(value.values).all()
    assert value.values.shape == (3,)


def test_the_mean_under_weights():
    weights = np.array([[1.0, 1, 1], [0, 2, 1], [0, 1, 0]])
    np.testing.assert_array_equal(mean_of([1.0, None, 4.0], weights), [2.5, 4, np.nan])
    np.testing.assert_array_equal(mean_of([], np.ones((2, 0))), [np.nan, np.nan])


def test_ranks_are_those_of_the_resized_map_ties_in_reading_order():
    np.testing.assert_array_equal(ranks(np.array([[1.0, 3, 3], [0, -1, 3]])), [[3, 0, 1], [4, 5, 2]])
    places = ranked(found([[0, 1]]), (2, 8))
    np.testing.assert_array_equal(places[0] < 2, [False] * 6 + [True] * 2)
    assert sorted(places.ravel()) == list(range(16))


def test_ranks_are_made_once():
    one = found(noise(4, 4).numpy())
    assert ranked(one, (8, 8)) is ranked(one, (8, 8))
    assert ranked(one, (4, 8)).shape == (4, 8)


@pytest.mark.parametrize("raw", FLAT.values(), ids=FLAT)
def test_what_is_flat(raw):
    raw = np.array(raw, np.float32)
    assert flat(raw)
    assert not mask(raw, (4, 4)).any()


def test_a_map_that_is_nowhere_positive_ranks_but_lets_nothing_through():
    raw = np.array([[-1.0, -2]], np.float32)
    assert not flat(raw)
    assert not mask(raw, (4, 4)).any()
