"""Parts of masks, found by their outlines, against counting pixels one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cam_cli import components
from cam_cli.boxes import largest_boxes, locate, overlaps
from cam_cli.components import largest, outlines
from cam_cli.specs.boxes import BoxSpec

HUNDREDTHS = [percent / 100 for percent in range(100)]


def parts(mask: np.ndarray) -> list[list[tuple[int, int]]]:
    """The 8-connected parts as lists of (y, x), in reading order, by walking from pixel to pixel."""
    left, found = {(int(y), int(x)) for y, x in np.argwhere(mask)}, []
    while left:
        front, part = [min(left)], []
        left -= set(front)
        while front:
            y, x = front.pop()
            part.append((y, x))
            near = {(y + down, x + across) for down in (-1, 0, 1) for across in (-1, 0, 1)} & left
            front += near
            left -= near
        found.append(sorted(part))
    return sorted(found)


def box(part: list[tuple[int, int]]) -> tuple[int, int, int, int]:
    ys, xs = zip(*part, strict=True)
    return min(xs), min(ys), max(xs) + 1, max(ys) + 1


def drawn(text: str) -> np.ndarray:
    return np.array([[one == "x" for one in row] for row in text.split()])


def noise(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.random(rng.integers(1, 14, 2)) < rng.uniform(0.1, 0.95)


ADVERSARIAL = [
    "x", ".", "xx", "x.x", "x. .x", ".x. x.x .x.",  # a diamond has a hole of one pixel
    "xxxxx x...x x.x.x x...x xxxxx",  # an island in a lake
    "xxxxxxx x.....x x.xxx.x x.x.x.x x.xxx.x x.....x xxxxxxx",  # a lake on it
    "xxxx xx.x x.xx xxxx",  # two holes that touch at a corner are two
    "xxxxx x...x xxx.x x...x xxxxx",  # a spit into the lake, walked both ways
    "..x.. ..x.. xxxxx ..x.. ..x..", "x...x .x.x. ..x.. .x.x. x...x", "xx.xx xx.xx ..x.. xx.xx xx.xx",
    "xxxxxxxxxxxx", "x x x x", ".x.x.x. x.x.x.x .x.x.x.",
]  # fmt: skip


@pytest.mark.parametrize("many", [False, True], ids=["outlines", "labels"])
@pytest.mark.parametrize("text", ADVERSARIAL)
def test_every_part_has_its_box_and_as_many_pixels_as_there_are(text, many):
    assert_parts(drawn(text), many)


@pytest.mark.parametrize("many", [False, True], ids=["outlines", "labels"])
def test_every_part_of_noise_too(many):
    for seed in range(150):
        assert_parts(noise(seed), many)


def assert_parts(mask, many):
    seen = outlines(mask, many)
    assert sorted(zip(seen.boxes, seen.areas, strict=True)) == sorted((box(part), len(part)) for part in parts(mask))
    if seen.areas:
        assert seen.hull == box([pixel for part in parts(mask) for pixel in part])


def by_hand(mask: np.ndarray, heat: np.ndarray) -> tuple | None:
    """The most pixels, then the most heat, then the first in reading order: box, pixels."""

    def rank(part):
        warmth = 0.0
        for y, x in part:
            warmth += float(heat[y, x])
        return -len(part), -warmth, part[0]

    best = min(parts(mask), key=rank, default=None)
    return None if best is None else (box(best), set(best))


@pytest.mark.parametrize("many", [components.MANY, 0], ids=["outlines", "labels"])
def test_the_largest_part_with_ties(many, monkeypatch):
    """Of few pixels and few values, so that most have equals in pixels, and many in heat too."""
    monkeypatch.setattr(components, "MANY", many)
    for seed in range(120):
        rng = np.random.default_rng(seed)
        mask = rng.random(rng.integers(1, 9, 2)) < rng.uniform(0.1, 0.6)
        heat = rng.choice(np.array([0.1, 0.2, 0.3], np.float32), mask.shape)
        found, hand = largest(mask, heat), by_hand(mask, heat)
        assert (found is None) == (hand is None)
        if hand is not None:
            assert (found.box, found.area) == (hand[0], len(hand[1]))
            x0, y0, _, _ = found.box
            assert {(y + y0, x + x0) for y, x in np.argwhere(found.inside).tolist()} == hand[1]


def smooth(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """A heatmap as they are: bilinear between some cells."""
    cells = rng.random((rng.integers(1, 8), rng.integers(1, 8)))
    y, x = (np.linspace(0, side - 1, length) for side, length in zip(cells.shape, (height, width), strict=True))
    rows = np.array([np.interp(x, range(cells.shape[1]), row) for row in cells])
    return np.array([np.interp(y, range(cells.shape[0]), column) for column in rows.T]).T


def heats(kind: str, rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    heat = {
        "smooth": lambda: smooth(rng, height, width),
        "noise": lambda: rng.random((height, width)),
        "hundredths": lambda: rng.integers(0, 101, (height, width)) / 100,  # exactly at the thresholds
        "two values": lambda: rng.choice([0.0, 1.0], (height, width)),
        "spikes": lambda: rng.random((height, width)) ** 12,
        "tiles": lambda: np.kron(rng.integers(0, 4, (height, width)) / 3, np.ones((2, 3))),
    }[kind]()
    return np.ascontiguousarray(heat, np.float32)


def located(heat: np.ndarray, fractions) -> np.ndarray:
    each = [locate(heat, 1.0, BoxSpec(str(fraction))).boxes for fraction in fractions]
    return np.array([one[0].xyxy if one else (0, 0, 0, 0) for one in each], int)


kinds = st.sampled_from(["smooth", "noise", "hundredths", "two values", "spikes", "tiles"])


@settings(max_examples=60)
@given(kinds, st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_a_sweep_is_locate_at_every_threshold(kind, height, width, seed):
    heat = heats(kind, np.random.default_rng(seed), height, width)
    np.testing.assert_array_equal(largest_boxes(heat, HUNDREDTHS), located(heat, HUNDREDTHS))


@pytest.mark.parametrize("kind", ["smooth", "noise", "two values"])
def test_a_sweep_of_a_photograph_is_locate_at_every_threshold(kind):
    """Large enough that parts are labelled while there are many of them."""
    heat = heats(kind, np.random.default_rng(1), 150, 210)
    assert (len(outlines(heat > 0.9).areas) > components.MANY) == (kind == "noise")
    np.testing.assert_array_equal(largest_boxes(heat, HUNDREDTHS), located(heat, HUNDREDTHS))


def test_locate_by_walking():
    for seed in range(60):
        rng = np.random.default_rng(seed)
        heat = heats(["smooth", "hundredths", "tiles"][seed % 3], rng, *rng.integers(1, 12, 2))
        fraction = float(rng.choice(HUNDREDTHS))
        hand = by_hand(heat > np.float32(fraction * float(heat.max())), heat) if heat.min() < heat.max() else None
        regions = locate(heat, 0.5, BoxSpec(str(fraction)))
        assert [(one.xyxy, one.area) for one in regions.boxes] == ([(hand[0], len(hand[1]))] if hand else [])
        assert {(y, x) for y, x in np.argwhere(regions.mask).tolist()} == (hand[1] if hand else set())


@pytest.mark.parametrize("heat", [np.zeros((5, 6)), np.full((5, 6), 0.3), np.full((4, 4), np.nan)])
def test_a_sweep_of_a_heat_that_says_nothing_is_zeros(heat):
    assert not largest_boxes(heat.astype(np.float32), HUNDREDTHS).any()


def test_a_sweep_takes_any_ascending_fractions():
    heat = drawn("xx... xx..x").astype(np.float32)
    heat[0, 0] = 0.5
    assert largest_boxes(heat, (0.2, 0.5, 0.5)).tolist() == [[0, 0, 2, 2], [0, 0, 2, 2], [0, 0, 2, 2]]
    assert largest_boxes(heat, ()).shape == (0, 4)


def test_overlaps_half_open_and_closed():
    boxes = np.array([[0, 0, 4, 4], [1, 1, 2, 2], [5, 5, 5, 5]])
    other = np.array([[2, 0, 6, 4], [1, 1, 2, 2], [5, 5, 5, 5]])
    third, sixteenth = 8 / 24, 1 / 16
    np.testing.assert_array_equal(overlaps(boxes, other)[:2], [[third, sixteenth, 0], [0, 1, 0]])
    np.testing.assert_array_equal(overlaps(boxes, other)[2], [0, 0, 0])  # without area
    np.testing.assert_array_equal(overlaps(boxes, other, closed=True)[:, 2], [0, 0, 1])
    assert overlaps(boxes, other, closed=True)[0, 0] == 15 / 35
    assert overlaps(np.array([[0.5, 0, 2, 1]]), np.array([[1.0, 0, 2.5, 1]]))[0, 0] == 0.5


def test_overlap_of_exactly_a_half():
    assert overlaps(np.array([[0, 0, 10, 10]]), np.array([[0, 0, 10, 5]]))[0, 0] == 0.5
