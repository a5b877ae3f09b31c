"""Insertion and deletion: curves on paper, RISE's code again, its blur, ties and maps that rank nothing."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cam_cli.metrics.insertion import Deletion, Insertion, area, blurred, bounds, kernel
from cam_cli.metrics.metric import Rules
from tests.nets import Residual, seeded

from .answering import FLAT, TRUTH, Formula, found, image, noise

DELETION, INSERTION = Deletion(Rules()), Insertion(Rules())
LEFT = image([[1.0] * 14 + [0.0] * 14] * 28)  # 28 px: a column is one step


@pytest.mark.parametrize(("raw", "expected"), [([[2, 1]], 0.125), ([[1, 2]], 0.375), ([[-1, -2]], 0.125)])
def test_deletion_on_paper(raw, expected):
    """Half of the pixels are red. Gone first, the probability falls from 1/2 to 0 half way; gone last, from there on.
    Within the plateaus of a map of two cells the order is that of reading, so halves are deleted row by row."""
    probe = Formula(LEFT)
    row = DELETION.row(found(np.repeat(raw, 14, 1)), TRUTH, probe)
    assert row["deletion_auc"] == pytest.approx(expected, abs=1e-6)
    down, flat = np.linspace(0.5, 0, 15), np.full(15, 0.5 if expected > 0.2 else 0.0)
    line = [*flat[1:], *down] if expected > 0.2 else [*down, *flat[1:]]
    np.testing.assert_allclose(row["probabilities"], line, atol=1e-6)
    assert probe.asked == [29]


def test_insertion_starts_from_the_blur_and_ends_with_the_image():
    """The mean of the red of the blurred image, plus what each column brings in the place of its blur."""
    raw = np.arange(28, 0, -1.0)[None].repeat(28, 0)
    row = INSERTION.row(found(raw), TRUTH, Formula(LEFT))
    gain = (LEFT - blurred(LEFT))[0].mean(0).cumsum(0) / 28
    start = blurred(LEFT)[0].mean().item()
    np.testing.assert_allclose(row["probabilities"], [start, *(start + gain).tolist()], atol=1e-6)
    assert row["probabilities"][-1] == pytest.approx(0.5)


def by_the_book(model, picture, explanation, mode):
    """RISE's CausalMetric.single_run, said again, for pictures of 28 × 28: a step is 28 pixels."""
    pixels, step = 28 * 28, 28
    with torch.no_grad():
        best = model(picture[None]).softmax(1).argmax(1).item()
        blur = F.conv2d(picture[:, None], torch.from_numpy(spread()).float()[None, None], padding=5)[:, 0]
        start, finish = (picture.clone(), picture * 0) if mode == "del" else (blur, picture.clone())
        order = np.flip(np.argsort(explanation.reshape(-1, pixels), axis=1), axis=-1)
        scores = np.empty(29)
        for i in range(29):
            scores[i] = model(start[None]).softmax(1)[0, best]
            coords = order[0, step * i : step * (i + 1)].copy()
            start.reshape(3, pixels)[:, coords] = finish.reshape(3, pixels)[:, coords]
    return scores, (scores.sum() - scores[0] / 2 - scores[-1] / 2) / 28


@pytest.mark.parametrize(("metric", "mode"), [(DELETION, "del"), (INSERTION, "ins")])
@pytest.mark.parametrize("seed", range(3))
def test_as_the_reference_code_where_nothing_ties(metric, mode, seed):
    model, picture = seeded(Residual(), seed), noise(3, 28, 28, seed=seed)
    explanation = noise(28, 28, seed=seed + 10).numpy()
    best = model(picture[None]).argmax(1).item()
    ask = lambda one: model(one[None]).softmax(1)[0, best].item()  # noqa: E731
    row = metric.row(found(explanation), TRUTH, Formula(picture, ask))
    scores, expected = by_the_book(model, picture, explanation, mode)
    np.testing.assert_allclose(row["probabilities"], scores, atol=1e-6)
    assert row[metric.names[0]] == pytest.approx(expected, abs=1e-6)
    assert np.ptp(scores) > 0.01


