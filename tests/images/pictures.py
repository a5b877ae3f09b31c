"""Image files made in memory, so that no test depends on a picture it cannot see."""

import io
import struct
import zlib
from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from cam_cli.types import ImageItem

QUADRANTS = np.array([[(255, 0, 0), (0, 255, 0)], [(0, 0, 255), (255, 255, 0)]], np.uint8)


def quadrants(height: int = 40, width: int = 64) -> np.ndarray:
    """uint8 (H, W, 3): red and green above blue and yellow; no turn or flip leaves it as it is."""
    return QUADRANTS.repeat(height // 2, 0).repeat(width // 2, 1)


def smooth(height: int, width: int, seed: int = 0) -> np.ndarray:
    """uint8 (H, W, 3): soft blobs with a little noise, like a photograph."""
    rng = np.random.default_rng(seed)
    blobs = cv2.resize(rng.uniform(20, 235, (5, 6, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(blobs + rng.normal(0, 4, blobs.shape), 0, 255).astype(np.uint8)


def saved(image: np.ndarray | Image.Image, format: str, **options: object) -> bytes:
    """The bytes Pillow writes."""
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, format, **options)
    return buffer.getvalue()


def encoded(image: np.ndarray, suffix: str) -> bytes:
    """The bytes OpenCV writes, from grey, RGB or RGBA: for the depths Pillow does not write."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    turned = image if channels == 1 else image[..., [2, 1, 0, 3][:channels]]
    done, data = cv2.imencode(suffix, np.ascontiguousarray(turned))
    assert done
    return data.tobytes()


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[274] = orientation
    return block.tobytes()


def raw_tiff(image: np.ndarray, orientation: int = 1) -> bytes:
    """An uncompressed TIFF of uint8, uint16 or float32 (H, W, 3), as few programs can read them all."""
    height, width = image.shape[:2]
    kind = 3 if image.dtype.kind == "f" else 1
    return plain_tiff(image.tobytes(), height, width, [image.dtype.itemsize * 8] * 3, kind, orientation)


def plain_tiff(
    pixels: bytes, height: int, width: int, bits: Sequence[int], kind: int = 1, orientation: int = 1
) -> bytes:
    """An uncompressed little-endian TIFF. bits: of each channel, 1 or 3 of them. kind: 1 whole numbers, 3 floats."""
    count = len(bits)
    extra = 8 + 2 + 12 * 11 + 4
    start = extra + 4 * count
    inside = count == 1  # a single short stands in the tag itself
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, count, bits[0] if inside else extra), (259, 3, 1, 1),
        (262, 3, 1, 1 if inside else 2), (273, 4, 1, start), (274, 3, 1, orientation), (277, 3, 1, count),
        (278, 4, 1, height), (279, 4, 1, len(pixels)), (339, 3, count, kind if inside else extra + 2 * count),
    ]  # fmt: skip
    directory = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + directory + b"\0\0\0\0"
    return head + struct.pack(f"<{2 * count}H", *bits, *[kind] * count) + pixels


def grey_png(levels: np.ndarray, bits: int, transparent: int) -> bytes:
    """A PNG of whole numbers (H, W), `bits` (1, 2, 4, 8 or 16) a pixel, with one of them declared transparent."""
    height, width = levels.shape
    rows = "".join(f"{level:0{bits}b}" for level in levels.ravel())
    lines = [rows[start : start + width * bits] for start in range(0, len(rows), width * bits)]
    packed = b"".join(
        b"\0" + int(line.ljust(-(-len(line) // 8) * 8, "0"), 2).to_bytes(-(-len(line) // 8)) for line in lines
    )
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0),
        b"tRNS": struct.pack(">H", transparent),
        b"IDAT": zlib.compress(packed),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks.items()
    )


def item(data: bytes) -> ImageItem:
    return ImageItem(id="x.jpg", path="-", stem="x", data=data)
