"""Where a picture lands in a network's input: the numbers of `--fit`, before any pixel is touched."""

from typing import NamedTuple

from cam_cli.errors import ImageTooLarge
from cam_cli.types import Geometry, Recipe

MOST_RESIZED = 100_000_000
"""Pixels a picture may have between resize and crop: a strip of 1 x 100 000 would grow to gigabytes."""


class Placement(NamedTuple):
    """The picture is resized to width x height, then its corner laid at (left, top) of a canvas; pixels.

    What falls off the canvas is cropped, what the picture does not cover is pad.
    """

    width: int
    height: int
    left: int
    top: int
    canvas_width: int
    canvas_height: int

    def geometry(self, width: int, height: int, fit: str, orientation: int) -> Geometry:
        """The same as the affine map from an original of width x height."""
        return Geometry(
            width=width,
            height=height,
            input_width=self.canvas_width,
            input_height=self.canvas_height,
            scale=(self.width / width, self.height / height),
            offset=(float(self.left), float(self.top)),
            fit=fit,
            orientation=orientation,
        )


def place(width: int, height: int, recipe: Recipe, fit: str, stride: int) -> Placement:
    """How `fit` places a picture of width x height pixels.

    model: short side to the recipe's resize, centre crop of its size, rounded as torchvision's Resize and CenterCrop
    do (a recipe that squashes resizes both sides to its resize). squash: both sides to its size. pad: long side to its
    size, centred. keep: short side to its resize, both sides to the nearest multiple of `stride` above 0.
    Raises ImageTooLarge where a very long picture would grow beyond `MOST_RESIZED`.
    """
    short, long = min(width, height), max(width, height)
    if fit == "model":
        crop, resize = recipe.size, recipe.resize
        grown = int(resize * long / short)
        w, h = (resize, resize) if recipe.squash else (resize, grown) if width <= height else (grown, resize)
        # torchvision rounds the crop's corner half to even; a picture smaller than the crop is padded all round.
        left, top = ((crop - side) // 2 if side < crop else -round((side - crop) / 2) for side in (w, h))
        placed = Placement(w, h, left, top, crop, crop)
    elif fit == "squash":
        side = recipe.size
        placed = Placement(side, side, 0, 0, side, side)
    elif fit == "pad":
        side = recipe.size
        w, h = (max(1, round(edge * side / long)) for edge in (width, height))
        placed = Placement(w, h, (side - w) // 2, (side - h) // 2, side, side)
    elif fit == "keep":
        side = recipe.resize
        w, h = (max(1, round(edge * side / short / stride)) * stride for edge in (width, height))
        placed = Placement(w, h, 0, 0, w, h)
    else:
        raise ValueError(f"fit {fit!r}")
    if placed.width * placed.height > MOST_RESIZED:
        raise ImageTooLarge(
            f"{width} x {height} is so long that --fit {fit} would make it {placed.width} x {placed.height} pixels;"
            " use --fit squash"
        )
    return placed
