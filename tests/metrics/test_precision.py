"""Average precision, ROC curves and rankings, against the definitions written out and counted one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cam_cli.metrics import ranking
from cam_cli.metrics.statistics import weightings
from cam_cli.types import Geometry, ImageItem, Object, Truth

from .made import drawn, found, metric, rows_of, squash, value, values


def said(*labels: str, uncertain: tuple[str, ...] = ()) -> Truth:
    return Truth(ImageItem("a", "", ""), labels, (), uncertain=uncertain)


def image(score: float, true: bool, other: float = 0.0):
    """One that holds a cat or does not, and what the model gives `cat`."""
    return found({}, squash(4, 4), probabilities={"cat": score, "dog": other}), said(*["cat"] * true)


def cats(scores, true):
    return [image(score, bool(here)) for score, here in zip(scores, true, strict=True)]


def points(scores, true):
    """Precision and recall at each score that occurs, from the highest, by counting."""
    found_ = []
    for score in sorted(set(scores), reverse=True):
        above = [here for one, here in zip(scores, true, strict=True) if one >= score]
        found_.append((sum(above) / len(above), sum(above), sum(true)))
    return found_


def sklearns(scores, true) -> float:
    """Σ (R_n − R_{n−1}) P_n."""
    area = before = 0.0
    for precision, hits, total in points(scores, true):
        area, before = area + (hits - before) / total * precision, hits
    return area


def devkit12(scores, true) -> float:
    """The devkit's VOCap: precision made monotone from the right, times the steps of recall."""
    recall = [0.0, *(hits / total for _, hits, total in points(scores, true)), 1.0]
    precision = [0.0, *(one for one, _, _ in points(scores, true)), 0.0]
    for place in range(len(precision) - 2, -1, -1):
        precision[place] = max(precision[place], precision[place + 1])
    return sum((recall[i] - recall[i - 1]) * precision[i] for i in range(1, len(recall)))


def devkit07(scores, true) -> float:
    """Eleven points of recall; at each the highest precision from there on. In whole numbers, so exact."""
    told = points(scores, true)
    return (
        sum(max((one for one, hits, total in told if 10 * hits >= tenth * total), default=0) for tenth in range(11))
        / 11
    )


WAYS = {"none": sklearns, "voc12": devkit12, "voc07": devkit07}


@pytest.mark.parametrize("way", WAYS)
@given(st.data())
def test_average_precision_is_its_definition(way, data):
    count = data.draw(st.integers(1, 25))
    scores = data.draw(st.lists(st.sampled_from([0, 0.125, 0.25, 0.5, 0.75, 0.875, 1]), min_size=count, max_size=count))
    true = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    ours = value("classification_ap", *cats(scores, true), interpolation=way)
    if any(true):
        assert ours == pytest.approx(WAYS[way](scores, true), rel=1e-12)
    else:
        assert np.isnan(ours)


@pytest.mark.parametrize(
    ("way", "told"),
    [("none", (1 + 2 / 4 + 3 / 5) / 3), ("voc12", (1 + 3 / 5 + 3 / 5) / 3), ("voc07", (4 + 7 * 0.6) / 11)],
)
def test_average_precision_by_hand(way, told):
    """Right, wrong, wrong, right, right. A third found is not 0.4 of all: four points have 1, seven have 3/5."""
    cases = cats([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 0, 1, 1])
    assert value("classification_ap", *cases, interpolation=way) == pytest.approx(told, rel=1e-12)


def test_a_tenth_found_is_a_tenth():
    """3 of 10 found: to the devkit's floats 0.3 is not 3 × 0.1."""
    true = [1] * 3 + [0] * 10 + [1] * 7
    scores = np.linspace(1, 0.1, 20)
    assert 3 / 10 < 3 * 0.1
    told = (4 + 7 * 0.5) / 11  # 1 down to recall 0.3, then 10 of 20
    assert value("classification_ap", *cats(scores, true), interpolation="voc07") == pytest.approx(told, rel=1e-12)


def test_images_of_one_score_stand_or_fall_together():
    for order in ([1, 0, 0, 1], [0, 1, 1, 0]):
        assert value("classification_ap", *cats([0.5] * 4, order), interpolation="none") == 0.5
        assert value("auroc", *cats([0.5] * 4, order)) == 0.5


def test_the_mean_is_over_classes_that_are_in_some_image():
    chances = {"cat": 0.9, "dog": 0.2, "elk": 0.5}
    cases = [
        (found({}, squash(4, 4), probabilities=chances), said("cat")),
        (found({}, squash(4, 4), probabilities={"cat": 0.1, "dog": 0.1, "elk": 0.6}), said("dog")),
    ]
    assert value("classification_ap", *cases, interpolation="none") == (1 + 0.5) / 2
    told = values("classification_ap", rows_of("classification_ap", cases))["classification_ap"]
    assert (told.computed_with["classes"], told.n) == (2, 2)


