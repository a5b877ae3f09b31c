"""Boxes on pictures: where their lines are, that they stand out, that labels stay apart and inside."""

import numpy as np
import pytest

from cam_cli.render.boxes import DARK, PALETTE, Mark, dotted, enlarged, frame, labelled, outlined

YELLOW, BLUE = PALETTE[:2]


def grey(height: int, width: int, level: int = 128) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def where(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (picture == colour).all(2)


def test_the_lines_are_around_the_box_and_leave_it_as_it_was():
    picture = outlined(grey(100, 100), [Mark([(20, 30, 60, 70)], ["x"], None, YELLOW)])
    assert (picture[30:70, 20:60] == 128).all()
    bright = where(picture, YELLOW)
    assert bright[29, 19:61].all()
    assert bright[70, 19:61].all()
    assert bright[29:71, 19].all()
    assert bright[29:71, 60].all()
    assert where(picture, DARK)[28, 18:62].all()
    assert (picture != 128).any(2).sum() == 44**2 - 40**2, "and nothing else"


@pytest.mark.parametrize("box", [(0, 0, 100, 80), (0, 20, 40, 80), (99, 79, 100, 80), (0, 0, 1, 1)])
def test_at_the_border_both_lines_are_inside(box):
    picture = outlined(grey(80, 100), [Mark([box], ["x"], None, YELLOW)])
    for colour in (YELLOW, DARK):
        assert where(picture, colour).sum() >= 3


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize(("height", "width"), [(40, 64), (4000, 6000)])
def test_lines_can_be_seen_on_dark_and_on_light_and_grow_with_the_picture(height, width, level):
    box = (width * 0.25, height * 0.25, width * 0.75, height * 0.75)
    picture = outlined(grey(height, width, level), [Mark([box], ["x"], None, YELLOW)])
    column = picture[:, width // 2].astype(int)
    changed = (abs(column - level).max(1) > 200).sum() / 2  # one tone or the other, at the two lines
    assert changed >= max(1, height / 400)


def test_a_small_picture_grows_by_whole_pixels():
    small = np.random.default_rng(0).integers(0, 256, (40, 64, 3), dtype=np.uint8)
    large, times = enlarged(small)
    assert (times, large.shape) == (7, (280, 448, 3))
    np.testing.assert_array_equal(large[3::7, 3::7], small)
    picture = outlined(large.copy(), [Mark([(10, 10, 20, 20)], ["x"], None, YELLOW)], times)
    np.testing.assert_array_equal(picture[70:140, 70:140], large[70:140, 70:140])
    assert where(picture, YELLOW)[69, 69:141].all()
    whole = grey(10, 300)
    assert enlarged(whole) == (whole, 1)


def test_dots_and_the_first_mark_are_on_top():
    marks = [Mark([(20, 20, 80, 80)], ["a"], (50, 50), YELLOW), Mark([(20, 20, 80, 80)], ["b"], (50, 50), BLUE)]
    picture = dotted(outlined(grey(100, 100), marks), marks)
    assert tuple(picture[50, 50]) == YELLOW
    assert not where(picture, BLUE)[15:85].any()


def test_labels_stand_above_their_box_or_inside_and_never_on_each_other():
    above = labelled(grey(200, 300), [Mark([(50, 100, 90, 190)], ["cat  0.5"], None, YELLOW)])
    rows = np.flatnonzero(where(above, YELLOW).any(1))
    assert 75 < rows.min() < rows.max() < 100
    boxes = [(0, 0, 300, 200)] * 3
    three = [Mark([box], ["cat  0.5"], None, colour) for box, colour in zip(boxes, PALETTE, strict=False)]
    picture = labelled(grey(200, 300), three)
    sizes = [where(picture, one.colour).sum() for one in three]
    assert min(sizes) > 500
    assert max(sizes) == min(sizes), "none is covered"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 400), (400, 1), (5, 5), (30, 500)])
def test_any_picture_and_many_labels(height, width):
    boxes = [(0.0, 0.0, float(width), float(height))] * 40
    mark = Mark(boxes, ["Ægyptian cat with a very long name  0.99"] * 40, (width - 1, height - 1), YELLOW)
    picture = dotted(labelled(outlined(grey(height, width), [mark]), [mark]), [mark])
    assert picture.shape == (height, width, 3)


def test_a_frame_thicker_than_its_picture():
    picture = grey(2, 3)
    frame(picture, (0, 0, 3, 2), 9, YELLOW)
    assert where(picture, YELLOW).all()
