"""From a marker in a file to a peak in the original: decode, fit, network, map and back, on a network known by hand."""

import numpy as np
import pytest
import torch
from PIL import Image

from cam_cli.boxes import locate
from cam_cli.images.intensity import Intensity
from cam_cli.images.preprocess import View, read_pictures
from cam_cli.maps import heatmap, window
from cam_cli.models.labels import Labels
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import ImageItem, Recipe
from tests.engine.test_explain import explainer
from tests.nets import ByHand

RECIPE = Recipe(64, 64, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "bilinear", "options")
TURNS = {
    1: lambda picture: picture,
    2: lambda picture: picture[:, ::-1],
    3: lambda picture: picture[::-1, ::-1],
    4: lambda picture: picture[::-1],
    5: lambda picture: picture.transpose(1, 0, 2),
    6: lambda picture: np.rot90(picture, 1),
    7: lambda picture: picture[::-1, ::-1].transpose(1, 0, 2),
    8: lambda picture: np.rot90(picture, -1),
}
"""EXIF orientation → how an upright picture is stored under it."""


def stored(tmp_path, upright: np.ndarray, orientation: int) -> ImageItem:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "picture.png"
    Image.fromarray(np.ascontiguousarray(TURNS[orientation](upright))).save(path, exif=exif)
    return ImageItem("picture.png", str(path), "picture")


def peak_of(item: ImageItem, fit: str):
    (picture,) = read_pictures(item, [View("", RECIPE, 4)], fit=fit, intensity=Intensity(), max_pixels=10**6)
    run = explainer(ByHand(), ("cam@features",), ("red",), labels=Labels(("red", "green"), None))
    (one,) = run([picture])
    assert torch.isfinite(picture.tensor).all()
    return heatmap(one.maps[0].raw, one.geometry), picture


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("fit", ["model", "squash", "pad", "keep"])
@pytest.mark.parametrize(("width", "height"), [(300, 500), (500, 300)])
def test_a_corner_marker_comes_back_to_its_corner(tmp_path, width, height, fit, orientation):
    upright = np.zeros((height, width, 3), np.uint8)
    # the crop of `model` sees the middle square of 300; the marker is at that square's upper right in every fit
    left, top = (width - 300) // 2 + 240, (height - 300) // 2 + 20
    upright[top : top + 40, left : left + 40, 0] = 255
    found, picture = peak_of(stored(tmp_path, upright, orientation), fit)
    assert (picture.geometry.width, picture.geometry.height) == (width, height)
    np.testing.assert_array_equal(picture.pixels, upright)
    x, y = found.peak
    assert left <= x < left + 40
    assert top <= y < top + 40
    hot = found.heat > 0.5
    rows, columns = np.where(hot)
    assert abs(rows.mean() + 0.5 - (top + 20)) < 8
    assert abs(columns.mean() + 0.5 - (left + 20)) < 8
    if fit == "model":  # torchvision's rounding of the resized side costs up to a pixel
        edges = [edge for part in window(picture.geometry) for edge in (part.start, part.stop)]
        middle = [(height - 300) // 2, (height + 300) // 2, (width - 300) // 2, (width + 300) // 2]
        np.testing.assert_allclose(edges, middle, atol=1)


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("fit", ["model", "squash", "pad", "keep"])
@pytest.mark.parametrize(("width", "height"), [(300, 500), (500, 300)])
def test_the_box_of_a_marker_is_the_marker(tmp_path, width, height, fit, orientation):
    upright = np.zeros((height, width, 3), np.uint8)
    left, top, right, bottom = width // 2 - 90, height // 2 - 70, width // 2 + 20, height // 2 + 60
    upright[top:bottom, left:right, 0] = 255
    if fit == "model":  # as wide as the picture, so that a part of it is unseen
        upright[top:bottom] = upright[top, left]
    found, picture = peak_of(stored(tmp_path, upright, orientation), fit)
    (box,) = locate(found.heat, 0.5, BoxSpec("0.5")).boxes
    rows, columns = window(picture.geometry)
    across = (columns.start, columns.stop) if fit == "model" else (left, right)
    cell = 4 / min(picture.geometry.scale)
    np.testing.assert_allclose(box.xyxy, [across[0], top, across[1], bottom], atol=cell / 2 + 1)
    assert columns.start <= box.xyxy[0] < box.xyxy[2] <= columns.stop
    assert rows.start <= box.xyxy[1] < box.xyxy[3] <= rows.stop
    assert box.score == 0.5
