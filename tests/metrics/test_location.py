"""Localisation by hand: maps of a pixel a cell, so that every box can be counted."""

import numpy as np
import pytest

from cam_cli.metrics.metric import Found
from cam_cli.types import Geometry, ImageItem, Object, Truth

from .made import cropped, drawn, found, metric, rows_of, squash, truth, value, values

BLOB = drawn("..... .xxx. .xxx. ..... ....5")  # above 0.2 of its maximum: 1, 1, 4, 3 and a pixel apart


def test_the_box_is_the_largest_part_above_a_fifth():
    row = metric("gt_known_loc").row(found(BLOB), truth((1, 1, 4, 3)))
    assert row == {
        "labels": ["cat"],
        "ranks": [None],
        "told": False,
        "box": [[1, 1, 4, 3]],
        "iou": [1.0],
        "right": [True],
        "sweep": ["f" * 25 + "0"],
        "calibrated": [None],
    }


@pytest.mark.parametrize(("box", "right"), [((1, 1, 4, 5), True), ((1, 1, 4, 5.01), False), ((1, 1, 4, 3), True)])
def test_an_overlap_of_exactly_a_half_is_right(box, right):
    assert value("gt_known_loc", (found(BLOB), truth(box))) == right
    assert value("corloc", (found(BLOB), truth(box))) == right


def test_a_value_at_exactly_a_fifth_is_out():
    heat = drawn("xx222. xx222.")
    assert metric("gt_known_loc").row(found(heat), truth((0, 0, 2, 2)))["box"] == [[0, 0, 2, 2]]
    assert metric("gt_known_loc", threshold=0.19).row(found(heat), truth((0, 0, 2, 2)))["box"] == [[0, 0, 5, 2]]


def test_any_box_of_the_class_will_do_and_none_of_another():
    assert value("gt_known_loc", (found(BLOB), truth((4, 4, 5, 5), (1, 1, 4, 3)))) == 1
    other = truth(Object("dog", (1, 1, 4, 3)), Object("cat", (4, 4, 5, 5)))
    answer = found({"cat": BLOB, "dog": np.ones((5, 5), np.float32)})
    assert value("gt_known_loc", (answer, other)) == 0


@pytest.mark.parametrize(
    "raw", [np.zeros((5, 5)), np.full((5, 5), 0.7), np.full((5, 5), np.nan), -np.eye(5), np.full((5, 5), np.inf)]
)
def test_a_map_that_says_nothing_is_wrong_and_never_the_whole_image(raw):
    answer, told = found(raw.astype(np.float32)), truth((0, 0, 5, 5))
    for name in ("gt_known_loc", "gt_known_loc_best", "corloc", "mean_iou"):
        assert value(name.replace("_best", ""), (answer, told)) == 0
    row = metric("gt_known_loc", threshold=None, calibrated=(0.3, "x")).row(answer, told)
    assert (row["box"], row["right"], row["calibrated"], row["sweep"]) == ([None], [False], [False], ["0" * 26])


def test_a_missing_map_is_wrong():
    answer = found({}, squash(5, 5))
    for name in ("gt_known_loc", "corloc", "mean_iou", "pointing_game", "pointing_game_15px", "energy_pointing"):
        assert value(name, (answer, truth((0, 0, 5, 5)))) == 0


def test_equal_parts_the_hotter_then_the_first():
    assert metric("gt_known_loc").row(found(drawn("55.xx 55.xx")), truth((0, 0, 1, 1)))["box"] == [[3, 0, 5, 2]]
    assert metric("gt_known_loc").row(found(drawn("xx.xx xx.xx")), truth((0, 0, 1, 1)))["box"] == [[0, 0, 2, 2]]


def test_boxes_in_the_pixels_of_another_picture_are_scaled():
    told = truth((2, 3, 8, 9), size=(10, 15))  # of a picture twice as wide, three times as high
    assert metric("mean_iou").row(found(BLOB), told)["mean_iou"] == [1.0]


def test_a_truth_outside_the_crop_is_missed_and_one_half_inside_can_be_half_found():
    geometry = cropped(40, 20)  # sees x from 12 to 28, y from 2 to 18
    assert geometry.seen == (12, 2, 28, 18)
    hot = np.ones((8, 8), np.float32)
    hot[0, 0] = 0
    answer = found(hot, geometry)
    assert value("mean_iou", (answer, truth((0, 0, 11, 20)))) == 0
    assert metric("gt_known_loc").row(answer, truth((0, 0, 1, 1)))["box"] == [[12, 2, 28, 18]]
    assert value("mean_iou", (answer, truth((12, 2, 40, 18)))) == 16 / 28
    assert value("pointing_game", (answer, truth((0, 0, 12, 20)))) == 0


def two(width: int = 5) -> Truth:
    return truth(Object("cat", (1, 1, 4, 3)), Object("dog", (0, 0, width, 5)))


