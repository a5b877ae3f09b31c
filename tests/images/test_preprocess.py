"""What the network is shown: the right pixels, at the right place, on the right scale."""

import numpy as np
import pytest
import torch
from PIL import Image

from cam_cli.errors import ImageTooLarge, ImageUnreadable
from cam_cli.images.fitting import place
from cam_cli.images.preprocess import prepare, read_picture, to_rgb8, to_unit
from cam_cli.types import IMAGE_FLAGS, Recipe

from .pictures import encoded, exif, item, saved, smooth

RECIPE = Recipe(
    size=224, resize=256, mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2), interpolation="bicubic", source="weights"
)
FITS = ("model", "squash", "pad", "keep")


def unit(tensor: torch.Tensor) -> torch.Tensor:
    """Normalising undone."""
    return tensor * torch.tensor(RECIPE.std)[:, None, None] + torch.tensor(RECIPE.mean)[:, None, None]


def shown(values: np.ndarray, fit: str, size: int | None = None, stride: int = 32, recipe: Recipe = RECIPE):
    return prepare(values, recipe, fit=fit, size=size, stride=stride)


# Geometry


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(300, 500), (500, 300)])
@pytest.mark.parametrize("fit", FITS)
def test_a_marker_lands_where_the_geometry_says(fit, shape, dtype):
    height, width = shape
    for x, y in [(width / 2, height / 2), (width * 0.3, height * 0.4), (width * 0.72, height * 0.66)]:
        picture = np.zeros((height, width, 3), np.uint8)
        left, top = int(x) - 10, int(y) - 10
        picture[top : top + 20, left : left + 20] = 255
        values = {"uint8": picture, "uint16": picture.astype(np.uint16) * 257, "float32": picture / np.float32(255)}[
            dtype
        ]
        tensor, geometry = shown(values, fit)
        assert tensor.shape == (3, geometry.input_height, geometry.input_width)
        assert tensor.dtype == torch.float32
        heat = unit(tensor)[0] * (tensor != 0).any(0)  # the picture is black, never the mean; pad is
        centre_x = float((heat.sum(0) * (torch.arange(heat.shape[1]) + 0.5)).sum() / heat.sum())
        centre_y = float((heat.sum(1) * (torch.arange(heat.shape[0]) + 0.5)).sum() / heat.sum())
        wanted = geometry.to_input(left + 10, top + 10)
        assert (centre_x, centre_y) == pytest.approx(wanted, abs=0.05)
        assert geometry.to_original(*wanted) == pytest.approx((left + 10, top + 10), abs=1e-9)


@pytest.mark.parametrize(
    ("fit", "size", "shape", "input_shape", "seen"),
    [
        ("model", None, (300, 500), (224, 224), (118.5, 18.75, 381.5, 281.25)),
        ("model", None, (500, 300), (224, 224), (18.75, 118.5, 281.25, 381.5)),
        ("model", 448, (300, 300), (448, 448), (18.75, 18.75, 281.25, 281.25)),
        ("squash", None, (300, 500), (224, 224), (0, 0, 500, 300)),
        ("squash", 100, (300, 500), (100, 100), (0, 0, 500, 300)),
        ("pad", None, (300, 500), (224, 224), (0, 0, 500, 300)),
        ("keep", None, (300, 500), (256, 416), (0, 0, 500, 300)),
        ("keep", 64, (300, 500), (64, 96), (0, 0, 500, 300)),
    ],
)
def test_what_is_seen(fit, size, shape, input_shape, seen):
    tensor, geometry = shown(np.zeros((*shape, 3), np.uint8), fit, size)
    assert tensor.shape[1:] == input_shape
    assert geometry.seen == pytest.approx(seen, abs=0.6)
    assert (geometry.width, geometry.height) == (shape[1], shape[0])


