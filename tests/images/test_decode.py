"""Every kind of file comes out as upright RGB of its own depth, and every broken one as one line that says why."""

import io
import os
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cam_cli.errors import ImageTooLarge, ImageUnreadable
from cam_cli.images import decode as decode_module
from cam_cli.images.decode import decode
from cam_cli.images.header import read_header
from cam_cli.images.walk import SUFFIXES
from cam_cli.types import ImageItem

from .pictures import encoded, exif, item, plain_tiff, quadrants, raw_tiff, saved, smooth

LIMIT = 10_000_000

# How an upright picture is stored under each orientation: the inverse turns, written out.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
    8: lambda a: np.rot90(a, -1),
}


def values(data: bytes) -> np.ndarray:
    return decode(item(data), LIMIT).values


def assert_close(found: np.ndarray, wanted: np.ndarray, within: int) -> None:
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted.astype(int)).max() <= within


# Orientation


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_orientation_comes_out_upright(format, orientation):
    upright = quadrants(32, 64)
    stored = np.ascontiguousarray(STORED[orientation](upright))
    options = {"lossless": True} if format == "WEBP" else {"quality": 95} if format in ("JPEG", "AVIF") else {}
    data = saved(stored, format, exif=exif(orientation), **options)
    header = read_header(data)
    assert (header.height, header.width) == stored.shape[:2]
    assert header.orientation == orientation
    found = decode(item(data), LIMIT)
    assert found.orientation == orientation
    assert found.values.flags.c_contiguous
    # Away from the edges between colours, where lossy formats bleed.
    for y, x in [(4, 4), (4, 60), (28, 4), (28, 60)]:
        assert_close(found.values[y, x], upright[y, x], 12)
    assert found.values.shape == upright.shape


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_deep_tiffs_are_upright_too(dtype, orientation):
    upright = (smooth(12, 20).astype(np.float64) * (257 if dtype == "uint16" else 1 / 255)).astype(dtype)
    data = raw_tiff(np.ascontiguousarray(STORED[orientation](upright)), orientation)
    found = decode(item(data), LIMIT)
    assert found.values.dtype == dtype
    np.testing.assert_array_equal(found.values, upright)


@pytest.mark.parametrize("orientation", [0, 9, 77])
def test_an_orientation_that_does_not_exist_is_upright(orientation):
    data = saved(quadrants(), "JPEG", exif=exif(orientation))
    assert read_header(data).orientation == 1
    assert_close(values(data)[4, 4], np.array([255, 0, 0]), 12)


def test_exif_behind_the_pixels_of_a_png_counts():
    data = saved(quadrants(32, 64), "PNG")
    body = b"eXIf" + exif(6).removeprefix(b"Exif\0\0")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    assert values(data[:-12] + chunk + data[-12:]).shape == (64, 32, 3)


# Depth, channels, frames


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "LA", "RGBA"])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "BMP", "GIF"])
def test_channels_match_pillow(mode, format):
    picture = Image.fromarray(smooth(30, 44)).convert(mode)
    try:
        data = saved(picture, format)
    except (OSError, ValueError):
        pytest.skip(f"{format} holds no {mode}")
    wanted = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    found = decode(item(data), LIMIT)
    assert found.values.dtype == np.uint8
    assert found.flags == ()
    assert_close(found.values, wanted, 3 if format == "JPEG" else 0)


def test_16_bit_png_keeps_its_depth():
    deep = smooth(20, 30).astype(np.uint16) * 257
    np.testing.assert_array_equal(values(encoded(deep, ".png")), deep)
    grey = np.ascontiguousarray(deep[..., 0])
    np.testing.assert_array_equal(values(encoded(grey, ".png")), grey[..., None].repeat(3, 2))
    np.testing.assert_array_equal(values(encoded(grey, ".tiff")), grey[..., None].repeat(3, 2))


def test_whole_numbers_of_32_bits_stay_whole():
    grey = smooth(20, 30)[..., 0].astype(np.int32) * 10
    found = values(saved(Image.fromarray(grey), "TIFF"))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found[..., 0], grey)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [10, 12, 14])
def test_a_tiff_of_bits_between_8_and_16_keeps_its_own_units(bits, channels):
    wanted = np.linspace(0, 2**bits - 1, 4 * 8 * channels).astype(np.uint16).reshape(4, 8, channels)
    packed = int("".join(f"{level:0{bits}b}" for level in wanted.ravel()), 2).to_bytes(wanted.size * bits // 8)
    found = values(plain_tiff(packed, 4, 8, [bits] * channels))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, np.broadcast_to(wanted, (4, 8, 3)))


@pytest.mark.parametrize("format", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_frame_is_used(format):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ((250, 0, 0), (0, 250, 0), (0, 0, 250))]
    options = {"lossless": True} if format == "WEBP" else {}
    data = saved(frames[0], format, save_all=True, append_images=frames[1:], **options)
    assert read_header(data).frames == 3
    found = decode(item(data), LIMIT)
    assert found.flags == ("first_frame",)
    assert_close(found.values[5, 5], np.array([250, 0, 0]), 1)


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_every_suffix_a_folder_is_searched_for_can_be_decoded(suffix):
    same = {".jpe": ".jpg", ".jfif": ".jpg", ".dib": ".bmp", ".pnm": ".ppm"}
    picture = smooth(64, 96)
    data = encoded(picture[..., 1] if suffix in (".pbm", ".pgm") else picture, same.get(suffix, suffix))
    assert values(data).shape == (64, 96, 3)


