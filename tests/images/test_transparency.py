"""Transparency is laid on white, and flagged where a pixel has any."""

import numpy as np
import pytest
from PIL import Image

from cam_cli.images.decode import decode

from .pictures import encoded, grey_png, item, saved
from .test_decode import LIMIT, assert_close


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_alpha_is_laid_on_white(dtype):
    top = np.iinfo(dtype).max
    picture = np.zeros((10, 30, 4), dtype)
    picture[..., 0] = top  # red
    picture[:, :10, 3], picture[:, 10:20, 3], picture[:, 20:, 3] = top, 0, top // 2
    found = decode(item(encoded(picture, ".png")), LIMIT)
    assert found.flags == ("alpha_flattened",)
    assert found.values.dtype == dtype
    np.testing.assert_array_equal(found.values[0, 5], [top, 0, 0])
    np.testing.assert_array_equal(found.values[0, 15], [top, top, top])
    np.testing.assert_allclose(found.values[0, 25].astype(float), [top, top / 2, top / 2], atol=1)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("level", [0, 1])
def test_the_transparent_grey_of_a_png_is_laid_on_white(bits, level):
    top = 2**bits - 1
    levels = np.arange(24).reshape(4, 6) % min(top + 1, 5)
    whites = 65535 if bits == 16 else 255
    wanted = np.where(levels == level, whites, levels * whites // top)
    found = decode(item(grey_png(levels, bits, level)), LIMIT)
    np.testing.assert_array_equal(found.values, wanted[..., None].repeat(3, 2))
    assert found.flags == ("alpha_flattened",)
    absent = grey_png(levels, bits, 5) if bits > 3 else grey_png(levels * 0, bits, 1)
    assert decode(item(absent), LIMIT).flags == ()


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "GIF"])
def test_only_real_transparency_is_flagged(format):
    picture = Image.new("RGBA", (40, 30), (255, 0, 0, 255))
    options = {"lossless": True} if format == "WEBP" else {}
    assert decode(item(saved(picture, format, **options)), LIMIT).flags == ()
    picture.paste((0, 0, 0, 0), (0, 0, 10, 10))
    found = decode(item(saved(picture, format, **options)), LIMIT)
    assert found.flags == ("alpha_flattened",)
    np.testing.assert_array_equal(found.values[5, 5], [255, 255, 255])
    assert_close(found.values[25, 25], np.array([255, 0, 0]), 1)