def test_pad_is_exactly_the_mean_and_only_outside():
    tensor, geometry = shown(np.full((300, 500, 3), 255, np.uint8), "pad")
    top = round(geometry.offset[1])
    bottom = top + round(300 * geometry.scale[1])
    assert (top, bottom) == (45, 179)
    assert not tensor[:, :top].any()
    assert not tensor[:, bottom:].any()
    assert (unit(tensor)[:, top:bottom] - 1).abs().max() < 1e-6


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("shape", [(30, 2000), (2000, 30), (1, 1), (4000, 6000), (7, 3)])
def test_any_shape_works(fit, shape):
    tensor, geometry = shown(np.full((*shape, 3), 200, np.uint8), fit)
    assert tensor.shape[1:] == (geometry.input_height, geometry.input_width)
    inside = unit(tensor)[:, geometry.input_height // 2, geometry.input_width // 2]
    assert inside.tolist() == pytest.approx([200 / 255] * 3, abs=1e-5)
    assert geometry.input_height % 32 == geometry.input_width % 32 == 0


@pytest.mark.parametrize("fit", ["model", "keep"])
def test_an_endless_strip_is_refused_with_what_to_do(fit):
    with pytest.raises(ImageTooLarge, match="--fit squash"):
        place(1, 100_000, RECIPE, fit, None, 32)
    assert place(1, 100_000, RECIPE, "squash", None, 32).height == 224


def test_a_crop_larger_than_the_picture_is_padded():
    tensor, geometry = shown(
        np.full((100, 200, 3), 255, np.uint8),
        "model",
        recipe=Recipe(64, 32, RECIPE.mean, RECIPE.std, "bicubic", "options"),
    )
    assert tensor.shape == (3, 64, 64)
    assert geometry.offset == (0, 16)
    assert not tensor[:, :16].any()
    assert (unit(tensor)[:, 16:48] - 1).abs().max() < 1e-6


# Parity


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("shape", [(300, 500), (501, 333), (240, 241), (90, 70)])
def test_fit_model_is_what_torchvision_does(shape, interpolation):
    from torchvision import transforms

    picture = smooth(*shape)
    mode = transforms.InterpolationMode(interpolation)
    theirs = transforms.Compose([transforms.Resize(256, mode), transforms.CenterCrop(224), transforms.ToTensor()])(
        Image.fromarray(picture)
    )
    recipe = Recipe(224, 256, RECIPE.mean, RECIPE.std, interpolation, "weights")
    ours = unit(shown(picture, "model", recipe=recipe)[0])
    assert (ours - theirs).abs().max() * 255 < 1.1
    deep = unit(shown(picture.astype(np.uint16) * 257, "model", recipe=recipe)[0])
    assert (deep - theirs).abs().max() * 255 < 2.1


def test_overshoot_is_clipped():
    picture = np.zeros((300, 300, 3), np.uint8)
    picture[:, 150:] = 255
    for values in (picture, picture.astype(np.uint16) * 257):
        found = unit(shown(values, "model")[0])
        assert found.min() >= -1e-6
        assert found.max() <= 1 + 1e-6


# Depth


def test_a_12_bit_picture_is_its_8_bit_twin():
    picture = smooth(120, 160)
    picture[0, 0] = 255
    deep = picture.astype(np.uint16) * 16
    found, flags = to_unit(deep)
    assert flags == ("depth_guessed",)
    assert (found - to_unit(picture)[0]).abs().max() <= 1 / 255
    # And a twin scaled without a gap, through resize and normalising: half a level of rounding more.
    exact = np.round(picture.astype(np.float64) / 255 * 4095).astype(np.uint16)
    twins = [unit(shown(values, "model")[0]) for values in (picture, exact)]
    assert (twins[0] - twins[1]).abs().max() <= 1.5 / 255
    assert np.abs(to_rgb8(exact).astype(int) - picture.astype(int)).max() == 0


@pytest.mark.parametrize(
    ("top", "full", "guessed"),
    [
        (200, 255, 1),
        (256, 1023, 1),
        (1024, 4095, 1),
        (4096, 16383, 1),
        (16384, 65535, 0),
        (65535, 65535, 0),
        (0, 255, 1),
    ],
)
def test_depth_is_the_smallest_that_holds_the_maximum(top, full, guessed):
    values = np.zeros((4, 5, 3), np.uint16)
    values[1, 2] = top
    found, flags = to_unit(values)
    assert found[:, 1, 2].tolist() == pytest.approx([top / full] * 3)
    assert flags == ("depth_guessed",) * guessed
    assert to_rgb8(values)[1, 2].tolist() == [round(top / full * 255)] * 3


@pytest.mark.parametrize(
    ("low", "high", "unit_low", "unit_high", "flags"),
    [
        (0.25, 1.0, 0.25, 1.0, ()),
        (0.0, 255.0, 0.0, 1.0, ("depth_guessed",)),
        (-5.0, 5.0, 0.0, 1.0, ("depth_guessed",)),
        (100.0, 4000.0, 0.0, 1.0, ("depth_guessed",)),
        (9000.0, 9000.0, 0.0, 0.0, ("depth_guessed",)),
    ],
)
def test_float_ranges(low, high, unit_low, unit_high, flags):
    values = np.full((4, 5, 3), low, np.float32)
    values[2, 3] = high
    found, seen = to_unit(values)
    assert (float(found[0, 0, 0]), float(found[0, 2, 3])) == pytest.approx((unit_low, unit_high))
    assert seen == flags
    assert set(flags) <= set(IMAGE_FLAGS)
    assert np.abs(to_rgb8(values).astype(float) / 255 - found.permute(1, 2, 0).numpy()).max() <= 0.502 / 255


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_refused(bad):
    values = np.zeros((4, 5, 3), np.float32)
    values[1, 1, 1] = bad
    for convert in (to_unit, to_rgb8):
        with pytest.raises(ImageUnreadable, match="NaN or infinite"):
            convert(values)


def test_8_bits_are_drawn_without_a_copy_and_nothing_is_changed():
    values = smooth(20, 30)
    assert to_rgb8(values) is values
    for dtype in ("uint8", "float32"):
        given = values.astype(dtype)
        given.flags.writeable = False
        shown(given, "model")
        to_unit(given)
        np.testing.assert_array_equal(given, values)


# The whole way


def test_read_picture():
    upright = smooth(60, 100)
    stored = np.ascontiguousarray(np.rot90(upright))
    picture = read_picture(
        item(saved(stored, "PNG", exif=exif(6))), RECIPE, fit="squash", size=64, stride=32, max_pixels=6000
    )
    np.testing.assert_array_equal(picture.pixels, upright)
    assert picture.tensor.shape == (3, 64, 64)
    assert (picture.geometry.width, picture.geometry.height, picture.geometry.orientation) == (100, 60, 6)
    assert picture.flags == ()
    deep = encoded(upright.astype(np.uint16) * 4, ".png")
    picture = read_picture(item(deep), RECIPE, fit="keep", size=64, stride=32, max_pixels=6000)
    assert picture.flags == ("depth_guessed",)
    assert picture.pixels.dtype == np.uint8


def test_no_memory_is_a_failure_of_the_image(monkeypatch):
    from cam_cli.images import preprocess

    def exhausted(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    data = item(saved(smooth(20, 30), "PNG"))
    monkeypatch.setattr(preprocess.F, "interpolate", exhausted)
    with pytest.raises(ImageTooLarge, match="not enough memory"):
        read_picture(data, RECIPE, fit="model", size=None, stride=32, max_pixels=600)
