"""Boxes by hand: what is above, what is connected, which is the largest; then through every geometry."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cam_cli.boxes import above, locate
from cam_cli.errors import UsageError
from cam_cli.maps import heatmap, window
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import Geometry

HEAT = {".": 0.0, "x": 1.0} | {str(digit): digit / 10 for digit in range(1, 10)}


def drawn(text: str) -> np.ndarray:
    """float32 (H, W): a digit is its tenth, `x` is 1, a dot is 0."""
    return np.array([[HEAT[one] for one in row] for row in text.split()], np.float32)


def boxes(text: str, probability: float = 1.0, **options: str) -> list[tuple]:
    return [one.xyxy for one in locate(drawn(text), probability, BoxSpec(**options)).boxes]


def test_a_box_is_half_open_and_in_pixels():
    (one,) = locate(drawn("..... .57.. .x6.. ....."), 0.5, BoxSpec()).boxes
    assert (one.xyxy, one.score, one.area) == ((1.0, 1.0, 3.0, 3.0), 0.5, 4)


def test_a_value_exactly_at_the_threshold_is_out():
    assert boxes("x32..", threshold="0.2") == [(0, 0, 2, 1)]
    assert boxes("x32..", threshold="0.1999") == [(0, 0, 3, 1)]
    half = drawn("x32..") / 2  # of its own maximum, whatever that is
    assert locate(half, 1.0, BoxSpec()).boxes[0].xyxy == (0, 0, 2, 1)
    for percent in range(1, 100):  # in float32, where 0.2 is a little more than in float64
        heat = np.array([[percent / 100, 1.0]], np.float32)
        assert above(heat, percent / 100).tolist() == [[False, True]]


def test_what_touches_at_a_corner_is_connected():
    found = locate(drawn("x.... .x... ..x.5"), 1.0, BoxSpec(boxes="all"))
    assert [(one.xyxy, one.area) for one in found.boxes] == [((0, 0, 3, 3), 3), ((4, 2, 5, 3), 1)]


@pytest.mark.parametrize(
    ("text", "largest"),
    [
        ("x...5 ....5", (4, 0, 5, 2)),  # pixels, not heat
        ("5...x 5...x", (4, 0, 5, 2)),  # of equals, the one of more heat
        ("x...x x...x", (0, 0, 1, 2)),  # two equal peaks: the first in reading order
        ("....x x...x x....", (4, 0, 5, 2)),  # rows come before columns
        (".xxxx x.... ...xx ...xx", (0, 0, 5, 2)),  # a thin line has pixels too, and a contour's area of 0
        (".x..x .xx.x ....x", (1, 0, 3, 2)),  # by the first pixel where the boxes start in one row
    ],
)
def test_the_largest(text, largest):
    assert boxes(text) == [largest]


def test_of_boxes_that_start_at_one_corner_the_first_pixel_decides():
    heat = drawn("x..xx ...x. x.... xx...")  # three parts; two of three pixels, boxes at (3, 0) and (0, 2)
    assert locate(heat, 1.0, BoxSpec()).boxes[0].xyxy == (3, 0, 5, 2)


def test_all_and_n_go_by_score():
    text = "55... 55..x ..... 8...."
    assert boxes(text, boxes="all") == [(4, 1, 5, 2), (0, 3, 1, 4), (0, 0, 2, 2)]
    assert boxes(text, boxes="2") == [(4, 1, 5, 2), (0, 3, 1, 4)]
    assert boxes(text, boxes="largest") == [(0, 0, 2, 2)]
    scores = [one.score for one in locate(drawn(text), 0.5, BoxSpec(boxes="all")).boxes]
    assert scores == pytest.approx([0.5, 0.4, 0.25])


def test_min_area_in_pixels_and_in_percent():
    text = "xx..x xx... ..... ....."  # 4 and 1 of 20 pixels
    assert boxes(text, boxes="all", min_area="1") == [(0, 0, 2, 2), (4, 0, 5, 1)]
    assert boxes(text, boxes="all", min_area="2") == [(0, 0, 2, 2)]
    assert boxes(text, boxes="all", min_area="20%") == [(0, 0, 2, 2)]
    found = locate(drawn(text), 1.0, BoxSpec(min_area="21%"))
    assert found.boxes == ()
    assert not found.mask.any()


def test_the_border_and_one_pixel():
    assert boxes("x") == [], "the same everywhere"
    assert boxes("x.") == [(0, 0, 1, 1)]
    assert boxes("xxx xx. xxx") == [(0, 0, 3, 3)]
    assert boxes(".. .x") == [(1, 1, 2, 2)]


@pytest.mark.parametrize("threshold", ["0", "0.2", "otsu"])
@pytest.mark.parametrize("value", [0.0, 0.3, 1.0, np.nan])
def test_an_empty_constant_or_broken_heat_has_no_box(value, threshold):
    heat = np.full((4, 5), value, np.float32)
    for spec in (BoxSpec(threshold), BoxSpec(threshold, "all")):
        found = locate(heat, 1.0, spec)
        assert found.boxes == ()
        assert found.mask.shape == heat.shape
        assert not found.mask.any()
    heat[1, 1] = np.inf
    assert locate(heat, 1.0, BoxSpec()).boxes == ()
    heat[1, 1], heat[0, 0] = 0.5, np.nan
    assert locate(heat, 1.0, BoxSpec()).boxes == ()


def test_otsu_parts_the_positive_heat():
    heat = np.zeros((10, 30), np.float32)
    heat[:, 10:20], heat[:, 20:] = 0.3, 1.0
    heat[4:6, 2:4] = 0.25  # with the zeros in, the cut would be between them and this
    assert BoxSpec("otsu").fraction is None
    assert [one.xyxy for one in locate(heat, 1.0, BoxSpec("otsu", "all")).boxes] == [(20, 0, 30, 10)]
    assert boxes("..x. ..x.", threshold="otsu") == [(2, 0, 3, 2)], "one level only: all of it"


def otsu_by_definition(levels: np.ndarray) -> int:
    """The level t for which n_low · n_high · (mean_high − mean_low)² is greatest, low being ≤ t."""

    def spread(level: int) -> float:
        low, high = levels[levels <= level], levels[levels > level]
        return len(low) * len(high) * (high.mean() - low.mean()) ** 2 if len(low) and len(high) else 0.0

    return max(range(255), key=spread)


@pytest.mark.parametrize("seed", range(5))
def test_otsu_is_the_greatest_variance_between_the_classes(seed):
    heat = np.random.default_rng(seed).beta(0.5, 2, (20, 30)).astype(np.float32)
    heat /= heat.max()
    levels = np.rint(heat * 255)
    np.testing.assert_array_equal(above(heat, None), levels > otsu_by_definition(levels[heat > 0]))


def test_the_mask_is_what_the_boxes_stand_for():
    text = "55... 55..x ..... 8...."
    np.testing.assert_array_equal(locate(drawn(text), 1.0, BoxSpec(boxes="all")).mask, drawn(text) > 0)
    owner = locate(drawn(text), 1.0, BoxSpec(boxes="all")).owner
    assert (owner[1, 4], owner[3, 0], owner[0, 0]) == (1, 2, 3), "numbered as the boxes are, best first"
    largest = np.zeros((4, 5), bool)
    largest[:2, :2] = True
    np.testing.assert_array_equal(locate(drawn(text), 1.0, BoxSpec()).mask, largest)


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": "1"}, {"threshold": "-0.1"}, {"threshold": "nan"}, {"threshold": "high"}, {"boxes": "0"},
        {"boxes": "most"}, {"boxes": "-1"}, {"min_area": "1.5"}, {"min_area": "101%"}, {"min_area": "x"},
        {"margin": "-1"}, {"margin": "nan%"},
    ],
)  # fmt: skip
def test_values_that_are_not_of_their_kind(wrong):
    with pytest.raises(UsageError, match=f"--{next(iter(wrong)).replace('_', '-')} takes"):
        BoxSpec(**wrong)


def test_a_map_that_is_hot_all_over_has_the_seen_part_as_its_box():
    geometry = Geometry(300, 500, 224, 224, (256 / 300, 426 / 500), (-16.0, -101.0), "model")
    raw = np.full((7, 7), 5, np.float32)
    raw[3, 3] = 9
    raw[0, 0] = 0
    (found,) = locate(heatmap(raw, geometry).heat, 1.0, BoxSpec("0.3")).boxes
    rows, columns = window(geometry)
    assert found.xyxy == (columns.start, rows.start, columns.stop, rows.stop) == (19, 119, 281, 381)


sides = st.integers(1, 40)
thresholds = st.one_of(st.just("otsu"), st.floats(0, 0.99).map(str))
choices = st.sampled_from(["largest", "all", "1", "3"])


@given(sides, sides, st.integers(1, 9), st.integers(1, 9), thresholds, choices, st.integers(0, 2**32 - 1))
def test_boxes_contain_their_components_and_lie_inside_what_was_seen(width, height, u, v, threshold, most, seed):
    rng = np.random.default_rng(seed)
    scale = rng.uniform(0.4, 3, 2)
    middle = np.array([width, height]) * scale / 2 - 8
    geometry = Geometry(width, height, 16, 16, (scale[0], scale[1]), (-middle[0], -middle[1]), "model")
    found = heatmap(rng.normal(size=(u, v)).astype(np.float32), geometry)
    regions = locate(found.heat, 0.7, BoxSpec(threshold, most))
    assert bool(regions.boxes) == (found.peak is not None)
    rows, columns = window(geometry)
    covered = np.zeros((height, width), bool)
    for number, one in enumerate(regions.boxes, 1):
        x0, y0, x1, y1 = map(int, one.xyxy)
        assert columns.start <= x0 < x1 <= columns.stop
        assert rows.start <= y0 < y1 <= rows.stop
        inside = regions.owner[y0:y1, x0:x1] == number
        assert inside.any(0)[[0, -1]].all(), "no column or row to spare"
        assert inside.any(1)[[0, -1]].all()
        assert one.area == (regions.owner == number).sum() == (regions.owner[y0:y1, x0:x1] == number).sum()
        assert 0 <= one.score <= 0.7
        covered[y0:y1, x0:x1] = True
    assert not (regions.mask & ~covered).any(), "every pixel of the mask lies in a box"
    assert regions.mask.sum() == sum(one.area for one in regions.boxes)
    if most != "largest" and regions.boxes:
        assert regions.boxes[0].score == pytest.approx(0.7), "the first has the peak"
