"""What every metric of this room keeps to, whatever it measures."""

import inspect
import json
from functools import cache

import numpy as np
import pytest

from cam_cli.metrics import METRICS
from cam_cli.metrics.metric import Found, Metric, Needs
from cam_cli.metrics.statistics import weightings

from .made import NAMES, dataset, metric, rows_of, through_json

RULES = {
    "plain": {},
    "by class": {"by_class": True, "interpolation": "voc07", "calibrated": (0.35, "other data")},
    "difficult": {"difficult": True, "interpolation": "none", "threshold": None, "input_pixels": True},
}
CASES = dataset(36)
FILES = {name: METRICS[name].target for name in NAMES}
ONES = {target: name for name, target in FILES.items()}  # a name for each class
every = pytest.mark.parametrize("name", ONES.values(), ids=lambda name: METRICS.load(name).__name__)
rules = pytest.mark.parametrize("rules", RULES.values(), ids=RULES)


@cache
def kept(name, **rules):
    """The rows of all cases, made once."""
    return rows_of(name, CASES, **rules)


def numbers(name, rows, weights, **rules):
    return {key: one.values for key, one in metric(name, **rules).reduce(rows, weights).items()}


def assert_equal(one, other):
    assert one.keys() == other.keys()
    for key in one:
        np.testing.assert_allclose(one[key], other[key], rtol=1e-12, atol=0, err_msg=key)


@pytest.mark.parametrize("name", NAMES)
def test_the_table_and_the_class_agree(name):
    member = METRICS.load(name)
    assert issubclass(member, Metric)
    assert name in member.names
    assert set(member.names) == {other for other, target in FILES.items() if target == FILES[name]}
    assert member.group in {"localisation", "classification"}
    assert member.higher_is_better
    assert Needs.PROBE not in member.needs
    assert {Needs.LABELS, Needs.BOXES, Needs.REGIONS} & set(member.needs)


@every
def test_a_docstring_has_the_formula_and_its_source(name):
    told = inspect.getdoc(METRICS.load(name))
    assert "=" in told.splitlines()[0]
    assert any(source in told for source in ("arXiv:", "IJCV", "CVPR", "Radiology"))


@every
@rules
def test_rows_are_plain_json(name, rules):
    for row in kept(name, **rules):
        assert through_json(row) == row
        if row is not None:
            assert all(isinstance(key, str) for key in row)
            cells = metric(name, **rules).cells(row)
            assert all(isinstance(cell, bool | int | float | str) for cell in cells.values())
            json.dumps(dict(cells), allow_nan=False)


@every
@rules
def test_what_was_written_and_read_back_gives_the_same_numbers(name, rules):
    rows, weights = kept(name, **rules), weightings(len(CASES), 5, 3)
    again = [through_json(row) for row in rows]
    for key, one in numbers(name, rows, weights, **rules).items():
        np.testing.assert_array_equal(one, numbers(name, again, weights, **rules)[key])


@every
@rules
def test_parts_joined_are_all_at_once(name, rules):
    """In shards whose images come in another order; every number up to the order of its sums."""
    whole = kept(name, **rules)
    parts = [rows_of(name, CASES[start::3], **rules) for start in range(3)]
    joined = [row for part in parts for row in part]
    once = np.ones((1, len(CASES)), np.float32)
    assert_equal(numbers(name, joined, once, **rules), numbers(name, whole, once, **rules))


@every
@rules
def test_weights_are_how_often_each_image_counts(name, rules):
    rows = kept(name, **rules)
    weights = weightings(len(CASES), 6, 1)
    found = numbers(name, rows, weights, **rules)
    for line, counts in enumerate(weights.astype(int)):
        repeated = [row for row, count in zip(rows, counts, strict=True) for _ in range(count)]
        plain = numbers(name, repeated, np.ones((1, len(repeated)), np.float32), **rules)
        assert_equal({key: one[line : line + 1] for key, one in found.items()}, plain)
    assert all(np.ptp(one[np.isfinite(one)]) > 0 for one in found.values()), "no weight would be seen"


@every
@rules
def test_images_that_say_nothing_change_nothing(name, rules):
    rows = kept(name, **rules)
    padded = [None, *rows, None]
    weights = weightings(len(rows), 4, 2)
    wide = np.pad(weights, ((0, 0), (1, 1)), constant_values=7)
    assert_equal(numbers(name, padded, wide, **rules), numbers(name, rows, weights, **rules))
    plain, filled = (metric(name, **rules).reduce(some, np.ones((1, len(some)))) for some in (rows, padded))
    assert {key: one.n for key, one in plain.items()} == {key: one.n for key, one in filled.items()}


@every
@pytest.mark.parametrize("rows", [[], [None], [None, None]], ids=len)
@rules
def test_no_images_are_not_a_number(name, rows, rules):
    found = metric(name, **rules).reduce(rows, np.ones((3, len(rows)), np.float32))
    calibrated = "calibrated" in rules
    assert set(found) == {one for one in METRICS.load(name).names if calibrated or not one.endswith("calibrated")}
    for one in found.values():
        assert one.values.shape == (3,)
        assert np.isnan(one.values).all()
        assert one.n == 0
        json.dumps(dict(one.computed_with), allow_nan=False)
    assert not metric(name, **rules).curves(rows)


@every
@rules
def test_values_are_float64_fractions_and_say_how_they_came_about(name, rules):
    rows = kept(name, **rules)
    for one in metric(name, **rules).reduce(rows, weightings(len(rows), 3, 0)).values():
        assert (one.values.dtype, one.values.shape) == (float, (4,))
        assert ((one.values >= 0) & (one.values <= 1)).all()
        assert one.n > 0
        assert isinstance(one.n, int)
        assert json.loads(json.dumps(dict(one.computed_with), allow_nan=False)) == dict(one.computed_with)
    for curve in metric(name, **rules).curves(rows).values():
        assert curve.x.shape == curve.y.shape
        assert (np.diff(curve.x) >= 0).all()
        assert ((curve.y >= 0) & (curve.y <= 1)).all()


@every
@rules
def test_a_failed_image_is_worse_than_any_answer(name, rules):
    """All wrong. Of pxap, which has no mask of it, nothing at all; of a ranking, where all are last, what lots give."""
    rows = [metric(name, **rules).miss(told) for _, told in CASES]
    if name == "pxap":
        assert rows == [None] * len(CASES)
        return
    found = metric(name, **rules).reduce(rows, np.ones((1, len(rows)), np.float32))
    if name == "auroc":
        assert found["auroc"].values[0] == 0.5
        return
    assert all(one.values[0] == 0 for one in found.values()) or name == "classification_ap"
    shared = metric(name, **rules).reduce(kept(name, **rules), np.ones((1, len(rows)), np.float32))
    mixed = [*kept(name, **rules), *rows]
    spoilt = metric(name, **rules).reduce(mixed, np.ones((1, len(mixed)), np.float32))
    assert all(spoilt[key].values[0] < shared[key].values[0] for key in found)
    assert all(spoilt[key].n > shared[key].n for key in found)


@every
def test_a_row_asks_for_no_map_that_no_truth_is_about(name):
    """Maps of other classes, and what rows hold, are the same."""
    for answer, told in CASES[:6]:
        if answer is not None:
            more = Found(
                answer.geometry, {**answer.maps, "zebra": np.eye(3, dtype=np.float32)}, answer.predictions,
                answer.probabilities, masks=answer.masks,
            )  # fmt: skip
            assert metric(name).row(more, told) == metric(name).row(answer, told)
