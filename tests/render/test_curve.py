"""The curve of a training, at known pixels."""

import numpy as np
import pytest

from cam_cli.render.curve import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Line, ceiling, curve, level

RED, GREEN = (200, 0, 0), (0, 120, 0)


def near(picture, colour):
    return (abs(picture.astype(int) - colour).sum(2) < 60)[TOP - 4 : HEIGHT - BOTTOM + 5, LEFT : WIDTH - RIGHT]


def test_size_and_paper():
    picture = curve([Line("loss", [1.0], RED)], None, "x")
    assert (picture.shape, picture.dtype) == ((540, 960, 3), np.uint8)
    assert picture[2, 2].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    ("value", "found"), [(0.9, 1), (1, 1), (1.2, 2), (2.2, 2.5), (3, 5), (7, 10), (0.013, 0.02), (0, 1)]
)
def test_ends_of_the_axis(value, found):
    assert ceiling(value) == pytest.approx(found)


def test_points_lie_where_their_values_are():
    """Two epochs: 4 of 5 at one quarter of the width, 1 of 5 at three quarters."""
    rows, columns = np.nonzero(near(curve([Line("loss", [4.0, 1.0], RED)], None, ""), RED))
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    first, last = columns < width / 3, columns > width * 2 / 3
    assert rows[first].min() - 4 == pytest.approx(height * 0.2 - 4, abs=3)
    assert rows[last].max() - 4 == pytest.approx(height * 0.8 + 4, abs=3)
    assert columns.min() == pytest.approx(width / 4 - 4, abs=2)
    assert columns.max() == pytest.approx(width * 3 / 4 + 4, abs=2)


def test_the_right_axis_ends_at_one():
    rows, _ = np.nonzero(
        near(curve([Line("loss", [50.0], RED), Line("map", [0.5], GREEN, right=True)], None, ""), GREEN)
    )
    assert rows.mean() + TOP - 4 == pytest.approx(level(0.5), abs=1.5)


def test_gaps():
    """Nothing is drawn where there is no number, and no line across."""
    whole = near(curve([Line("loss", [1.0, 1.0, 1.0], RED)], None, ""), RED)
    gap = near(curve([Line("loss", [1.0, float("nan"), 1.0], RED)], None, ""), RED)
    none = near(curve([Line("loss", [1.0, None, 1.0], RED)], None, ""), RED)
    middle = whole.shape[1] // 2
    assert whole[:, middle].any()
    assert not gap[:, middle].any()
    assert (gap == none).all()


def test_the_epoch_that_was_kept_is_marked():
    plain, marked = curve([Line("loss", [1.0] * 4, RED)], None, ""), curve([Line("loss", [1.0] * 4, RED)], 2, "")
    columns = np.nonzero((plain != marked).any((0, 2)))[0]
    expected = LEFT + (WIDTH - LEFT - RIGHT) * 1.5 / 4
    assert columns.mean() == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("epochs", [0, 1, 400])
def test_few_and_many_epochs(epochs):
    picture = curve([Line("loss", [0.5] * epochs, RED)], 1 if epochs else None, "ünï × …")
    assert near(picture, RED).any() == (epochs > 0)


def test_all_zero():
    assert curve([Line("loss", [0.0, 0.0], RED)], None, "").shape == (540, 960, 3)