def test_a_pair_is_a_class_in_an_image():
    answer = found({"cat": BLOB, "dog": BLOB}, predictions=("dog", "cat"))
    found_ = values("gt_known_loc", rows_of("gt_known_loc", [(answer, two())]))
    assert (found_["gt_known_loc"].values[0], found_["gt_known_loc"].n) == (0.5, 2)
    assert found_["gt_known_loc"].computed_with["mean_over"] == "(image, class) pairs"
    assert (found_["top1_loc"].values[0], found_["top1_loc"].n) == (0, 1), "dog is guessed, its box is wrong"
    assert (found_["top5_loc"].values[0], found_["top5_loc"].n) == (1, 1), "cat is guessed too, its box is right"


@pytest.mark.parametrize(
    ("predictions", "top1", "top5"),
    [
        (("cat", "dog"), 1, 1), (("dog", "cat"), 0, 1), (("a", "b", "c", "d", "cat"), 0, 1),
        (("a", "b", "c", "d", "e", "cat"), 0, 0), ((), 0, 0),
    ],
)  # fmt: skip
def test_top_k_asks_for_the_class_among_k_and_for_its_box(predictions, top1, top5):
    right, wrong = truth((1, 1, 4, 3)), truth((4, 4, 5, 5))
    answer = found(BLOB, predictions=predictions)
    for name, told in (("top1_loc", top1), ("top5_loc", top5)):
        assert value(name, (answer, right)) == told
        assert value(name, (answer, wrong)) == 0


def test_without_predictions_top_k_says_nothing_and_the_rest_does():
    told = truth((1, 1, 4, 3))
    rows = rows_of("top1_loc", [(found(BLOB), told), (found(BLOB, predictions=("dog",)), told), (None, told)])
    numbers = values("top1_loc", rows)
    assert (numbers["top1_loc"].values[0], numbers["top1_loc"].n) == (0, 2), "a failed image counts, and is wrong"
    assert values("top1_loc", [rows[0], rows[2]])["top1_loc"].n == 0, "but not where nothing counts"
    assert values("top1_loc", [rows[2]])["top1_loc"].n == 1
    assert (numbers["gt_known_loc"].values[0], numbers["gt_known_loc"].n) == (2 / 3, 3)
    assert np.isnan(values("top1_loc", rows[:1])["top1_loc"].values[0])


def test_difficult_objects():
    hard = truth(Object("cat", (1, 1, 4, 3), difficult=True), Object("dog", (0, 0, 5, 5)))
    answer = found({"cat": BLOB, "dog": BLOB})
    for name in ("gt_known_loc", "corloc", "mean_iou", "pointing_game", "energy_pointing", "maxboxacc"):
        assert rows_of(name, [(answer, hard)])[0]["labels"] == ["dog"]
        assert rows_of(name, [(answer, hard)], difficult=True)[0]["labels"] == ["cat", "dog"]
        assert rows_of(name, [(None, hard)])[0]["labels"] == ["dog"]
        only = Truth(hard.item, ("cat",), hard.objects[:1])
        assert rows_of(name, [(answer, only), (None, only)]) == [None, None]


@pytest.mark.parametrize("objects", [None, ()])
def test_an_image_without_boxes_says_nothing(objects):
    told = Truth(ImageItem("a", "", ""), ("cat",), objects)
    for name in ("gt_known_loc", "corloc", "mean_iou", "pointing_game", "energy_pointing", "maxboxacc", "maxboxacc_v2"):
        assert rows_of(name, [(found(BLOB), told), (None, told)]) == [None, None]


def steps(level: int) -> Found:
    """Hot in the two left columns, `level` tenths in the next two, a tenth in the last."""
    return found(drawn(" ".join([f"xx{level}{level}1"] * 4)))


def test_the_best_threshold_is_one_for_all_images_and_chosen_in_hindsight():
    """Of two images with other thresholds that are right, 0.1 … 0.3 and 0.2 … 0.6, and one that is right above 0.6."""
    wide, narrow = truth((0, 0, 4, 4)), truth((0, 0, 1, 4))
    cases = [(steps(3), wide), (steps(6), wide), (steps(6), narrow)]
    rows = rows_of("gt_known_loc", cases)
    numbers = values("gt_known_loc", rows)
    assert numbers["gt_known_loc"].values[0] == pytest.approx(2 / 3)
    best = numbers["gt_known_loc_best"]
    curve = metric("gt_known_loc").curves(rows)["gt_known_loc"]
    by_hand = [
        np.mean([row["right"][0] for row in rows_of("gt_known_loc", cases, threshold=threshold)])
        for threshold in curve.x.tolist()
    ]
    assert curve.x.tolist() == [percent / 100 for percent in range(100)]
    assert curve.y.tolist() == by_hand
    assert best.values[0] == max(by_hand) == 1
    assert best.computed_with["threshold"] == curve.x[int(np.argmax(by_hand))]
    assert "oracle" in best.computed_with["chosen_on"]


