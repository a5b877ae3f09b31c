"""--tta spread and best: who looks alike, by hand; what that makes of maps."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from cam_cli.engine.augment import augmentations
from cam_cli.engine.likeness import BACKGROUND, Likeness, less_background
from cam_cli.maps import heatmap
from cam_cli.models.layers import survey
from cam_cli.types import Geometry
from tests.nets import Residual, seeded

from .test_explain import explainer, picture

COLUMNS = ("cam@last", "gradcam@stem", "gradcam@stem+last")


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_two_kinds_of_cells_and_one_like_none():
    """Cells a a / b 0: a map is averaged over the a's, kept at b, and 0 where nothing says what the cell is."""
    features = torch.tensor([[[[2.0, 5], [0, 0]], [[0, 0], [3, 0]]]])
    likeness = Likeness.of([features])
    expected = [[0.5, 0.5, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    torch.testing.assert_close(likeness.weights, torch.tensor([expected]))
    spread = likeness.spread(torch.tensor([[[1.0, -4], [7, 9]]]), [0])
    torch.testing.assert_close(spread, torch.tensor([[[-1.5, -1.5], [7, 0]]]))


def test_opposite_cells_are_not_alike_and_half_alike_counts_a_quarter():
    """cos 60° = 1/2, squared 1/4; cos 180° = −1 counts as 0."""
    features = torch.tensor([[1.0, 0], [0.5, 0.75**0.5], [-1, 0]]).T.reshape(1, 2, 1, 3)
    (weights,) = Likeness.of([features]).weights
    torch.testing.assert_close(weights[0], torch.tensor([0.8, 0.2, 0]))


def test_against_loops_over_cells():
    fine, other, coarse = noise(2, 5, 4, 6), noise(2, 3, 4, 6).abs(), noise(2, 7, 2, 3)
    found = Likeness.of([coarse, fine, other])
    assert found.grid == (4, 6)
    grown = F.interpolate(coarse, (4, 6), mode="bilinear")
    for row in range(2):
        layers = [one[row].reshape(one.shape[1], 24).T.double().numpy() for one in (grown, fine, other)]
        kernel = np.zeros((24, 24))
        for i in range(24):
            for j in range(24):
                cosines = [one[i] @ one[j] / np.linalg.norm(one[i]) / np.linalg.norm(one[j]) for one in layers]
                kernel[i, j] = np.mean(np.maximum(cosines, 0)) ** 2
        np.testing.assert_allclose(found.weights[row], kernel / kernel.sum(1, keepdims=True), atol=1e-6)


def test_rows_are_those_of_the_images_asked_for():
    likeness, maps = Likeness.of([noise(3, 5, 4, 4)]), noise(3, 2, 2)
    torch.testing.assert_close(likeness.spread(maps[[2, 0]], [2, 0]), likeness.spread(maps, [0, 1, 2])[[2, 0]])


def test_20_percent_of_what_is_left_is_47_percent_of_what_was():
    maps = noise(1, 8, 8) + 0.5
    cut = less_background(maps)[0].numpy()
    geometry = Geometry(32, 32, 32, 32, (1.0, 1.0), (0.0, 0.0), "squash")
    at = BACKGROUND + 0.2 * (1 - BACKGROUND)
    np.testing.assert_array_equal(cut > 0.2 * cut.max(), (maps[0].relu() > at * maps.max()).numpy())
    assert heatmap(cut, geometry).peak == heatmap(maps[0].numpy(), geometry).peak


def test_no_background_is_taken_off_what_is_nowhere_positive():
    maps = -noise(2, 3, 3).abs()
    torch.testing.assert_close(less_background(maps), maps)


@pytest.mark.parametrize("names", [("spread",), ("best",)])
def test_maps_of_the_engine_are_spread_then_put_back_then_cut(names):
    model, one = seeded(Residual()), picture("a", 32, 3)
    run = explainer(model, COLUMNS[:2], ("owl",))
    alike = (run.columns[1].layers[0], run.columns[0].layers[0])
    total: list = [0, 0]
    for change in augmentations(names, 4):
        changed = replace(one, tensor=change.apply(one.tensor[None])[0])
        (found,) = run([changed])
        seen = run.forward.record(changed.tensor[None], [layer.path for layer in alike], gradients=False)
        likeness = Likeness.of(list(seen.activations.values()))
        for place, each in enumerate(found.maps):
            spread = likeness.spread(torch.tensor(each.raw)[None], [0])
            spread = spread.flip(2) if change.flip else spread
            total[place] = total[place] + F.interpolate(spread[None], (16, 16), mode="bilinear")[0]
    (found,) = replace(run, alike=alike, augmentations=augmentations(names, 4))([one])
    for mine, summed in zip(found.maps, total, strict=True):
        expected = less_background(summed / len(augmentations(names, 4)))[0].numpy()
        np.testing.assert_allclose(mine.raw, expected, atol=1e-5 * np.abs(expected).max())


def test_a_batch_is_one_by_one():
    model = seeded(Residual())
    run = explainer(model, COLUMNS, ("all",), min_prob=0.2)
    run = replace(run, alike=tuple(survey(model, 16).choose("stem")[0]), augmentations=augmentations(("best",), 4))
    pictures = [picture(str(seed), seed=seed) for seed in range(5)]
    together = list(run(pictures))
    assert len({len(one.maps) for one in together}) > 1
    for one, mine in zip(pictures, together, strict=True):
        (alone,) = run([one])
        for this, other in zip(mine.maps, alone.maps, strict=True):
            np.testing.assert_allclose(this.raw, other.raw, atol=1e-5)
