"""Segmentations drawn: by hand, and pixel for pixel as pycocotools draws them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cam_cli.datasets.segmentation import draw, runs
from cam_cli.errors import DatasetUnreadable
from cam_cli.outputs.rle import rle

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools, NumPy 2


def rows(mask: np.ndarray) -> list[str]:
    return ["".join(".#"[int(value)] for value in row) for row in mask]


def test_run_lengths_by_hand():
    """Column by column, outside first."""
    wanted = [".##.", ".#..", "..##"]
    counts = [3, 2, 1, 1, 1, 1, 2, 1]
    assert rows(draw({"size": [3, 4], "counts": counts}, (4, 3))) == wanted
    assert rows(draw({"size": [3, 4], "counts": [0, 12]}, (4, 3))) == ["####"] * 3
    assert rows(draw({"size": [3, 4], "counts": [12]}, (4, 3))) == ["...."] * 3


def test_polygons_by_hand():
    """Corners are places between pixels: a square from 1 to 4 covers pixels 1, 2, 3; several polygons add up."""
    assert rows(draw([[1, 1, 4, 1, 4, 3, 1, 3]], (6, 4))) == ["......", ".###..", ".###..", "......"]
    assert rows(draw([[0, 0, 2, 0, 2, 1, 0, 1], [1, 0, 3, 0, 3, 2, 1, 2]], (4, 3))) == ["###.", ".##.", "...."]
    assert rows(draw([[-9, -9, 9, -9, 9, 9, -9, 9]], (3, 2))) == ["###"] * 2
    assert not draw([[0, 0, 2, 2], [], [1, 1]], (4, 3)).any()
    assert not draw([], (4, 3)).any()


@st.composite
def masks(draw_):
    height, width = draw_(st.integers(1, 40)), draw_(st.integers(1, 40))
    seed, share = draw_(st.integers(0, 2**32 - 1)), draw_(st.floats(0, 1))
    return np.random.default_rng(seed).random((height, width)) < share


@settings(max_examples=100)
@given(masks())
def test_run_lengths_as_pycocotools_packs_them_and_as_we_do(mask):
    api = pytest.importorskip("pycocotools.mask")
    packed = api.encode(np.asfortranarray(mask.view(np.uint8)))
    packed["counts"] = packed["counts"].decode()
    size = mask.shape[::-1]
    np.testing.assert_array_equal(draw(packed, size), mask)
    np.testing.assert_array_equal(draw(rle(mask), size), mask)
    np.testing.assert_array_equal(draw({"counts": runs(packed["counts"])}, size), mask)
    assert api.frPyObjects({"size": list(mask.shape), "counts": runs(packed["counts"])}, *mask.shape) == {
        "size": list(mask.shape), "counts": packed["counts"].encode(),
    }  # fmt: skip


NUMBERS = st.one_of(st.floats(-30, 70), st.integers(-30, 70).map(float), st.integers(-150, 350).map(lambda n: n / 10))


@settings(max_examples=150)
@given(
    st.lists(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=8), min_size=1, max_size=3),
    st.tuples(st.integers(10, 50), st.integers(10, 50)),
)
def test_polygons_pixel_for_pixel_as_pycocotools(polygons, size):
    """Whole, tenth and any places, inside and out, crossing themselves."""
    api = pytest.importorskip("pycocotools.mask")
    flat = [[place for corner in corners for place in corner] for corners in polygons]
    theirs = api.decode(api.merge(api.frPyObjects(flat, size[1], size[0])))
    np.testing.assert_array_equal(draw(flat, size), theirs.astype(bool))


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ({"counts": [5, 6]}, "run lengths of 11 pixels in all, and the mask is 4 x 3"),
        ({"counts": [20, -8]}, "run lengths of 12 pixels in all"),
        ({"counts": [12.0]}, "no whole numbers"),
        ({"counts": ""}, "run lengths of 0 pixels"),
        ({"counts": "\x10"}, "neither a list nor a whole packed string"),
        ({"counts": "ĀĀ"}, "neither a list nor a whole packed string"),
        ({"counts": "P"}, "neither a list nor a whole packed string"),  # more is to follow
        ({"counts": None}, "neither a list nor a whole packed string"),
        ({"counts": "o" * 400 + "0"}, "run lengths of"),
        ([[0, 0, 1, 0, "x", 1]], "a polygon that is not numbers"),
        ([[0, 0, 1, 0, None, 1]], "a polygon"),
        ([[0, 0, 1, 0, 1]], "a polygon that is not numbers, x and y in turn"),
        ([[0, 0, 1e9, 0, 1, 1]], "far from any place in the picture"),
        ([[0, 0, float("nan"), 0, 1, 1]], "far from any place in the picture"),
    ],
)
def test_broken_segmentations(source, says):
    with pytest.raises(DatasetUnreadable, match=says):
        draw(source, (4, 3))


@pytest.mark.parametrize("size", [(0, 3), (-4, -3), (1 << 20, 1 << 20)])
def test_a_size_that_is_none(size):
    with pytest.raises(DatasetUnreadable, match="is not drawn; the most is"):
        draw({"counts": [1 << 40]}, size)
