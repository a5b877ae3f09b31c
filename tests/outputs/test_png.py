"""PNG written here, read by two other libraries."""

import io
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cam_cli.outputs import png as module
from cam_cli.outputs.png import png


@pytest.fixture(params=["isal", "zlib"])
def packer(request, monkeypatch):
    if request.param == "zlib":
        monkeypatch.setattr(module, "deflate", None)
    elif module.deflate is None:
        pytest.skip("isal is not installed")


def read(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 9, 3), (9, 1, 3), (37, 53, 3), (1, 1), (37, 53)])
@pytest.mark.parametrize("what", ["noise", "flat", "ramp"])
def test_every_pixel_comes_back(packer, shape, what):
    rng = np.random.default_rng(0)
    picture = {
        "noise": rng.integers(0, 256, shape, np.uint8),
        "flat": np.full(shape, 255, np.uint8),
        "ramp": (np.arange(np.prod(shape)) % 256).astype(np.uint8).reshape(shape),
    }[what]
    data = png(picture)
    np.testing.assert_array_equal(read(data), picture)
    other = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(other if picture.ndim == 2 else other[..., ::-1], picture)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32 - 1), st.booleans())
def test_small_pictures_of_all_kinds(height, width, seed, colour):
    shape = (height, width, 3) if colour else (height, width)
    picture = np.random.default_rng(seed).integers(0, 4, shape, np.uint8) * np.uint8(85)
    np.testing.assert_array_equal(read(png(picture)), picture)


def test_rows_of_another_array_and_other_orders_of_memory(packer):
    whole = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    for picture in (whole[3:30, 5:50], np.asfortranarray(whole), whole[..., ::-1], whole[:, :, 0], whole[::2]):
        np.testing.assert_array_equal(read(png(picture)), picture)


def test_checksums_and_chunks():
    data = png(np.zeros((4, 5, 3), np.uint8))
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    place, kinds = 8, []
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + size]
        assert int.from_bytes(data[place + 8 + size : place + 12 + size], "big") == zlib.crc32(kind + body)
        kinds.append(kind)
        place += 12 + size
    assert kinds == [b"IHDR", b"IDAT", b"IEND"]


def test_a_mask_stays_small(packer):
    mask = np.zeros((1000, 1500), np.uint8)
    mask[200:700, 300:900] = 255
    assert len(png(mask)) < 20_000
