"""Writing on pictures. OpenCV's own letters are ASCII only, so the font is the one Pillow brings."""

import unicodedata
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]
INK, PAPER = (32, 32, 32), (255, 255, 255)


@cache
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def text_width(text: str, size: int) -> int:
    """Width of one line in pixels."""
    return int(np.ceil(font(size).getlength(text)))


def plain(text: str) -> str:
    """`text` in the letters that the font has: accents fall off, other scripts become question marks."""
    letters = (one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return "".join(one if one.isascii() or one in "·…×" else "?" for one in letters)


def strip(text: str, width: int, height: int, size: int, margin: int = 0, paper: Colour = PAPER) -> np.ndarray:
    """One line of dark text on white or another light colour, centred from top to bottom: uint8 (height, width, 3) RGB.
    A text that does not fit is cut and ends in an ellipsis."""
    room = width - 2 * margin
    text = plain(text)
    while text and text_width(text, size) > room:
        text = text[:-2].rstrip() + "…" if len(text) > 1 else ""
    canvas = Image.new("RGB", (width, height), paper)
    ImageDraw.Draw(canvas).text((margin, height / 2), text, INK, font(size), anchor="lm")
    return np.asarray(canvas)
