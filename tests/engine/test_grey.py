"""Grey files of 8, 12 and 16 bits through a one-channel network whose map is known: the mean of each cell."""

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cam_cli.images.intensity import Intensity
from cam_cli.images.preprocess import View, read_pictures
from cam_cli.models.labels import Labels
from cam_cli.types import ImageItem, Recipe
from tests.conftest import SAMPLES
from tests.engine.test_explain import explainer

SIDE, CELL = 64, 4
LABELS = Labels(("bright", "dark"), None)
MEAN, STD = 0.25, 0.5


class Cells(nn.Module):
    """f = the mean of each 4-pixel cell, GAP, then w = [1, −1] and no bias: M_bright = f, M_dark = −f."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 1, CELL, stride=CELL, bias=False)
        self.fc = nn.Linear(1, 2, bias=False)
        nn.init.constant_(self.features.weight, 1 / CELL**2)
        with torch.no_grad():
            self.fc.weight.copy_(torch.tensor([[1.0], [-1]]))
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.features(x).mean((2, 3)))


def photograph() -> np.ndarray:
    """uint8 (SIDE, SIDE), from 0 to 255."""
    grey = cv2.resize(cv2.imread(str(SAMPLES / "coffee.png"), cv2.IMREAD_GRAYSCALE), (SIDE, SIDE))
    return cv2.normalize(grey, None, 0, 255, cv2.NORM_MINMAX)


def stored(grey: np.ndarray, suffix: str) -> ImageItem:
    return ImageItem("x", "-", "x", cv2.imencode(suffix, grey)[1].tobytes())


def explained(grey: np.ndarray, suffix: str, intensity: str = "auto"):
    recipe = Recipe(SIDE, SIDE, (MEAN,), (STD,), "bicubic", "options")
    views, rule = [View("", recipe, CELL)], Intensity.parse(intensity)
    (picture,) = read_pictures(stored(grey, suffix), views, fit="squash", intensity=rule, max_pixels=10**6)
    assert picture.tensor.shape == (1, SIDE, SIDE)
    (one,) = explainer(Cells(), ("cam@features",), ("bright", "dark"), labels=LABELS)([picture])
    return one


def cells(unit: np.ndarray) -> np.ndarray:
    """What the network's features are by hand, for a picture (SIDE, SIDE) in [0, 1]."""
    return ((unit - MEAN) / STD).reshape(SIDE // CELL, CELL, SIDE // CELL, CELL).mean((1, 3))


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize(("bits", "flags"), [(8, ()), (12, ("depth_guessed",)), (16, ())])
def test_every_depth_gives_the_map_by_hand(bits, flags, suffix):
    unit = photograph() / 255
    deep = np.round(unit * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
    found = explained(deep, suffix)
    assert found.flags == flags
    wanted = cells(deep / (2**bits - 1))
    bright, dark = found.maps
    np.testing.assert_allclose(bright.raw, wanted, atol=1e-5)  # float32 rounding of 16 numbers about 1
    np.testing.assert_allclose(dark.raw, -wanted, atol=1e-5)
    assert found.predictions[0].name == "bright"
    assert found.predictions[0].logit == pytest.approx(wanted.mean(), abs=1e-5)
    # The file holds the photograph rounded to its own depth: half a level of it, divided by the std.
    np.testing.assert_allclose(bright.raw, cells(unit), atol=0.5 / (2**bits - 1) / STD + 1e-5)
    assert np.abs(found.pixels[..., 0] - photograph().astype(int)).max() == 0
    assert (found.pixels == found.pixels[..., :1]).all()


@pytest.mark.parametrize(("intensity", "low", "high"), [
    ("0:4095", 0, 4095), ("dtype", 0, 65535), ("minmax", 160, 3200), ("1000:2000", 1000, 2000),
])  # fmt: skip
def test_the_network_sees_the_range_asked_for(intensity, low, high):
    deep = np.round(160 + photograph() / 255 * 3040).astype(np.uint16)
    found = explained(deep, ".png", intensity)
    assert found.flags == ()
    unit = np.clip((deep.astype(float) - low) / (high - low), 0, 1)
    np.testing.assert_allclose(found.maps[0].raw, cells(unit), atol=1e-5)
    assert np.abs(found.pixels - unit[..., None] * 255).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize(
    ("value", "intensity"), [(0, "minmax"), (4000, "minmax"), (4000, "percentile:5:95"), (0, "auto")]
)
def test_a_constant_picture_divides_by_nothing(value, intensity, suffix):
    found = explained(np.full((SIDE, SIDE), value, np.uint16), suffix, intensity)
    np.testing.assert_allclose(found.maps[0].raw, -MEAN / STD, atol=1e-6)
    assert not found.pixels.any()
