"""Pictures as bytes; OpenCV wants them BGR."""

import cv2
import numpy as np

from cam_cli.errors import ImageUnwritable

from .png import png

QUALITY = {"jpg": (cv2.IMWRITE_JPEG_QUALITY, 92), "webp": (cv2.IMWRITE_WEBP_QUALITY, 90)}  # no visible loss on overlays


def encode(picture: np.ndarray, format: str, quality: int | None = None) -> bytes:
    """uint8 (H, W, 3) RGB, or (H, W) grey, as png, jpg or webp. quality: 1 to 100, of a jpg or webp, other than usual.
    Raises ImageUnwritable where the format cannot hold the size."""
    if format == "png":
        return png(picture)
    height, width = picture.shape[:2]
    key, usual = QUALITY[format]
    turned = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    try:
        done, data = cv2.imencode(f".{format}", turned, [key, usual if quality is None else quality])
    except cv2.error:
        done = False
    if not done:
        raise ImageUnwritable(f"{format} cannot hold a picture of {width}×{height}; use --format png")
    return data.tobytes()
