"""Average drop and increase in confidence by hand."""

import numpy as np
import pytest

from cam_cli.metrics.drop import AverageDrop, IncreaseInConfidence, masked
from cam_cli.metrics.metric import Rules

from .answering import FLAT, TRUTH, Formula, found, image, noise

DROP, INCREASE = AverageDrop(Rules()), IncreaseInConfidence(Rules())
RAW = [[2.0, 1], [0, -5]]  # lets through 1, 1/2, 0, 0


@pytest.mark.parametrize(
    ("red", "drop", "increase"),
    [
        ([[1.0, 1], [1, 1]], 0.625, False),  # Y = 1, O = 3/8
        ([[1.0, 0], [0, 1]], 0.5, False),  # Y = 1/2, O = 1/4
        ([[1.0, 1], [-1, 0]], 0.0, True),  # Y = 1/4, O = 3/8
        ([[1.0, 0], [0, 0]], 0.0, False),  # Y = O: no increase
        ([[0.0, 0], [0, 0]], 0.0, False),  # Y = 0: nothing to lose
    ],
)
def test_by_hand(red, drop, increase):
    probe, one = Formula(image(red)), found(RAW)
    row = DROP.row(one, TRUTH, probe)
    assert row["average_drop"] == pytest.approx(drop)
    assert row["probability"] == pytest.approx(np.mean(red))
    assert INCREASE.row(one, TRUTH, probe)["increase_in_confidence"] is increase
    assert probe.asked == [2], "both are read from one pass"


@pytest.mark.parametrize("raw", [*FLAT.values(), [[-1.0, -2], [-3, -4]]], ids=[*FLAT, "nowhere positive"])
def test_a_map_without_heat_leaves_the_mean_colour(raw):
    probe = Formula(image([[1.0, 1], [1, 1]]), lambda one: 0.5 + one[0].mean().item() / 4)
    row = DROP.row(found(raw), TRUTH, probe)
    assert (row["probability"], row["masked_probability"]) == (0.75, 0.5)
    assert row["average_drop"] == pytest.approx(1 / 3)
    assert not probe.shown[1].any()


def test_the_mask_is_the_heatmap_at_the_inputs_size():
    """A grid of 1 × 2 over 8 columns: bilinear between centres at 2 and 6, clamped beyond; the mask keeps the sign."""
    picture = -image([[1.0] * 8] * 4)
    np.testing.assert_allclose(
        masked(picture, np.array([[0.0, 4.0]], np.float32))[2, 3],
        -np.array([0, 0, 0.125, 0.375, 0.625, 0.875, 1, 1]),
    )


def test_nothing_explained_and_no_number_do_not_count():
    assert DROP.row(found(RAW, None), TRUTH, Formula(image([[1.0]]))) is None
    for metric in (DROP, INCREASE):
        assert metric.row(found(RAW), TRUTH, Formula(noise(3, 2, 2), lambda one: float("nan"))) is None


def test_directions():
    assert (DROP.higher_is_better, INCREASE.higher_is_better) == (False, True)
