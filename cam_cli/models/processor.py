"""Preprocessing as a transformers image processor describes it, as a Recipe."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from cam_cli.errors import ModelFailed
from cam_cli.types import Recipe

from .recipe import allowed, square

RESAMPLING = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}  # Pillow's numbers
LARGE = 384  # px from which ConvNeXt's processor squashes instead of cropping
LEVIT = 256 / 224  # LeViT's processor resizes to so many times what it says
CHANNELS = 3


def processed(processor: Any, name: str) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe of an image processor, and what had to be replaced. Raises ModelFailed.

    Where the margin of a centre crop is odd, some processors cut it a pixel aside from torchvision, and so from here.

    Values in [0, 1] become (255 f x − o − m) / s, with f the rescale factor, o its offset, m and s its mean and std;
    that is (x − (o + m) / 255 f) / (s / 255 f).
    """
    size, resize, squash = sides(processor, name)
    asks = partial(getattr, processor)
    factor = 255 * (processor.rescale_factor if asks("do_rescale", False) else 1.0)
    offset = 1.0 if asks("do_rescale", False) and asks("rescale_offset", False) else 0.0
    mean, std = (0.0,) * CHANNELS, (1.0,) * CHANNELS
    if asks("do_normalize", False):
        mean, std = triple(processor.image_mean), triple(processor.image_std)
    if asks("include_top", False):  # EfficientNet's processor divides by the deviation once more
        std = tuple(one * two for one, two in zip(std, triple(processor.image_std), strict=True))
    interpolation, notes = allowed(RESAMPLING.get(int(getattr(processor, "resample", None) or 2), "bilinear"), name)
    recipe = Recipe(
        size,
        resize,
        tuple((offset + one) / factor for one in mean),
        tuple(one / factor for one in std),
        interpolation,
        "weights",
        squash,
    )
    return recipe, notes


def sides(processor: Any, name: str) -> tuple[int, int, bool]:
    """The side of the input, the side before the crop, and whether proportions are given up."""
    size = entries(getattr(processor, "size", None))
    kind, percent = type(processor).__name__, getattr(processor, "crop_pct", None)
    grown = 1 / percent if percent else LEVIT if kind.startswith("Levit") else 1
    crop = entries(getattr(processor, "crop_size", None)) if getattr(processor, "do_center_crop", False) else {}
    cropped = square((crop["height"], crop["width"]), name) if "height" in crop else crop.get("shortest_edge")
    if "shortest_edge" in size:
        short = int(size["shortest_edge"])
        if kind.startswith("ConvNext") and short >= LARGE:
            return short, short, True
        return cropped or short, int(short * grown), False
    if "height" in size:
        side = square((size["height"], size["width"]), name)
        return cropped or side, int(side * grown), percent is None
    raise ModelFailed(f"{name}: its image processor gives no input size (it says {size or 'nothing'})")


def entries(size: Any) -> dict[str, int]:
    """A size as a plain dict, without what is not set."""
    if isinstance(size, int):
        return {"shortest_edge": size}
    found = size if isinstance(size, dict) else vars(size) if size is not None else {}
    return {key: value for key, value in found.items() if value is not None}


def triple(values: Any) -> tuple[float, ...]:
    return tuple(map(float, values)) if isinstance(values, Iterable) else (float(values),) * CHANNELS
