"""--tta and --smooth: the same by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cam_cli.engine.augment import Augmentation, augmentations
from cam_cli.methods import METHODS
from cam_cli.methods.smoothed import EigenSmoothed
from tests.methods.asking import captured
from tests.nets import ByHand, Residual, seeded

from .test_explain import explainer, picture

COLUMNS = ("gradcam@last", "gradcam@stem+last")


def raws(run, one) -> list[np.ndarray]:
    (found,) = run([one])
    return [each.raw for each in found.maps]


def changed(one, augmentation):
    return replace(one, tensor=augmentation.apply(one.tensor[None])[0])


def test_the_changes_of_each_choice():
    assert augmentations((), 4) == augmentations(("none",), 4) == augmentations(("spread",), 4)
    assert augmentations((), 4) == (Augmentation(stride=4),)
    assert [(one.flip, one.scale) for one in augmentations(("flip", "scales"), 32)] == [
        (False, 1.0), (True, 1.0), (False, 0.75), (True, 0.75), (False, 1.25), (True, 1.25),
    ]  # fmt: skip
    shapes = [tuple(one.apply(torch.zeros(1, 3, 224, 256)).shape[2:]) for one in augmentations(("scales",), 32)]
    assert shapes == [(224, 256), (160, 192), (288, 320)]
    shapes = [tuple(one.apply(torch.zeros(1, 3, 224, 256)).shape[2:]) for one in augmentations(("best",), 32)]
    assert shapes == [(224, 256), (224, 256), (320, 352), (320, 352)]
    assert len(augmentations(("best", "scales"), 32)) == 8


def test_a_network_that_does_not_see_sides_gives_the_same_map_mirrored():
    """Its 4-pixel cells are all the same in a row, so that nothing moves when the picture is mirrored."""
    one = picture("a", 16, 1)
    cells = one.tensor[:, ::4, ::4].repeat_interleave(4, 1).repeat_interleave(4, 2)
    from cam_cli.models.labels import Labels

    plain = explainer(ByHand(), ("cam@features", "gradcam@features"), labels=Labels(("a", "b")))
    flipped = replace(plain, augmentations=augmentations(("flip",), 4))
    one = replace(one, tensor=cells)
    for mine, theirs in zip(raws(flipped, one), raws(plain, one), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize("names", [("flip",), ("scales",), ("flip", "scales")])
def test_the_mean_of_the_maps_of_changed_inputs_put_back(names):
    run, one = explainer(seeded(Residual()), ("gradcam@last",), ("owl",)), picture("a", 32, 3)
    total = 0
    for augmentation in augmentations(names, 4):
        (raw,) = raws(run, changed(one, augmentation))
        raw = raw[:, ::-1].copy() if augmentation.flip else raw
        total = total + F.interpolate(torch.tensor(raw)[None, None], (8, 8), mode="bilinear")[0, 0].numpy()
    (found,) = raws(replace(run, augmentations=augmentations(names, 4)), one)
    np.testing.assert_allclose(found, total / len(augmentations(names, 4)), atol=1e-5)
    (plain,) = raws(run, one)
    assert np.abs(found - plain).max() > 0.01 * np.abs(plain).max()


def test_smoothed_hirescam_is_eigengradcam():
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    given = captured(seeded(Residual()), images, "last", [1, 2])
    smoothed = EigenSmoothed(METHODS.load("hirescam")())
    assert smoothed.needs == METHODS.load("hirescam").needs
    torch.testing.assert_close(smoothed.map(*given), METHODS.load("eigengradcam")().map(*given))
