"""MaxBoxAcc and its frame against wsolevaluation: the numbers of its own unit tests, and its steps one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cam_cli.boxes import overlaps
from cam_cli.metrics import wsol
from cam_cli.metrics.bits import unpacked
from cam_cli.metrics.maxboxacc import MaxBoxAcc, MaxBoxAccV2
from cam_cli.metrics.metric import Rules
from cam_cli.types import Geometry

from . import kit
from .made import cropped, found, metric, padded, rows_of, squash, truth, value, values

UNIMODAL = """
0 0 0 0 0
0 4 4 4 6
0 4 10 8 6
0 4 4 4 6
"""
MULTIMODAL = """
4 0 2 2 2
4 4 0 4 0
0 0 0 4 0
10 6 8 2 2
"""


def tenths(text: str) -> np.ndarray:
    return np.array([[int(one) for one in line.split()] for line in text.split("\n") if line]) / 10


@pytest.mark.parametrize(
    ("scores", "boxes"),
    [
        (tenths(UNIMODAL), [[1, 1, 4, 3], [1, 1, 4, 3], [2, 1, 4, 3], [2, 2, 4, 3], [2, 2, 3, 3]]),
        (tenths(MULTIMODAL), [[0, 0, 4, 3], [0, 0, 2, 2], [0, 3, 3, 3], [2, 3, 3, 3], [0, 3, 1, 3]]),
        (np.zeros((3, 3)), [[0, 0, 0, 0]] * 5),
    ],
    ids=["unimodal", "multimodal", "degenerate"],
)
def test_the_boxes_of_its_unit_tests(scores, boxes):
    seen = wsol.Contours(scores)
    cuts = [int(threshold * 255) for threshold in np.arange(0, 1, 0.2)]
    assert seen.boxes[seen.largest[cuts]].tolist() == boxes
    assert [list(kit.boxes_at(scores, threshold, False)[0]) for threshold in np.arange(0, 1, 0.2)] == boxes


def test_the_overlaps_of_its_unit_tests():
    assert overlaps(np.array([[1, 2, 5, 6]]), np.array([[3, 1, 4, 5]]), closed=True) == 8 / 27
    two = np.array([[1, 1, 3, 3], [4, 4, 5, 5]])
    np.testing.assert_array_equal(overlaps(two, two, closed=True), np.eye(2))
    zeros = overlaps(np.zeros((3, 4), int), np.zeros((5, 4), int), closed=True)
    assert (zeros.shape, zeros.dtype, set(zeros.ravel())) == ((3, 5), float, {1.0})


def test_the_resized_boxes_of_its_unit_tests(monkeypatch):
    assert kit.in_frame((1, 2, 4, 3), (10, 20), (35, 10)) == (3, 1, 14, 1)
    for side, box, size, told in ((35, (1, 2, 4, 3), (10, 35), (3, 2, 14, 3)), (3, (1, 2, 1, 2), (3, 3), (1, 2, 1, 2))):
        monkeypatch.setattr(wsol, "SIDE", side)
        ours = np.array([[box[0], box[1], box[2] + 1, box[3] + 1]], float)
        assert wsol.closed(ours, truth(size=size), squash(5, 5)).tolist() == [list(told)]


sizes = st.tuples(st.integers(1, 600), st.integers(1, 600))


@given(sizes, st.tuples(*[st.integers(0, 599)] * 4))
def test_whole_boxes_come_out_as_its_metadata_do(size, edges):
    """Metadata name the first and the last pixel; ours end one beyond."""
    x0, x1 = sorted(edge % size[0] for edge in edges[:2])
    y0, y1 = sorted(edge % size[1] for edge in edges[2:])
    ours = wsol.closed(np.array([[x0, y0, x1 + 1, y1 + 1]], float), truth(size=size), squash(7, 9))
    assert tuple(ours[0].tolist()) == kit.in_frame((x0, y0, x1, y1), size, (224, 224))


def test_broken_boxes_take_in_every_pixel_that_they_touch():
    boxes = np.array([[10.2, 9.0, 11.8, 12.0], [10.2, 10.2, 10.8, 10.8], [5.0, 5.0, 5.0, 5.0]])
    picture = truth(size=(224, 224))
    assert wsol.closed(boxes, picture, squash(9, 9)).tolist() == [[10, 9, 11, 11], [10, 10, 10, 10], [5, 5, 5, 5]]
    hair = np.array([[10 + 1e-9, 9 - 1e-9, 12 + 1e-9, 12.0]])
    assert wsol.closed(hair, picture, squash(9, 9)).tolist() == [[10, 9, 11, 11]]
    assert wsol.closed(boxes[:1], truth(), squash(448, 112)).tolist() == [[5, 18, 5, 22]], "the picture's own size"


def grid(rng: np.random.Generator) -> np.ndarray:
    """A raw map: as coarse as CAM's, or as fine as the input itself; with equal cells; peaked; negative."""
    shape = [(7, 7), (1, 1), (3, 9), (14, 14), (28, 20), (224, 224), (300, 260)][rng.integers(7)]
    cells = rng.normal(size=shape)
    if shape[0] >= 224:  # smooth, for time
        y, x = (np.linspace(-2, 2, side) for side in shape)
        cells = np.exp(-((y[:, None] - rng.normal()) ** 2) - (x - rng.normal()) ** 2) + 0.2 * np.sin(3 * x)
    change = rng.integers(4)
    cells = [cells, np.round(cells), cells**5, -np.abs(cells)][change]
    return cells.astype(np.float32)