def test_an_uncertain_image_is_in_no_ranking_of_that_class():
    doubt = found({}, squash(4, 4), probabilities={"cat": 0.95, "dog": 0.9}), said("dog", uncertain=("cat",))
    cases = cats([0.9, 0.5], [1, 0])
    assert value("classification_ap", *cases, doubt, interpolation="none") == 1
    assert value("auroc", *cases, doubt) == 1
    sure = found({}, squash(4, 4), probabilities={"cat": 0.95, "dog": 0.9}), said("dog")
    assert value("classification_ap", *cases, sure, interpolation="none") == (0.5 + 1) / 2


def test_a_failed_image_comes_last():
    cases = cats([0.9, 0.8, 0.0], [1, 0, 0])
    assert value("classification_ap", *cases, interpolation="none") == 1
    rows = rows_of("classification_ap", [*cases, (None, said("cat")), (None, said("dog"))])
    share = values("classification_ap", rows, interpolation="none")["classification_ap"].values[0]
    assert share == pytest.approx(((1 + 2 / 5) / 2 + 1 / 5) / 2), "behind a score of 0; with the other that failed"
    rows = rows_of("auroc", [*cases, (None, said("cat"))])
    assert values("auroc", rows)["auroc"].values[0] == 0.5


def test_a_class_that_the_model_does_not_know_is_last_in_every_image():
    case = found({}, squash(4, 4), probabilities={"cat": 0.9}), said("yak")
    assert value("classification_ap", case, *[(case[0], said("cat"))] * 3, interpolation="none") == (0.25 + 0.75) / 2


def test_a_probability_that_is_not_a_number_is_last():
    assert value("classification_ap", *cats([np.nan, 0.1], [1, 0]), interpolation="none") == 0.5
    rows = rows_of("auroc", [*cats([np.nan], [1]), (None, said())])
    assert values("auroc", rows)["auroc"].values[0] == 0.5, "with those that failed"


def test_without_probabilities_nothing_is_said():
    for name in ("classification_ap", "auroc", "location_ap"):
        assert rows_of(name, [(found({}, squash(4, 4)), said("cat"))]) == [None]


def test_rows_of_other_classes_cannot_be_joined():
    one, other = cats([0.5], [1]), [(found({}, squash(4, 4), probabilities={"cat": 1.0, "elk": 0.0}), said("cat"))]
    rows = rows_of("classification_ap", one + other)
    with pytest.raises(ValueError, match=r"different classes: 2:\w{8}, 2:\w{8}"):
        values("classification_ap", rows)


def test_scores_are_kept_as_float32():
    scores = np.random.default_rng(0).random(1000).astype(np.float32)
    row = metric("auroc").row(
        found({}, squash(4, 4), probabilities={f"{i:04}": s for i, s in enumerate(scores)}), said("0007")
    )
    np.testing.assert_array_equal(ranking.tabled([row])[0], scores)
    assert row["true"] == {"0007": 7}
    assert len(row["scores"]) < 5400


@given(st.data())
def test_auroc_is_the_chance_that_one_with_ranks_above_one_without(data):
    count = data.draw(st.integers(1, 20))
    scores = data.draw(st.lists(st.sampled_from([0, 0.25, 0.5, 0.75, 1]), min_size=count, max_size=count))
    true = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    with_, without = ([s for s, here in zip(scores, true, strict=True) if here == kind] for kind in (True, False))
    chances = [(a > b) + (a == b) / 2 for a in with_ for b in without]
    ours = value("auroc", *cats(scores, true))
    assert ours == pytest.approx(np.mean(chances), rel=1e-12) if chances else np.isnan(ours)


@pytest.mark.parametrize("name", ["classification_ap", "auroc"])
def test_blocks_of_weightings_are_all_at_once(name, monkeypatch):
    rng = np.random.default_rng(0)
    rows = rows_of(name, cats(rng.random(40).round(1), rng.random(40) < 0.4))
    weights = weightings(40, 30, 0)
    whole = metric(name).reduce(rows, weights)[name].values
    monkeypatch.setattr(ranking, "ENTRIES", 70)
    np.testing.assert_array_equal(metric(name).reduce(rows, weights)[name].values, whole)
    assert np.ptp(whole) > 0.1


