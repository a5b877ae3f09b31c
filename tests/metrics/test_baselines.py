"""Maps that know nothing of the picture."""

import numpy as np
import pytest

from cam_cli.metrics.baselines import centre, random
from cam_cli.metrics.metric import Found
from cam_cli.types import Geometry, Object

from .made import cropped, found, metric, padded, squash, truth, value


@pytest.mark.parametrize("make", [squash, cropped, padded])
@pytest.mark.parametrize("size", [(300, 500), (500, 300), (64, 64)])
def test_the_centre_of_what_was_seen(make, size):
    geometry = make(*size)
    answer = found(centre(geometry), geometry)
    assert answer.maps["cat"].dtype == np.float32
    heat = answer.heatmap("cat")
    x0, y0, x1, y1 = geometry.seen
    np.testing.assert_allclose(heat.peak, ((x0 + x1) / 2, (y0 + y1) / 2), atol=1 + max(size) / 64)
    (left, top, right, bottom), = metric("gt_known_loc").row(answer, truth((0, 0, 1, 1)))["box"]  # fmt: skip
    assert (left - x0, top - y0) == (pytest.approx(x1 - right, abs=1), pytest.approx(y1 - bottom, abs=1))
    assert 0.3 < (right - left) * (bottom - top) / ((x1 - x0) * (y1 - y0)) < 1


def test_the_centre_of_a_picture_in_a_corner_of_the_input():
    geometry = Geometry(40, 20, 8, 8, (0.2, 0.2), (0.0, 0.0), "pad")
    assert np.argwhere(centre(geometry) == centre(geometry).max()).mean(0).tolist() == [7.5, 15.5]


def test_it_falls_by_the_formula():
    raw = centre(squash(224, 224))
    x = (np.arange(32) + 0.5) / 16 - 1
    np.testing.assert_allclose(raw, np.exp(-2 * (x[:, None] ** 2 + x**2)), rtol=1e-6)


def test_noise_comes_from_the_seed():
    assert (random(3).shape, random(3).dtype) == ((7, 7), np.float32)
    np.testing.assert_array_equal(random(3), random(3))
    assert (random(3) != random(4)).any()
    assert random(5).min() >= 0
    assert random(5).max() < 1


def test_every_metric_takes_them_in_place_of_maps():
    geometry = squash(60, 40)
    told = truth(Object("cat", (15, 10, 45, 30)))
    for raw in (centre(geometry), random(1)):
        answer = Found(geometry, {"cat": raw}, ("cat",), {"cat": 0.5}, masks={"cat": np.eye(9, dtype=np.uint8)})
        for name in ("gt_known_loc", "maxboxacc", "maxboxacc_v2", "pxap", "pointing_game", "location_ap", "mean_iou"):
            assert 0 <= value(name, (answer, told)) <= 1
    assert value("pointing_game", (Found(geometry, {"cat": centre(geometry)}), told)) == 1
    assert value("maxboxacc", (Found(geometry, {"cat": centre(geometry)}), told)) == 1
