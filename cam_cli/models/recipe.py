"""Preprocessing as networks carry it: a timm-style configuration (`pretrained_cfg`, `default_cfg`) as a Recipe."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from typing import Any

from cam_cli.errors import ModelFailed
from cam_cli.types import Recipe

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
IMAGENET = Recipe(224, 256, MEAN, STD, "bilinear", "assumed")
CROP = 0.875  # of the resized side, where a configuration does not say
INTERPOLATIONS = {
    "nearest": "bilinear",
    "lanczos": "bicubic",
    "box": "bilinear",
    "hamming": "bicubic",
}  # as near as can


def configured(config: Mapping[str, Any], name: str) -> tuple[Recipe, tuple[str, ...]]:
    """The recipe in a timm-style configuration, by timm's own defaults, and what had to be replaced.

    input_size: (3, n, n). crop_pct: n over the resized side. crop_mode: center, squash, or border (not to be had).
    Source: timm's resolve_data_config and transforms_imagenet_eval. Raises ModelFailed.
    """
    shape = config.get("input_size") or (3, IMAGENET.size, IMAGENET.size)
    size = square(shape[-2:], name)
    crop = config.get("crop_pct") or CROP
    interpolation, notes = allowed(str(config.get("interpolation") or "bicubic"), name)
    mode = config.get("crop_mode") or "center"
    if mode == "border":
        notes += (f"{name} pads pictures to a square; its centre is cropped instead (see --fit pad)",)
    mean, std = (tuple(map(float, config.get(key) or default)) for key, default in (("mean", MEAN), ("std", STD)))
    return Recipe(size, max(size, floor(size / crop)), mean, std, interpolation, "weights", mode == "squash"), notes


def square(sides: Any, name: str) -> int:
    """The side of a square input. Raises ModelFailed."""
    height, width = sides
    if height != width:
        raise ModelFailed(f"{name} takes inputs of {height}×{width}; only square ones are made here")
    return int(height)


def allowed(interpolation: str, name: str) -> tuple[str, tuple[str, ...]]:
    """An interpolation that is available here, and a note where it stands for another."""
    if interpolation in ("bilinear", "bicubic"):
        return interpolation, ()
    instead = INTERPOLATIONS.get(interpolation, "bicubic")
    return instead, (f"{name} resizes with {interpolation}; {instead} stands for it",)
