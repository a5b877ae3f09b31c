"""Bytes → upright RGB at the file's own depth. The one place where OpenCV's BGR exists."""

import os
import stat
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from cam_cli.errors import ImageTooLarge, ImageUnreadable
from cam_cli.types import ImageItem

from .header import Header, read_header
from .intact import intact
from .png import transparent_grey

# OpenCV logs on fd 2 what we report as a record; this is the only switch that is safe in threads. libjpeg still
# prints a line on a JPEG with bytes missing in the middle. (The function has two names: 4.x and 5.x.)
_log = cv2 if hasattr(cv2, "setLogLevel") else cv2.utils.logging
_log.setLogLevel(0)


AS_STORED = cv2.IMREAD_UNCHANGED  # depth and alpha as well; EXIF is ignored in every format but TIFF
AS_RGB = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
TURNS: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda values: cv2.flip(values, 1),
    3: lambda values: cv2.rotate(values, cv2.ROTATE_180),
    4: lambda values: cv2.flip(values, 0),
    5: cv2.transpose,
    6: lambda values: cv2.rotate(values, cv2.ROTATE_90_CLOCKWISE),
    7: lambda values: cv2.flip(cv2.transpose(values), -1),
    8: lambda values: cv2.rotate(values, cv2.ROTATE_90_COUNTERCLOCKWISE),
}
"""From the stored pixels to the upright picture, by EXIF orientation."""


class Decoded(NamedTuple):
    """values: uint8, uint16 or float32 (H, W, 3) RGB, upright, in the file's own range.

    orientation: the EXIF value that was applied. flags: `alpha_flattened`, `first_frame`.
    """

    values: np.ndarray
    orientation: int
    flags: tuple[str, ...]


def decode(item: ImageItem, max_pixels: int) -> Decoded:
    """Reads and decodes one image: the first frame, turned upright, transparency laid on white.

    Raises ImageTooLarge from the header alone, before a pixel is decoded, and ImageUnreadable for anything that is not
    one whole image; the messages do not name the item.
    """
    data = item.data if item.data is not None else _read(item.path)
    header = read_header(data)
    if header.width * header.height > max_pixels:
        raise ImageTooLarge(
            f"{header.width} x {header.height} is {header.width * header.height:,} pixels, the limit is {max_pixels:,};"
            f" raise it with --max-pixels {header.width * header.height}"
        )
    plain = header.format in ("JPEG", "MPO")  # 8 bits, no alpha: the decoder itself makes RGB of it
    try:
        stored = cv2.imdecode(np.frombuffer(intact(data, header.format), np.uint8), AS_RGB if plain else AS_STORED)
    except cv2.error as error:
        raise ImageUnreadable(f"OpenCV cannot decode this {header.format} ({error.err}); convert it to PNG") from error
    if stored is None or stored.size == 0:
        raise ImageUnreadable(
            f"truncated, damaged, or a kind of {header.format} that OpenCV does not read; fetch or convert it again"
        )
    if header.bits in (10, 12, 14):
        stored >>= 16 - header.bits  # OpenCV shifts them up to 16; the file's own units are what --intensity names
    if header.format == "PNG" and (key := transparent_grey(data)) is not None and stored.ndim == 2:
        stored = np.dstack((stored, np.where(stored == key, 0, np.iinfo(stored.dtype).max).astype(stored.dtype)))
    values, flattened = (stored, False) if plain else _rgb(_known_depth(stored))
    flags = ("alpha_flattened",) * flattened + ("first_frame",) * (header.frames > 1)
    return Decoded(_upright(values, header), header.orientation, flags)


def _read(path: str) -> bytes:
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise ImageUnreadable("this is a folder, not an image")
        if not stat.S_ISREG(mode):  # reading a pipe or a device out of a listing might never end
            raise ImageUnreadable("this is not a regular file; pipe an image in with the input '-'")
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError as error:
        raise ImageUnreadable("no such file; check the path, or whether it was moved since it was listed") from error
    except (OSError, ValueError) as error:  # ValueError: a path that no file can have
        raise ImageUnreadable(f"cannot read the file: {getattr(error, 'strerror', None) or error}") from error


def _known_depth(stored: np.ndarray) -> np.ndarray:
    """uint8, uint16 or float32, from whatever depth a TIFF has: whole numbers that fit stay whole."""
    if stored.dtype in (np.uint8, np.uint16, np.float32):
        return stored
    if np.issubdtype(stored.dtype, np.integer) and stored.min() >= 0 and stored.max() <= 65535:
        return stored.astype(np.uint16)
    return stored.astype(np.float32)


def _rgb(stored: np.ndarray) -> tuple[np.ndarray, bool]:
    """OpenCV's grey, BGR or BGRA → RGB, and whether a pixel was transparent; channels (H, W[, 1–4])."""
    channels = 1 if stored.ndim == 2 else stored.shape[2]
    if channels == 1:
        return cv2.cvtColor(stored.reshape(stored.shape[:2]), cv2.COLOR_GRAY2RGB), False
    if channels == 3:
        return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB), False
    if channels == 2:
        values = cv2.cvtColor(np.ascontiguousarray(stored[..., 0]), cv2.COLOR_GRAY2RGB)
    elif channels == 4:
        values = cv2.cvtColor(stored, cv2.COLOR_BGRA2RGB)
    else:
        raise ImageUnreadable(f"{channels} channels; grey, RGB and RGBA are read; convert it to one of these")
    alpha = stored[..., -1:]
    opaque = np.iinfo(alpha.dtype).max if alpha.dtype != np.float32 else 1.0 if alpha.max() <= 1 else 255.0
    if alpha.min() >= opaque:
        return values, False
    return _on_white(values, alpha, opaque), True


def _on_white(values: np.ndarray, alpha: np.ndarray, opaque: float) -> np.ndarray:
    """values (H, W, 3) over white, by alpha (H, W, 1) in [0, opaque]; the dtype stays."""
    if values.dtype == np.float32:
        white = 1.0 if values.max() <= 1 else max(255.0, float(values.max()))
        share = alpha / np.float32(opaque)
        mixed: np.ndarray = values * share + np.float32(white) * (1 - share)
        return mixed
    top = int(opaque)
    cover = alpha.astype(np.uint16 if top == 255 else np.uint32)  # top * top + top / 2 fits both
    mixed = values * cover
    mixed += top * (top - cover) + top // 2
    mixed //= top
    return mixed.astype(values.dtype)


def _upright(values: np.ndarray, header: Header) -> np.ndarray:
    """Turns stored pixels by the EXIF orientation. OpenCV hands TIFF out upright already, whatever flag it is given."""
    if header.format == "TIFF" or header.orientation == 1:
        return values
    return TURNS[header.orientation](values)