def some_boxes(rng: np.random.Generator, width: int, height: int) -> list[tuple[int, ...]]:
    """First and last pixels."""
    boxes = []
    for _ in range(rng.integers(1, 4)):
        (x0, x1), (y0, y1) = (sorted(rng.integers(0, side, 2).tolist()) for side in (width, height))
        boxes.append((x0, y0, x1, y1))
    return boxes


def told(row: dict, delta: int) -> np.ndarray:
    """Whether each threshold is right: bool (1000,)."""
    return unpacked(row[f"right{delta}"], 255)[0, wsol.CUTS]


@pytest.mark.parametrize("seed", range(9))
def test_each_threshold_is_right_where_the_kit_says_so(seed):
    rng = np.random.default_rng(seed)
    width, height = rng.integers(30, 600, 2).tolist()
    raw, boxes = grid(rng), some_boxes(rng, width, height)
    scores = kit.score_map(raw)
    # One that its maps find, so that some thresholds are right.
    best = kit.boxes_at(scores, 0.4, False)[0]
    boxes.append(tuple(int(edge * (width, height)[i % 2] / 224) for i, edge in enumerate(best)))
    case = found(raw, squash(width, height)), truth(*[(x0, y0, x1 + 1, y1 + 1) for x0, y0, x1, y1 in boxes])
    np.testing.assert_array_equal(wsol.scores(case[0], "cat"), scores)
    first, second = MaxBoxAcc(Rules()).row(*case), MaxBoxAccV2(Rules()).row(*case)
    hand = kit.right(raw, boxes, (width, height), [50], several=False)
    np.testing.assert_array_equal(told(first, 50), hand[50])
    for delta, right in kit.right(raw, boxes, (width, height), [30, 50, 70], several=True).items():
        np.testing.assert_array_equal(told(second, delta), right)


def test_the_numbers_are_the_best_of_the_shares():
    """Of a dataset in which thresholds differ: max over τ of the mean over images, not the other way round."""
    rng = np.random.default_rng(5)
    cases, first, second = [], [], []
    for threshold in (0.2, 0.3, 0.5, 0.6, 0.7):
        raw = rng.random((5, 5)).astype(np.float32)
        ((x0, y0, x1, y1),) = boxes = kit.boxes_at(kit.score_map(raw), threshold, False)
        cases.append((found(raw, squash(224, 224)), truth((x0, y0, x1 + 1, y1 + 1))))
        first.append(kit.right(raw, boxes, (224, 224), [50], several=False)[50])
        second.append([*kit.right(raw, boxes, (224, 224), [30, 50, 70], several=True).values()])
    shares = np.mean(first, 0)
    assert 0 < shares.max() < np.mean([any(one) for one in first]), "no one threshold is best for all"
    assert value("maxboxacc", *cases) == shares.max()
    assert value("maxboxacc_v2", *cases) == np.average(np.mean(second, 0).max(1))
    rows = rows_of("maxboxacc", cases)
    says = values("maxboxacc", rows)["maxboxacc"].computed_with["threshold"]
    assert says == kit.THRESHOLDS[int(shares.argmax())]
    curve = metric("maxboxacc").curves(rows)["maxboxacc"]
    np.testing.assert_array_equal(curve.x, kit.THRESHOLDS)
    np.testing.assert_array_equal(curve.y, shares)
    assert list(metric("maxboxacc_v2").curves(rows_of("maxboxacc_v2", cases))) == [
        f"maxboxacc_v2_{delta}" for delta in (30, 50, 70)
    ]


def test_holes_and_what_lies_in_them_are_contours_too():
    """A ring around an island: V2 takes the best of all, V1 the ring, for it has the most area."""
    raw = np.zeros((224, 224), np.float32)
    raw[20:200, 20:200], raw[60:160, 60:160], raw[100:110, 100:110] = 1, 0, 1
    answer = found(raw, squash(224, 224))
    for box, first in (((20, 20, 200, 200), 1), ((60, 60, 160, 160), 0), ((100, 100, 110, 110), 0)):
        assert value("maxboxacc", (answer, truth(box))) == first
        assert value("maxboxacc_v2", (answer, truth(box))) == 1
    assert value("maxboxacc_v2", (answer, truth((20, 20, 40, 40)))) == 0