def spread() -> np.ndarray:
    """scipy.ndimage.gaussian_filter(delta, 5) on 11 × 11, step by step: reflected borders, cut at 20 px."""
    weights = np.exp(-0.5 * (np.arange(-20, 21) / 5.0) ** 2)
    weights /= weights.sum()
    values = np.zeros((11, 11))
    values[5, 5] = 1
    for axis in (0, 1):
        wide = np.pad(values, [(20, 20) if one == axis else (0, 0) for one in (0, 1)], "symmetric")
        values = np.apply_along_axis(lambda line: np.convolve(line, weights, "valid"), axis, wide)
    return values


def test_the_blur_is_that_of_scipy():
    np.testing.assert_allclose(kernel(), spread(), rtol=1e-12)
    assert kernel().sum() == pytest.approx(1)
    known = {(5, 5): 0.008832628216191647, (0, 0): 0.007736635408576913, (5, 0): 0.008266488021414163}  # scipy 1.17.1
    for at, value in known.items():
        assert kernel()[at] == pytest.approx(value, rel=1e-12)


def test_beyond_the_border_the_blur_sees_the_mean_colour():
    ones = blurred(torch.ones(2, 31, 31))
    assert ones[0, 15, 15] == pytest.approx(1)
    assert ones[1, 0, 0] == pytest.approx(kernel()[5:, 5:].sum())


@pytest.mark.parametrize("pixels", [28, 29, 224 * 224, 225 * 225, 227 * 211, 5])
def test_28_steps_at_any_size(pixels):
    found_there = bounds(pixels)
    assert (found_there[0], found_there[-1], len(found_there)) == (0, pixels, 29)
    assert set(np.diff(found_there)) <= {pixels // 28, pixels // 28 + 1}
    if pixels == 224 * 224:
        assert set(np.diff(found_there)) == {224 * 8}


def test_equal_pixels_go_in_reading_order():
    """One cell of four is hotter; behind it the rest goes row by row."""
    probe = Formula(noise(3, 28, 28).abs() + 1)
    raw = np.zeros((28, 28))
    raw[14:, :14] = 1
    DELETION.row(found(raw), TRUTH, probe)
    hot, rest = probe.shown[7], probe.shown[8]
    assert not hot[:, 14:, :14].any()
    assert hot[:, :14].all()
    assert not rest[:, 0].any()
    assert rest[:, 1:14].all()


@pytest.mark.parametrize("raw", FLAT.values(), ids=FLAT)
def test_a_map_that_ranks_nothing_does_not_count(raw):
    probe = Formula(LEFT)
    assert DELETION.row(found(raw), TRUTH, probe) is None
    assert INSERTION.row(found(raw), TRUTH, probe) is None
    assert probe.asked == []


def test_nothing_explained_and_no_number_do_not_count():
    assert DELETION.row(found([[1, 2]], None), TRUTH, Formula(LEFT)) is None
    assert DELETION.row(found([[1, 2]]), TRUTH, Formula(LEFT, lambda one: float("nan"))) is None


def test_what_speaks_against_the_class_goes_last():
    """Zero is hotter than −1: a rectified map could not tell."""
    probe = Formula(LEFT)
    assert DELETION.row(found([[-1.0] * 14 + [0.0] * 14] * 28), TRUTH, probe)["deletion_auc"] > 0.3


def test_the_curve_is_the_mean_over_images_and_the_direction_is_said():
    rows = [DELETION.row(found(np.repeat(raw, 14, 1)), TRUTH, Formula(LEFT)) for raw in ([[2, 1]], [[1, 2]])]
    curve = DELETION.curves([rows[0], None, rows[1]])["deletion_auc"]
    np.testing.assert_allclose(curve.x, np.arange(29) / 28)
    np.testing.assert_allclose(curve.y, np.mean([row["probabilities"] for row in rows], 0))
    assert area(curve.y) == pytest.approx(0.25)
    assert DELETION.curves([None]) == {}
    assert (DELETION.higher_is_better, INSERTION.higher_is_better) == (False, True)
