"""ROAD: the whole again from a direct solution, who is removed, seeds, ties."""

import numpy as np
import pytest
import torch

from cam_cli.metrics.metric import Rules
from cam_cli.metrics.road import Road, removed

from .answering import FLAT, TRUTH, Formula, found, image, noise
from .test_imputation import dense

ROAD = Road(Rules())


def bright(one):
    return one.sigmoid().mean().item()


def test_the_whole_from_a_direct_solution():
    """Loops over orders and percentiles, and the image's noise in the order it is drawn in."""
    picture, raw = noise(3, 10, 12), noise(10, 12, seed=1).numpy()
    order = np.argsort(-raw, axis=None)
    random, kept = torch.Generator().manual_seed(7), {}
    for name, first in (("morf", order), ("lerf", order[::-1])):
        kept[name] = []
        for percent in range(10, 100, 10):
            gone = torch.zeros(120, dtype=torch.bool)
            gone[first[: 120 * percent // 100].copy()] = True
            gone = gone.view(10, 12)
            filled = torch.from_numpy(dense(picture, gone))
            drawn = torch.randn(3, 10, 12, generator=random)
            kept[name].append(bright(torch.where(gone, filled + 0.01 * drawn, filled)))
    row = ROAD.row(found(raw), TRUTH, Formula(picture, bright, seed=7))
    np.testing.assert_allclose(row["morf"], kept["morf"], atol=1e-6)
    np.testing.assert_allclose(row["lerf"], kept["lerf"], atol=1e-6)
    expected = np.mean([(lerf - morf) / 2 for lerf, morf in zip(kept["lerf"], kept["morf"], strict=True)])
    assert row["road_combined"] == pytest.approx(expected, abs=1e-7)
    assert abs(expected) > 1e-3


@pytest.mark.parametrize("sign", [1, -1])
def test_a_map_of_what_counts_is_high_and_its_negation_as_low(sign):
    spot = torch.zeros(3, 20, 20)
    spot[:, 5:10, 5:10] = 4
    raw = sign * spot[0].numpy() + sign * np.linspace(0, 1, 400).reshape(20, 20)
    row = ROAD.row(found(raw), TRUTH, Formula(spot, lambda one: one[0, 5:10, 5:10].mean().item() / 4))
    assert sign * row["road_combined"] > 0.25
    assert row["lerf" if sign > 0 else "morf"][:5] == pytest.approx([1] * 5, abs=0.01)


def test_exactly_so_many_pixels_are_removed_from_both_ends():
    picture, order = noise(3, 9, 11), torch.randperm(99, generator=torch.Generator().manual_seed(0)).view(9, 11)
    pictures = list(removed(picture, order, 0))
    changed = [(one != picture).any(0) for one in pictures]
    counts = [99 * percent // 100 for percent in range(10, 100, 10)]
    assert [int(one.sum()) for one in changed] == counts * 2
    for count, most, least in zip(counts, changed[:9], changed[9:], strict=True):
        assert torch.equal(most, order < count)
        assert torch.equal(least, order >= 99 - count)


def test_the_noise_is_the_images():
    picture, order = torch.zeros(3, 8, 8), torch.arange(64).view(8, 8)
    one, same, other = (torch.stack(list(removed(picture, order, seed))) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    drawn = one[one != 0]
    assert drawn.std() == pytest.approx(0.01, rel=0.1)
    assert not torch.equal(one[7][:, 0], one[8][:, 0]), "each picture has noise of its own"


def test_flat_parts_lose_the_pixels_they_should():
    """Three quarters of the map are one value: a quantile would remove none or all of them."""
    raw = np.zeros((10, 10))
    raw[:5, :5] = np.arange(1, 26).reshape(5, 5)
    probe = Formula(noise(3, 10, 10))
    ROAD.row(found(raw), TRUTH, probe)
    lost = [int((one != probe.image).any(0).sum()) for one in probe.shown]
    assert lost == [10, 20, 30, 40, 50, 60, 70, 80, 90] * 2
    assert probe.asked == [18]


@pytest.mark.parametrize("raw", FLAT.values(), ids=FLAT)
def test_a_map_that_ranks_nothing_does_not_count(raw):
    probe = Formula(image([[1.0, 0], [0, 1]]))
    assert ROAD.row(found(raw), TRUTH, probe) is None
    assert probe.asked == []


def test_nothing_explained_and_no_number_do_not_count():
    assert ROAD.row(found([[1, 2]], None), TRUTH, Formula(noise(3, 4, 4))) is None
    assert ROAD.row(found([[1, 2]]), TRUTH, Formula(noise(3, 4, 4), lambda one: float("inf"))) is None


def test_curves_and_facts():
    rows = [ROAD.row(found(noise(6, 6, seed=seed).numpy()), TRUTH, Formula(noise(3, 6, 6), bright)) for seed in (1, 2)]
    curves = ROAD.curves([*rows, None])
    assert list(curves) == ["road_morf", "road_lerf"]
    np.testing.assert_allclose(curves["road_lerf"].y, np.mean([row["lerf"] for row in rows], 0))
    np.testing.assert_allclose(curves["road_morf"].x, np.arange(1, 10) / 10)
    assert ROAD.curves([]) == {}
    value = ROAD.reduce(rows, np.ones((1, 2)))["road_combined"]
    assert value.computed_with == {"percentiles": [10, 20, 30, 40, 50, 60, 70, 80, 90], "noise": 0.01}
    assert ROAD.higher_is_better
