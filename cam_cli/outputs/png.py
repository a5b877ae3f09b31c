"""Pictures as PNG, quickly: libpng tries filters and zlib searches, which costs more than a network's pass.

The format: W3C PNG (third edition). Of every line of colours the line above is taken off (section 9.2, type 2): for
photographs under smooth colours the mean of left and above saves one byte in a hundred more, and takes five times as
long. Then it is deflated by ISA-L where that is installed, whose first level finds repeats too, at a fifth of zlib's
time.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np

deflate: Any
try:
    from isal import isal_zlib as deflate
except ImportError:  # no wheel for this platform: zlib, without a search for repeats in photographs
    deflate = None

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2
NONE, UP = 0, 2
MOST = 2**31 - 1  # pixels a side


def png(picture: np.ndarray) -> bytes:
    """uint8 (H, W, 3) RGB, or (H, W) grey, each side from 1 to 2³¹ − 1 pixels."""
    height, width = picture.shape[:2]
    colour = GREY if picture.ndim == 2 else RGB
    lines = plain(picture) if colour == GREY else less_above(picture)
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", deflated(lines, colour)), (b"IEND", b"")
    return b"".join([SIGNATURE, *(part for kind, data in chunks for part in chunk(kind, data))])


def plain(picture: np.ndarray) -> np.ndarray:
    """Lines as they are, each with its filter in front: masks are long repeats."""
    lines = np.zeros((picture.shape[0], 1 + picture.shape[1]), np.uint8)
    lines[:, 1:] = picture
    return lines


def less_above(picture: np.ndarray) -> np.ndarray:
    """Lines less the line above, modulo 256; the first as it is."""
    height, width = picture.shape[:2]
    values = np.ascontiguousarray(picture).reshape(height, 3 * width)
    lines = np.empty((height, 1 + 3 * width), np.uint8)
    lines[:, 0] = UP
    lines[0, 1:] = values[0]
    np.subtract(values[1:], values[:-1], out=lines[1:, 1:])
    return lines


def deflated(lines: np.ndarray, colour: int) -> bytes:
    if deflate is not None:
        return bytes(deflate.compress(lines, 1))
    strategy = zlib.Z_HUFFMAN_ONLY if colour == RGB else zlib.Z_DEFAULT_STRATEGY
    packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, 9, strategy)
    return packer.compress(lines.data) + packer.flush()


def chunk(kind: bytes, data: bytes) -> tuple[bytes, ...]:
    """In parts, for a picture's data is long and every sum of bytes copies it."""
    crc32 = (deflate or zlib).crc32
    return struct.pack(">I", len(data)), kind, data, struct.pack(">I", crc32(data, crc32(kind)))