def test_the_best_threshold_is_chosen_anew_in_each_resample():
    rows = rows_of("gt_known_loc", [(steps(6), truth((0, 0, 4, 4))), (steps(3), truth((0, 0, 2, 4), (9, 9, 10, 10)))])
    rows[0] = {**rows[0], "sweep": ["f" + "0" * 25]}  # right below 0.04
    rows[1] = {**rows[1], "sweep": ["0" * 24 + "f0"]}  # right from 0.96
    weights = np.array([[1, 1], [2, 0], [0, 2], [0, 0]], np.float32)
    best = metric("gt_known_loc").reduce(rows, weights)["gt_known_loc_best"].values
    np.testing.assert_array_equal(best, [0.5, 1, 1, np.nan])


def test_a_calibrated_threshold_is_apart_and_says_where_from():
    told = truth((0, 0, 2, 4))
    assert "gt_known_loc_calibrated" not in values("gt_known_loc", rows_of("gt_known_loc", [(steps(6), told)]))
    rules = {"calibrated": (0.75, "train")}
    numbers = values("gt_known_loc", rows_of("gt_known_loc", [(steps(6), told)], **rules), **rules)
    assert numbers["gt_known_loc"].values[0] == 1, "half of the box at 0.2"
    calibrated = numbers["gt_known_loc_calibrated"]
    assert (calibrated.values[0], calibrated.n) == (1, 1)
    assert (calibrated.computed_with["threshold"], calibrated.computed_with["chosen_on"]) == (0.75, "train")
    narrow = rows_of("gt_known_loc", [(steps(6), truth((0, 0, 1, 4)))], **rules)
    assert values("gt_known_loc", narrow, **rules)["gt_known_loc_calibrated"].values[0] == 1
    assert values("gt_known_loc", narrow, **rules)["gt_known_loc"].values[0] == 0


def test_otsu():
    heat = drawn("xx3 xx3 ...")
    row = metric("gt_known_loc", threshold=None).row(found(heat), truth((0, 0, 2, 2)))
    assert row["box"] == [[0, 0, 2, 2]]
    assert values("gt_known_loc", [row], threshold=None)["gt_known_loc"].computed_with["threshold"] == "otsu"


def classes_apart() -> list[tuple[Found, Truth]]:
    """Three cats, all right, and a dog, wrong."""
    right, wrong = truth((1, 1, 4, 3)), truth(Object("dog", (4, 4, 5, 5)))
    answer = found({"cat": BLOB, "dog": BLOB}, predictions=("cat", "dog"))
    return [(answer, right)] * 3 + [(answer, wrong)]


def test_means_over_classes():
    assert value("corloc", *classes_apart()) == 0.5
    assert value("gt_known_loc", *classes_apart()) == 0.75
    assert value("gt_known_loc", *classes_apart(), by_class=True) == 0.5
    assert value("pointing_game", *classes_apart(), by_class=True) == 0.5
    assert value("top1_loc", *classes_apart(), by_class=True) == 0.5
    told = values("corloc", rows_of("corloc", classes_apart()))["corloc"].computed_with
    assert (told["mean_over"], told["classes"]) == ("classes", 2)


def test_a_class_that_a_resample_does_not_hold_is_no_class_of_it():
    rows = rows_of("corloc", classes_apart())
    weights = np.array([[4, 0, 0, 0], [0, 0, 0, 4], [1, 1, 1, 1], [0, 0, 0, 0]], np.float32)
    np.testing.assert_array_equal(metric("corloc").reduce(rows, weights)["corloc"].values, [1, 0, 0.5, np.nan])


def test_cells_for_the_table_of_images():
    answer = found({"cat": BLOB, "dog": BLOB}, predictions=("cat",))
    told = two()
    cells = metric("gt_known_loc").cells(metric("gt_known_loc").row(answer, told))
    assert cells == {"gt_known_loc": 0.5, "iou": pytest.approx((1 + 6 / 25) / 2), "top1_loc": 1.0, "top5_loc": 1.0}
    without = metric("gt_known_loc").cells(metric("gt_known_loc").row(found(BLOB), truth((1, 1, 4, 3))))
    assert without == {"gt_known_loc": 1.0, "iou": 1.0}


def test_a_photograph_is_judged_in_its_own_pixels():
    """7 × 7 cells over 500 × 375: the box of the three by three in the middle, found by interpolating by hand."""
    raw = np.zeros((7, 7), np.float32)
    raw[2:5, 2:5] = 1
    geometry = Geometry(500, 375, 224, 224, (224 / 500, 224 / 375), (0.0, 0.0), "squash")
    row = metric("gt_known_loc").row(found(raw, geometry), truth((0, 0, 1, 1)))
    edges = [side / 7 * (1.5 + 0.2) for side in (500, 375)]  # where it is a fifth, between the second centre and third
    first = [int(np.ceil(edge - 0.5)) for edge in edges]
    assert row["box"] == [[first[0], first[1], 500 - first[0], 375 - first[1]]]