def test_an_overlap_of_exactly_the_share_is_right():
    """The square ends at the border: its box is 100 × 100 pixels, both ends counted, and the truth half of that."""
    raw = np.zeros((224, 224), np.float32)
    raw[124:, 124:] = 1
    answer = found(raw, squash(224, 224))
    for rows, right in ((50, 1), (49, 0)):
        assert value("maxboxacc", (answer, truth((124, 124, 224, 124 + rows)))) == right
    for rows, share in ((70, 1), (69, 2 / 3), (50, 2 / 3), (49, 1 / 3), (30, 1 / 3), (29, 0)):
        assert value("maxboxacc_v2", (answer, truth((124, 124, 224, 124 + rows)))) == pytest.approx(share)


def test_cuts_are_those_of_the_thresholds():
    assert wsol.CUTS.tolist() == [int(threshold * np.uint8(255)) for threshold in np.arange(0, 1, 0.001)]
    assert set(wsol.CUTS) == set(range(255))


@pytest.mark.parametrize(
    "broken", [np.full((7, 7), 0.3), np.full((7, 7), np.nan), np.diag([np.inf] * 5), np.diag([np.inf] * 224)]
)
def test_a_map_that_says_nothing_has_the_corner_pixel_as_its_box(broken):
    answer = found(broken.astype(np.float32), squash(224, 224))
    assert not wsol.scores(answer, "cat").any()
    assert value("maxboxacc", (answer, truth((50, 50, 200, 200)))) == 0
    assert value("maxboxacc", (answer, truth((0, 0, 1, 1)))) == 1, "0, 0, 0, 0 is one pixel to the kit"
    assert value("maxboxacc", (found({}, squash(224, 224)), truth((0, 0, 1, 1)))) == 0, "but no map is no box"


@pytest.mark.parametrize("shape", [(7, 7), (1, 5), (20, 9)])
@settings(max_examples=30)
@given(st.integers(4, 300), st.integers(4, 300), st.integers(0, 2**32 - 1))
def test_where_part_is_seen_the_map_lies_where_it_is(shape, width, height, seed):
    """A picture that is seen whole comes out the same by the weights for parts as by cv2.resize, whose own are float32
    and so 1e-6 off, at cells as far along as 20."""
    raw = np.random.default_rng(seed).normal(size=shape)
    whole = squash(width, height)
    down, rows = wsol.bicubic(height, whole.scale[1], 0.0, 8, shape[0])
    across, columns = wsol.bicubic(width, whole.scale[0], 0.0, 8, shape[1])
    assert rows.all()
    assert columns.all()
    np.testing.assert_allclose(down @ raw @ across.T, wsol.framed(raw, whole), atol=2e-5)


def test_a_crop_and_a_pad_are_placed():
    raw = np.zeros((8, 8), np.float32)
    raw[4, 4] = 1
    raw[0, 0] = -1
    for geometry in (cropped(224, 448), padded(224, 448)):
        framed = wsol.framed(raw.astype(float), geometry)
        x, y = geometry.to_original(4.5, 4.5)
        peak = np.unravel_index(framed.argmax(), framed.shape)
        np.testing.assert_allclose(peak, (y / 2, x), atol=1.01)
        x0, y0, x1, y1 = geometry.seen
        unseen = np.ones((224, 224), bool)
        unseen[round(y0 / 2) : round(y1 / 2), round(x0) : round(x1)] = False
        assert (framed[unseen] == framed.min()).all()
        assert (framed[~unseen] > framed.min()).any()
    assert wsol.framed(raw.astype(float), padded(224, 448)).min() > -0.5, "its corners lie beside the picture"


def test_a_map_that_is_flat_where_it_was_seen_is_flat():
    for geometry in (cropped(50, 90), padded(50, 90)):
        assert not wsol.scores(found(np.full((7, 5), 0.3, np.float32), geometry), "cat").any()
    corner = np.full((16, 16), 0.3, np.float32)
    corner[0, 0] = 9
    assert not wsol.scores(found(corner, padded(20, 90)), "cat").any(), "it varies beside the picture only"
    assert not wsol.scores(found(np.full((7, 5), np.nan, np.float32), cropped(50, 90)), "cat").any()


def test_a_strip_of_which_nothing_falls_into_the_frame_is_flat():
    geometry = cropped(100_000, 10)
    assert not wsol.scores(found(np.eye(4, dtype=np.float32), geometry), "cat").any()


def test_a_number_says_how_many_maps_were_placed():
    cases = [
        (found(np.eye(4, dtype=np.float32), make(50, 90)), truth((0, 0, 9, 9))) for make in (squash, cropped, padded)
    ]
    for name in ("maxboxacc", "maxboxacc_v2"):
        assert values(name, rows_of(name, cases))[name].computed_with["placed"] == 2
    assert wsol.whole(Geometry(300, 500, 224, 384, (224 / 300, 384 / 500), (0.0, 0.0), "keep"))
