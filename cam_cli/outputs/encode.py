"""Pictures as bytes; OpenCV wants them BGR."""

import cv2
import numpy as np

from cam_cli.errors import ImageUnwritable

# PNG of photographs: the mean of two neighbours as the guess and no search for repeats takes less than half the time of
# zlib's level 1 and a few percent less room; masks are all repeats. (OpenCV before 4.13 chooses its own guess.)
# JPEG and WebP: no visible loss on overlays.
PNG = [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY]
PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_AVG] if hasattr(cv2, "IMWRITE_PNG_FILTER_AVG") else []
LOSSY = {"jpg": (cv2.IMWRITE_JPEG_QUALITY, 92), "webp": (cv2.IMWRITE_WEBP_QUALITY, 90)}


def encode(picture: np.ndarray, format: str, quality: int | None = None) -> bytes:
    """uint8 (H, W, 3) RGB, or (H, W) grey, as png, jpg or webp. quality: 1 to 100, of a jpg or webp, other than usual.
    Raises ImageUnwritable where the format cannot hold the size."""
    height, width = picture.shape[:2]
    turned = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    try:
        done, data = cv2.imencode(f".{format}", turned, parameters(format, picture.ndim, quality))
    except cv2.error:
        done = False
    if not done:
        raise ImageUnwritable(f"{format} cannot hold a picture of {width}×{height}; use --format png")
    return data.tobytes()


def parameters(format: str, ndim: int, quality: int | None) -> list[int]:
    if format == "png":
        return [cv2.IMWRITE_PNG_COMPRESSION, 1, *(PNG if ndim == 3 else [])]
    key, usual = LOSSY[format]
    return [key, usual if quality is None else quality]
