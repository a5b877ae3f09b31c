"""Points and heat in boxes, counted by hand and pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cam_cli.metrics.pointing import distance
from cam_cli.types import Object

from .made import drawn, found, metric, rows_of, squash, truth, value, values

POINT = drawn("..... ..x.. .....")  # at (2, 1)


@pytest.mark.parametrize(
    ("box", "hit"),
    [
        ((2, 1, 3, 2), True), ((0, 0, 2, 3), False), ((0, 0, 3, 2), True), ((3, 0, 5, 3), False),
        ((0, 0, 2.4, 3), False), ((0, 0, 2.5, 3), False), ((0, 0, 2.6, 3), True), ((2.5, 0, 5, 3), True),
        ((2.6, 0, 5, 3), False),
    ],
)  # fmt: skip
def test_a_point_lies_in_a_box_by_the_centre_of_its_pixel(box, hit):
    assert value("pointing_game", (found(POINT), truth(box))) == hit


def test_of_two_equal_maxima_the_first_in_reading_order_points():
    heat = drawn("....x x....")
    assert value("pointing_game", (found(heat), truth((4, 0, 5, 1)))) == 1
    assert value("pointing_game", (found(heat), truth((0, 1, 1, 2)))) == 0


@pytest.mark.parametrize("raw", [np.zeros((3, 5)), -np.ones((3, 5)), np.full((3, 5), np.nan), np.full((3, 5), 2.0)])
def test_a_map_that_points_nowhere_misses_even_a_box_of_everything(raw):
    case = found(raw.astype(np.float32)), truth((0, 0, 5, 3))
    for name in ("pointing_game", "pointing_game_15px", "energy_pointing"):
        assert value(name, case) == 0


def at(x: int, y: int, width: int = 60, height: int = 50):
    """A map whose maximum is the pixel (x, y)."""
    raw = np.zeros((height, width), np.float32)
    raw[y, x] = 1
    return found(raw)


@pytest.mark.parametrize(
    ("point", "hit"),
    [
        ((34, 10), True), ((35, 10), False),  # 14 and 15 pixels from the last column, 20
        ((29, 22), True), ((29, 31), True), ((29, 32), False),  # 9² + 12² = 225 is not less than 15²
        ((20, 20), True), ((0, 0), True),
    ],
)  # fmt: skip
def test_less_than_15_pixels_between_pixels(point, hit):
    """Of the box whose pixels are 10 … 20 by 10 … 20."""
    assert value("pointing_game_15px", (at(*point), truth((10, 10, 21, 21)))) == hit


def by_torchray(point, boxes, width, height) -> bool:
    """A disc around the point and the boxes' mask have a pixel in common."""
    mask = np.zeros((height, width), bool)
    for x0, y0, x1, y1 in boxes:
        mask[y0:y1, x0:x1] = True
    y, x = np.mgrid[:height, :width]
    return bool((mask & ((x - point[0]) ** 2 + (y - point[1]) ** 2 < 15**2)).any())


@given(st.integers(0, 2**32 - 1))
def test_15_pixels_are_torchrays(seed):
    rng = np.random.default_rng(seed)
    width, height = rng.integers(1, 80, 2).tolist()
    corners = [sorted(rng.integers(0, side + 1, 2).tolist()) for side in (width, height) for _ in range(2)]
    boxes = [(*first, *second)[0::2] + (*first, *second)[1::2] for first, second in (corners[::2], corners[1::2])]
    point = int(rng.integers(width)), int(rng.integers(height))
    hit = value("pointing_game_15px", (at(*point, width, height), truth(*boxes)))
    assert hit == by_torchray(point, boxes, width, height)


def test_a_box_without_a_pixel_is_infinitely_far():
    assert distance((3, 3), np.array([[3.1, 3.1, 3.4, 3.4]])) == np.inf
    assert distance((3, 3), np.array([[3.1, 3.1, 3.4, 3.4], [5.0, 3.0, 6.0, 4.0]])) == 4


def test_difficult_objects_may_be_hit_with_tolerance_but_make_no_pair():
    hard, easy = Object("cat", (40, 40, 41, 41), difficult=True), Object("cat", (0, 0, 1, 1))
    numbers = values("pointing_game", rows_of("pointing_game", [(at(40, 40), truth(hard, easy))]))
    assert (numbers["pointing_game"].values[0], numbers["pointing_game_15px"].values[0]) == (0, 1)
    assert rows_of("pointing_game", [(at(40, 40), truth(hard))]) == [None]
    assert value("pointing_game", (at(40, 40), truth(hard)), difficult=True) == 1


def test_energy_is_the_heat_inside_over_all_of_it():
    heat = drawn("..... .x5.. .....")
    assert value("energy_pointing", (found(heat), truth((1, 1, 2, 2)))) == pytest.approx(2 / 3)
    assert value("energy_pointing", (found(heat), truth((0, 0, 5, 3)))) == 1
    assert value("energy_pointing", (found(heat), truth((3, 0, 5, 3)))) == 0


def test_heat_under_two_boxes_counts_once():
    heat = drawn("xxxx ....")
    assert value("energy_pointing", (found(heat), truth((0, 0, 2, 2), (1, 0, 3, 1)))) == 0.75
    assert value("energy_pointing", (found(heat), truth((0, 0, 2, 2), (0, 0, 2, 1)))) == 0.5


def test_a_box_beyond_the_picture_holds_what_is_in_it():
    assert value("energy_pointing", (found(drawn("xxx5 ....")), truth((-3, -3, 2, 9)))) == pytest.approx(2 / 3.5)


@given(st.integers(0, 2**32 - 1))
def test_energy_pixel_by_pixel(seed):
    rng = np.random.default_rng(seed)
    geometry = squash(*rng.integers(2, 40, 2).tolist())
    answer = found(rng.normal(size=(5, 4)).astype(np.float32), geometry)
    corners = np.sort(rng.uniform(0, [[geometry.width], [geometry.height]] * 2, (4, 2)), 1)
    boxes = [(*corners[i : i + 2, 0], *corners[i : i + 2, 1]) for i in (0, 2)]
    inside = total = 0.0
    for (y, x), heat in np.ndenumerate(answer.heatmap("cat").heat):
        held = any(x0 <= x + 0.5 < x1 and y0 <= y + 0.5 < y1 for x0, y0, x1, y1 in boxes)
        inside, total = inside + float(heat) * held, total + float(heat)
    assert value("energy_pointing", (answer, truth(*boxes))) == pytest.approx(inside / total if total else 0)


def test_a_row_holds_what_each_pair_is_worth():
    row = metric("pointing_game").row(found(POINT), truth((2, 1, 3, 2)))
    assert row == {"labels": ["cat"], "pointing_game": [True], "pointing_game_15px": [True]}
    assert metric("pointing_game").cells(row) == {"pointing_game": 1.0, "pointing_game_15px": 1.0}
