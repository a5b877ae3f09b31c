"""What an image file says of itself before anything is decoded. Pillow reads headers here; it never decodes a pixel."""

import io
import struct
import warnings
from contextlib import suppress
from typing import NamedTuple

from PIL import Image

from cam_cli.errors import ImageUnreadable

from .png import png_chunks

# The limit on pixels is ours (`--max-pixels`), and a picture with odd metadata is no reason to print on stderr. Both
# are set once for the process: `warnings.catch_warnings` is not safe in threads.
Image.MAX_IMAGE_PIXELS = None
warnings.filterwarnings("ignore", module=r"PIL\.")

BITS, ORIENTATION = 258, 274


class Header(NamedTuple):
    """width, height: pixels as stored, before EXIF turns them. orientation: EXIF, 1–8. format: Pillow's name for it.

    frames: frames or pages of the same picture file; the previews a camera appends (MPO) do not count.
    bits: a sample of a TIFF; 0 in other formats.
    """

    width: int
    height: int
    orientation: int
    frames: int
    format: str
    bits: int = 0


def read_header(data: bytes) -> Header:
    """The header of an image file's bytes. Raises ImageUnreadable where there is none that is known."""
    if not data:
        raise ImageUnreadable("the file is empty (0 bytes); fetch it again")
    try:
        image = Image.open(io.BytesIO(data))
    except Exception as error:  # Pillow's plugins raise what they like on broken bytes
        header = _tiff_header(data)
        if header is None:
            raise ImageUnreadable(f"not an image, or damaged at its start ({_start(data)})") from error
        return header
    with image:
        width, height = image.size
        orientation, frames = 1, 1
        with suppress(Exception):  # broken EXIF or a torn animation: the picture itself may still be sound
            orientation = _orientation(_exif(image, data).get(ORIENTATION, 1))
        if image.format == "TIFF" and orientation > 4:
            width, height = height, width  # for TIFF alone, Pillow gives the size as turned
        if image.format != "MPO":
            with suppress(Exception):
                frames = int(getattr(image, "n_frames", 1))
        bits = getattr(image, "tag_v2", {}).get(BITS, (0,))[0]
        return Header(width, height, orientation, frames, image.format or "", bits)


def _exif(image: Image.Image, data: bytes) -> Image.Exif:
    """The EXIF block. A PNG's may stand behind its pixels, and Pillow would decode them all to get there."""
    if image.format != "PNG":
        return image.getexif()
    exif = Image.Exif()
    exif.load(next((bytes(chunk[8:-4]) for kind, chunk in png_chunks(data) if kind == b"eXIf"), b""))
    return exif


def _orientation(value: object) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _tiff_header(data: bytes) -> Header | None:
    """The header of a TIFF that Pillow does not know, as one of three float32 channels; OpenCV decodes those."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        tags: dict[int, int] = {}
        for index in range(struct.unpack_from(order + "H", data, start)[0]):
            place = start + 2 + 12 * index
            tag, kind, count, value = struct.unpack_from(order + "HHII", data, place)
            if count == 1 and kind in (3, 4):  # SHORT, LONG
                (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, place + 8)
            elif tag == BITS and count > 2:  # one a channel, elsewhere in the file
                (tags[tag],) = struct.unpack_from(order + "H", data, value)
        return Header(tags[256], tags[257], _orientation(tags.get(ORIENTATION, 1)), 1, "TIFF", tags.get(BITS, 0))
    except (struct.error, KeyError):
        return None


def _start(data: bytes) -> str:
    """What bytes that are no image begin with, for people: often the web page of a failed download."""
    text = data[:24].decode("utf-8", "replace")
    return (
        f"it begins with {text!r}"
        if text.isprintable() or text[:8].isprintable()
        else f"it begins with {data[:8].hex(' ')}"
    )
