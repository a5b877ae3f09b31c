"""Boxes as drawn, by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cam_cli.datasets.corners import CLIPPED, EMPTY, OUTSIDE, REVERSED, sound
from cam_cli.datasets.dataset import Notes


@pytest.mark.parametrize(
    ("corners", "size", "first", "box", "kinds"),
    [
        ((0, 0, 40, 30), (40, 30), None, (0, 0, 40, 30), ()),
        ((1, 1, 40, 30), (40, 30), 1, (0, 0, 40, 30), ()),
        ((0, 0, 39, 29), (40, 30), 0, (0, 0, 40, 30), ()),
        ((5, 6, 5, 6), (40, 30), 1, (4, 5, 5, 6), ()),  # one pixel
        ((5, 6, 5, 6), (40, 30), None, None, (EMPTY,)),
        ((12.5, 3.25, 30.2, 9), None, 1, (11.5, 2.25, 30.2, 9), ()),
        ((30, 20, 10, 5), (40, 30), None, (10, 5, 30, 20), (REVERSED,)),
        ((10, 20, 30, 5), (40, 30), None, (10, 5, 30, 20), (REVERSED,)),
        ((30, 20, 10, 5), (40, 30), 1, (9, 4, 30, 20), (REVERSED,)),  # the same pixels as 10, 5, 30, 20
        ((0, 0, 41, 31), (40, 30), None, (0, 0, 40, 30), (CLIPPED,)),
        ((0, 3, 9, 9), (40, 30), 1, (0, 2, 9, 9), (CLIPPED,)),  # a tool that counts from 0
        ((-3, -4, 5, 6), None, None, (0, 0, 5, 6), (CLIPPED,)),
        ((3, 4, 5000, 6), None, None, (3, 4, 5000, 6), ()),
        ((40, 0, 50, 30), (40, 30), None, None, (OUTSIDE,)),
        ((-9, -9, 0, 0), None, None, None, (OUTSIDE,)),
        ((50, 0, 45, 30), (40, 30), None, None, (REVERSED, OUTSIDE)),
    ],
)
def test_by_hand(corners, size, first, box, kinds):
    notes = Notes()
    assert sound(corners, size, notes, "file, row 3", first) == box
    assert tuple(notes.counts) == kinds
    assert all(places == ["file, row 3"] for places in notes.places.values())


@given(
    st.tuples(*[st.integers(-20, 60)] * 4),
    st.none() | st.tuples(*[st.integers(1, 50)] * 2),
    st.sampled_from([None, 0, 1]),
)
def test_what_is_left_is_the_pixels_drawn_that_the_picture_has(corners, size, first):
    """Counted pixel by pixel."""
    xs, ys = sorted(corners[0::2]), sorted(corners[1::2])
    reach = 1 if first is not None else 0
    width, height = size or (100, 100)
    drawn = {
        (x - (first or 0), y - (first or 0)) for x in range(xs[0], xs[1] + reach) for y in range(ys[0], ys[1] + reach)
    }
    kept = {(x, y) for x, y in drawn if 0 <= x < width and 0 <= y < height}
    box = sound(corners, size, Notes(), "", first)
    if box is None:
        assert not kept
    else:
        x0, y0, x1, y1 = map(int, box)
        assert {(x, y) for x in range(x0, x1) for y in range(y0, y1)} == kept != set()