def test_a_resample_without_a_class_has_no_number_of_it():
    rows = rows_of("classification_ap", cats([0.9, 0.8, 0.7], [1, 0, 1]))
    weights = np.array([[1, 1, 1], [0, 3, 0], [3, 0, 0], [0, 0, 0], [0, 2, 1]], np.float32)
    for way, last in (("none", 1 / 3), ("voc12", 1 / 3), ("voc07", 1 / 3)):
        found_ = metric("classification_ap", interpolation=way).reduce(rows, weights)["classification_ap"].values
        np.testing.assert_allclose(found_[1:], [np.nan, 1, np.nan, last])
    np.testing.assert_array_equal(np.isnan(metric("auroc").reduce(rows, weights)["auroc"].values), [0, 1, 1, 1, 0])


# Location: a cat at (10, 10) of 60 × 50, its box of pixels 8 … 12, and maps that point anywhere.
CAT = Object("cat", (8.0, 8.0, 13.0, 13.0))


def at(x: int, y: int, score: float, true: bool = True, **more):
    raw = np.zeros((50, 60), np.float32)
    raw[y, x] = 1
    answer = found({"cat": raw}, probabilities={"cat": score, "dog": 0.0}, **more)
    return answer, Truth(ImageItem("a", "", ""), ("cat",) * true, (CAT,) * true)


@pytest.mark.parametrize(
    ("point", "rules", "right"),
    [
        ((10, 10), {"tolerance": 0.0}, True), ((13, 10), {"tolerance": 0.0}, False), ((30, 10), {}, True),
        ((31, 10), {}, False), ((30, 30), {}, True), ((30, 31), {}, False), ((17, 10), {"tolerance": 5}, True),
        ((18, 10), {"tolerance": 5}, False), ((3, 3), {"tolerance": 5}, True), ((2, 3), {"tolerance": 5}, False),
    ],
)  # fmt: skip
def test_the_maximum_may_lie_so_far_from_the_box(point, rules, right):
    assert value("location_ap", at(*point, 0.9), **rules) == right


def test_the_tolerance_in_pixels_of_the_input():
    """Of an input half as large as the picture: the maximum's pixel is (20, 10), its centre 7.5 beyond the box."""
    raw = np.zeros((25, 30), np.float32)
    raw[5, 10] = 1
    geometry = Geometry(60, 50, 30, 25, (0.5, 0.5), (0.0, 0.0), "squash")
    case = found({"cat": raw}, geometry, probabilities={"cat": 0.5}), at(0, 0, 0)[1]
    for tolerance, right in ((3.75, 0), (3.8, 1)):
        assert value("location_ap", case, tolerance=tolerance, input_pixels=True) == right
        assert value("location_ap", case, tolerance=2 * tolerance) == right


def test_a_wrong_place_is_a_false_positive_and_leaves_the_object_unfound():
    """Ranked: a right place, a wrong one, no cat, a right one. 2 of 3 found, at precisions 1 and 2/4."""
    cases = [at(10, 10, 0.9), at(50, 40, 0.8), at(0, 0, 0.7, true=False), at(9, 9, 0.6)]
    assert value("location_ap", *cases, interpolation="none") == pytest.approx((1 + 2 / 4) / 3)
    assert value("location_ap", *cases, interpolation="voc12") == pytest.approx((1 + 2 / 4) / 3)
    assert value("location_ap", *cases, interpolation="voc07") == pytest.approx((4 * 1 + 3 * 0.5) / 11), "0 from 0.7 on"
    assert value("classification_ap", *cases, interpolation="none") == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_all_in_wrong_places_is_0():
    for way in WAYS:
        assert value("location_ap", at(50, 40, 0.9), at(50, 40, 0.1, true=False), interpolation=way) == 0


def test_a_map_that_points_nowhere_or_is_missing_is_in_the_wrong_place():
    flat, missing = at(0, 0, 0.9), at(0, 0, 0.9)
    flat[0].maps = {"cat": drawn("..... .....")}
    missing[0].maps = {}
    assert value("location_ap", flat) == value("location_ap", missing) == 0


def test_what_has_no_box_to_hold_a_point_against_is_out_of_the_ranking():
    hard = Object("cat", CAT.xyxy, difficult=True)
    answer = at(10, 10, 0.95)[0]
    told = [Truth(ImageItem("a", "", ""), ("cat",), objects) for objects in ((hard,), (), (Object("dog", CAT.xyxy),))]
    for one in told:
        assert value("location_ap", (answer, one), at(10, 10, 0.5), interpolation="none") in (1, 0.5)
        row = metric("location_ap").row(answer, one)
        assert (row["true"].get("cat"), row["uncertain"]) == (None, {"cat": 0})
        assert metric("location_ap").miss(one)["uncertain"] == {"cat": None}
    assert metric("location_ap", difficult=True).row(answer, told[0])["right"] == ["cat"]
    unboxed = Truth(ImageItem("a", "", ""), ("cat",), None)
    assert rows_of("location_ap", [(answer, unboxed), (None, unboxed)]) == [None, None]
