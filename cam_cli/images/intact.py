"""Damage that can be seen in the bytes, before a decoder fills the gap with grey or prints about it on stderr.

OpenCV refuses a file of any format that simply ends too early. What is left is a file of full length whose tail was
never written (an interrupted download or copy), and the checksums of PNG, on which libpng would print. Damage inside
a JPEG, WebP or BMP that is well closed cannot be seen by anyone, and nothing is promised about it.
"""

import zlib

from cam_cli.errors import ImageUnreadable

from .png import png_chunks

PNG_PIXELS = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
JPEG_STANDALONE = frozenset((0x01, *range(0xD0, 0xD9)))


def intact(data: bytes, format: str) -> bytes:
    """The bytes to decode: `data`, for PNG without the chunks that are not pixels. Raises ImageUnreadable."""
    if format in ("JPEG", "MPO"):
        _check_jpeg(data)
    return _pixels_of_png(data) if format == "PNG" else data


def _check_jpeg(data: bytes) -> None:
    """Walks the segments to the first scan; after it there must be an end marker.

    In a scan 0xFF is always followed by 0 or a restart, so the two bytes are a real end, of this picture and not of
    the thumbnail in its EXIF, which is a segment before the scan.
    """
    place = 2
    while place + 4 <= len(data):
        if data[place] != 0xFF:
            return  # not the order of a JPEG we know; the decoder decides
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
        elif marker in JPEG_STANDALONE:
            place += 2
        elif marker == 0xDA:
            if data.rfind(b"\xff\xd9", place) < 0:  # at the very end, as a rule
                raise ImageUnreadable("truncated: the JPEG has no end marker; fetch the file again")
            return
        else:
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    raise ImageUnreadable("truncated: the JPEG ends in its header; fetch the file again")


def _pixels_of_png(data: bytes) -> bytes:
    """The chunks that make the first picture, their checksums verified.

    The others (colour profiles, text, EXIF, animation) do not change what OpenCV decodes, but libpng warns of them on
    fd 2.
    """
    kept: list[bytes | memoryview] = [data[:8]]
    for kind, chunk in png_chunks(data):
        if kind in PNG_PIXELS:
            if zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
                raise ImageUnreadable(
                    f"damaged: the checksum of a PNG {kind.decode()} chunk is wrong; fetch the file again"
                )
            kept.append(chunk)
    return b"".join(kept)
