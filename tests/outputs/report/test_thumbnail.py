"""Thumbnails: size, bytes, the photograph as it is and under its heat."""

import cv2
import numpy as np
import pytest

from cam_cli.outputs.report.thumbnail import ROOM, SIDE, thumbnails

from .examples import SAMPLES


def decoded(data: bytes) -> np.ndarray:
    """uint8 (h, w, 3) RGB."""
    assert data[:4] == b"RIFF"
    assert data[8:12] == b"WEBP"
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.*g")), ids=lambda path: path.stem)
def test_photographs_are_small(path):
    pixels = np.ascontiguousarray(cv2.imread(str(path))[..., ::-1])
    heat = np.tile(np.linspace(0, 1, pixels.shape[1], dtype=np.float32), (pixels.shape[0], 1))
    for data in thumbnails(pixels, heat):
        assert len(data) <= ROOM
        height, width = decoded(data).shape[:2]
        assert max(height, width) == SIDE
        assert abs(width / height - pixels.shape[1] / pixels.shape[0]) < 0.02


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((20, 30), (20, 30)), ((960, 640), (320, 213)), ((1, 5000), (1, 320)), ((320, 321), (319, 320))],
)
def test_sizes(shape, expected):
    pixels = np.full((*shape, 3), 128, np.uint8)
    assert [decoded(data).shape[:2] for data in thumbnails(pixels, np.zeros(shape, np.float32))] == [expected] * 2


def test_heat_colours_where_it_is_hot_and_leaves_the_rest():
    pixels = np.full((400, 800, 3), (90, 140, 190), np.uint8)
    heat = np.zeros((400, 800), np.float32)
    heat[:, 400:] = 1
    plain, warm = map(decoded, thumbnails(pixels, heat))
    assert plain.shape == warm.shape == (160, 320, 3)
    assert abs(plain - (90, 140, 190)).max() <= 5
    assert abs(warm[:, :150] - plain[:, :150]).max() <= 4
    hottest = np.array((252, 255, 164))  # of inferno
    assert abs(warm[:, 170:] - (0.6 * hottest + 0.4 * np.array((90, 140, 190)))).max() <= 5


def test_the_heat_of_a_single_pixel_is_not_lost_and_not_the_size_of_another():
    heat = np.zeros((50, 100), np.float32)
    heat[25:, :] = 1  # heat need not have the picture's own size
    plain, warm = map(decoded, thumbnails(np.full((500, 1000, 3), 100, np.uint8), heat))
    assert abs(warm[:70] - plain[:70]).max() <= 4
    assert (warm[90:] - plain[90:])[..., 0].min() > 60


def test_what_the_model_did_not_see_is_hatched():
    pixels = np.full((400, 800, 3), 200, np.uint8)
    plain, warm = map(decoded, thumbnails(pixels, np.zeros((400, 800), np.float32), np.s_[0:400, 200:600]))
    assert abs(warm[:, 90:230] - plain[:, 90:230]).max() <= 6
    assert np.ptp(warm[:, :70, 0]) > 20
    assert np.ptp(plain[..., 0]) <= 3


def test_noise_may_be_larger_and_is_still_a_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    plain, _ = thumbnails(pixels, np.zeros((320, 320), np.float32))
    assert len(plain) > ROOM
    assert decoded(plain).shape == (320, 320, 3)