# What is no image, or not a whole one


def message_of(data: bytes) -> str:
    with pytest.raises(ImageUnreadable) as caught:
        decode(item(data), LIMIT)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_empty_file():
    assert message_of(b"") == "the file is empty (0 bytes); fetch it again"


def test_text_called_an_image():
    assert "it begins with '<html><body>404" in message_of(b"<html><body>404 Not Found</body></html>")
    assert "it begins with 00 01 02" in message_of(bytes(range(64)))


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95, None])
@pytest.mark.parametrize(
    "format", ["JPEG", "progressive", "PNG", "WEBP", "GIF", "BMP", "TIFF", "LZW", "AVIF", "JPEG2000"]
)
def test_a_truncated_file_is_never_filled_with_grey(format, share):
    options = (
        {"progressive": True} if format == "progressive" else {"compression": "tiff_lzw"} if format == "LZW" else {}
    )
    data = saved(smooth(120, 160), {"progressive": "JPEG", "LZW": "TIFF"}.get(format, format), **options)
    assert values(data).shape == (120, 160, 3)
    assert message_of(data[: int(len(data) * share)] if share else data[:-2])


def test_a_jpeg_whose_tail_was_never_written_is_truncated():
    data = saved(smooth(120, 160), "JPEG")
    assert "no end marker" in message_of(data[: len(data) // 2] + bytes(len(data) // 2))
    assert values(data + b"\xff\xda trailing bytes of a camera").shape == (120, 160, 3)


def test_a_jpeg_with_a_whole_thumbnail_is_still_truncated():
    thumbnail = saved(smooth(16, 16), "JPEG")
    data = saved(smooth(120, 160), "JPEG", exif=exif(1) + thumbnail)
    assert values(data).shape == (120, 160, 3)
    assert "no end marker" in message_of(data[: len(data) * 3 // 4] + bytes(len(data) // 4))


def test_a_png_with_a_wrong_checksum_is_damaged():
    data = bytearray(saved(smooth(120, 160), "PNG"))
    data[len(data) // 2] ^= 1
    assert "checksum of a PNG IDAT chunk" in message_of(bytes(data))


def test_too_many_pixels_are_refused_before_decoding(monkeypatch):
    data = saved(smooth(30, 40), "PNG")
    monkeypatch.setattr(decode_module.cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ImageTooLarge, match=r"40 x 30 is 1,200 pixels, the limit is 1,199; .* --max-pixels 1200"):
        decode(item(data), 1199)
    with pytest.raises(ImageTooLarge):
        decode(item(raw_tiff(np.ones((30, 40, 3), np.float32))), 1199)  # a kind that Pillow does not know


def test_a_bomb_is_refused_without_a_warning():
    bomb = bytearray(saved(smooth(30, 40), "BMP"))
    bomb[18:26] = (40_000).to_bytes(4, "little") * 2
    with pytest.raises(ImageTooLarge, match="1,600,000,000 pixels, the limit is 100,000,000;"):
        decode(item(bytes(bomb)), 100_000_000)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("gone.jpg", "no such file"),
        (".", "this is a folder"),
        ("nul\0.jpg", "cannot read"),
        ("pipe", "not a regular file"),
    ],
)
def test_paths_that_cannot_be_read(tmp_path, monkeypatch, path, message):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    with pytest.raises(ImageUnreadable, match=message):
        decode(ImageItem(path, path, path), LIMIT)


def test_permission_denied(tmp_path, monkeypatch):
    path = tmp_path / "a.jpg"
    path.write_bytes(b"x")

    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(ImageUnreadable, match="cannot read the file: Permission denied"):
        decode(ImageItem("a", str(path), "a"), LIMIT)


def test_reading_from_disk_is_the_same(tmp_path):
    path = tmp_path / "ü\n.png"
    picture = smooth(20, 30)
    path.write_bytes(saved(picture, "PNG"))
    np.testing.assert_array_equal(decode(ImageItem("a", str(path), "a"), LIMIT).values, picture)


def test_stderr_stays_clean():
    code = """
import sys
from cam_cli.errors import ImageUnreadable
from cam_cli.images.decode import decode
from tests.images.pictures import *
profile = saved(smooth(40, 40), "PNG", icc_profile=b"no profile at all" * 9)
decode(item(profile), 10**6)
for format in ("JPEG", "PNG", "TIFF", "WEBP", "GIF", "AVIF", "JPEG2000"):
    data = saved(smooth(40, 40), format)
    flipped = bytearray(data); flipped[len(data) // 2] ^= 255
    for broken in (data[: len(data) // 2], data[:-2], bytes(flipped) if format == "PNG" else b"", b"text"):
        try:
            decode(item(broken), 10**6)
            sys.exit(format)
        except ImageUnreadable:
            pass
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=False)
    assert (done.returncode, done.stderr) == (0, "")
