"""What the network is shown: the right pixels, at the right place, on the right scale."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cam_cli.errors import ImageTooLarge
from cam_cli.images import preprocess
from cam_cli.images.fitting import place
from cam_cli.images.intensity import Intensity, Range, value_range
from cam_cli.images.preprocess import View, prepare, read_pictures, to_rgb8
from cam_cli.images.recipe import recipe_for
from cam_cli.specs import GeometrySpec
from cam_cli.types import Recipe

from .pictures import encoded, exif, item, saved, smooth

RECIPE = Recipe(
    size=224, resize=256, mean=(0.5, 0.4, 0.3), std=(0.5, 0.25, 0.2), interpolation="bicubic", source="weights"
)
FITS = ("model", "squash", "pad", "keep")


def unit(tensor: torch.Tensor) -> torch.Tensor:
    """Normalising undone."""
    return tensor * torch.tensor(RECIPE.std)[:, None, None] + torch.tensor(RECIPE.mean)[:, None, None]


GREY = Recipe(224, 256, (0.4,), (0.25,), "bicubic", "weights")
AUTO = Intensity()


def shown(values: np.ndarray, fit: str, size: int | None = None, stride: int = 32, recipe: Recipe = RECIPE):
    recipe = recipe_for(recipe, GeometrySpec(fit=fit, size=size))
    return prepare(values, value_range(values, AUTO), recipe, fit=fit, stride=stride)


def seen_and_drawn(values: np.ndarray, scale: Range) -> tuple[np.ndarray, np.ndarray]:
    """What the network is shown of the picture at its own size, in [0, 1], and what is drawn, in 0–255; (H, W, 3)."""
    plain = Recipe(224, min(values.shape[:2]), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "bicubic", "options")
    tensor, _ = prepare(values, scale, plain, fit="keep", stride=1)
    return tensor.permute(1, 2, 0).numpy(), to_rgb8(values, scale)


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
        place(1, 100_000, RECIPE, fit, 32)
    assert place(1, 100_000, RECIPE, "squash", 32).height == 224


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


# Depth and range


def test_a_12_bit_picture_is_its_8_bit_twin():
    picture = smooth(120, 160)
    picture[0, 0] = 255
    exact = np.round(picture.astype(np.float64) / 255 * 4095).astype(np.uint16)
    for deep, within in ((picture.astype(np.uint16) * 16, 1), (exact, 0.01)):
        scales = [value_range(values, AUTO) for values in (picture, deep)]
        assert [scale.flags for scale in scales] == [(), ("depth_guessed",)]
        both = [seen_and_drawn(values, scale) for values, scale in zip((picture, deep), scales, strict=True)]
        assert np.abs(both[0][0] - both[1][0]).max() <= (within + 0.1) / 255
        assert np.abs(both[0][1].astype(int) - both[1][1].astype(int)).max() <= within
    # And through resize and normalising: 8 bits are resized as 8 bits, half a level of rounding more.
    twins = [unit(shown(values, "model")[0]) for values in (picture, exact)]
    assert (twins[0] - twins[1]).abs().max() <= 1.5 / 255


@given(
    dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    low=st.floats(-70_000, 70_000, width=32),
    span=st.floats(0.5, 140_000, width=32),
    seed=st.integers(0, 99),
)
def test_a_range_is_the_line_from_black_to_white(dtype, low, span, seed):
    drawn = np.random.default_rng(seed).uniform(low - span / 2, low + 1.5 * span, (6, 7, 3))
    bounds = (-np.inf, np.inf) if dtype == "float32" else (0, np.iinfo(dtype).max)
    values = np.clip(drawn, *bounds).astype(dtype)
    seen, drawn = seen_and_drawn(values, Range(low, low + span))
    wanted = np.clip((values.astype(np.float64) - low) / span, 0, 1)
    rounding = 4 * np.finfo(np.float32).eps * (1 + abs(low) / span)  # of the subtraction, in float32
    assert np.abs(seen - wanted).max() <= rounding
    assert np.abs(drawn - wanted * 255).max() <= 0.5 + 255 * rounding


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_what_is_outside_the_range_is_clipped_before_the_resize(dtype):
    values = np.full((64, 64, 3), 100, dtype)
    values[20:30, 20:30] = 250
    clipped = np.minimum(values, 200)
    scale = Range(0, 200)
    recipe = Recipe(32, 32, RECIPE.mean, RECIPE.std, "bicubic", "options")
    for fit in FITS:
        tensors = [prepare(one, scale, recipe, fit=fit, stride=8)[0] for one in (values, clipped)]
        assert torch.equal(*tensors)


def test_8_bits_that_need_no_scaling_stay_8_bits(monkeypatch):
    values = smooth(20, 30)
    resized = []
    monkeypatch.setattr(
        preprocess.F,
        "interpolate",
        lambda planes, *a, real=F.interpolate, **k: resized.append(planes) or real(planes, *a, **k),
    )
    assert to_rgb8(values, Range(0, 255)) is values
    for recipe in (RECIPE, GREY):
        prepare(values, Range(0, 255), recipe, fit="model", stride=32)
        prepare(values, Range(0, 254), recipe, fit="model", stride=32)
    assert [planes.dtype for planes in resized] == [torch.uint8, torch.float32] * 2


def test_nothing_given_is_changed():
    for dtype in ("uint8", "uint16", "float32"):
        given = smooth(20, 30).astype(dtype)
        given.flags.writeable = False
        for recipe in (RECIPE, GREY):
            for scale in (Range(0, 255), Range(10, 90)):
                prepare(given, scale, recipe, fit="model", stride=32)
                to_rgb8(given, scale)
        np.testing.assert_array_equal(given, smooth(20, 30))


# The whole way


def test_read_pictures():
    upright = smooth(60, 100)
    stored = np.ascontiguousarray(np.rot90(upright))
    (picture,) = read_pictures(
        item(saved(stored, "PNG", exif=exif(6))),
        [View("", replace(RECIPE, size=64), 32)],
        fit="squash",
        intensity=AUTO,
        max_pixels=6000,
    )
    np.testing.assert_array_equal(picture.pixels, upright)
    assert picture.tensor.shape == (3, 64, 64)
    assert (picture.geometry.width, picture.geometry.height, picture.geometry.orientation) == (100, 60, 6)
    assert picture.flags == ()
    deep = encoded(upright.astype(np.uint16) * 4, ".png")
    (picture,) = read_pictures(item(deep), [View("", RECIPE, 32)], fit="keep", intensity=AUTO, max_pixels=6000)
    assert picture.flags == ("depth_guessed",)
    assert picture.pixels.dtype == np.uint8


def test_a_deep_picture_is_scanned_once(monkeypatch):
    scans = []
    monkeypatch.setattr(preprocess, "value_range", lambda *a: scans.append(1) or value_range(*a))
    deep = item(encoded(smooth(20, 30).astype(np.uint16) * 4, ".png"))
    read_pictures(deep, [View("", RECIPE, 32)], fit="model", intensity=AUTO, max_pixels=600)
    assert scans == [1]


def test_no_memory_is_a_failure_of_the_image(monkeypatch):
    def exhausted(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    data = item(saved(smooth(20, 30), "PNG"))
    monkeypatch.setattr(preprocess.F, "interpolate", exhausted)
    with pytest.raises(ImageTooLarge, match="not enough memory"):
        read_pictures(data, [View("", RECIPE, 32)], fit="model", intensity=AUTO, max_pixels=600)
