"""The input of a one-channel network: luma, at the file's own depth."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from cam_cli.images.intensity import Range
from cam_cli.images.preprocess import prepare
from cam_cli.types import Recipe

from .pictures import smooth
from .test_preprocess import FITS, GREY


@given(seed=st.integers(0, 999))
def test_grey_is_pillows_to_a_level(seed):
    values = np.random.default_rng(seed).integers(0, 256, (9, 11, 3), dtype=np.uint8)
    theirs = np.asarray(Image.fromarray(values).convert("L")) / 255
    plain = Recipe(224, 9, (0.0,), (1.0,), "bicubic", "options")
    tensor, _ = prepare(values, Range(0, 255), plain, fit="keep", stride=1)
    assert tensor.shape == (1, 9, 11)
    assert np.abs(tensor[0].numpy() - theirs).max() <= 1.001 / 255
    deep = values.astype(np.uint16) * 257
    tensor, _ = prepare(deep, Range(0, 65535), plain, fit="keep", stride=1)
    luma = values @ np.array([0.299, 0.587, 0.114]) / 255
    # OpenCV's weights have 14 bits: 0.586975 for 0.587 is off by 1.6 levels of 65535, rounding by half a level.
    assert np.abs(tensor[0].numpy() - luma).max() <= 2.2 / 65535, "no detour through 8 bits"


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_what_is_grey_already_stays_as_it_is(dtype):
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    grey = (np.linspace(0, 1, 65536).reshape(256, 256) * top).astype(dtype)
    plain = Recipe(256, 256, (0.0,), (1.0,), "bicubic", "options")
    tensor, _ = prepare(grey[..., None].repeat(3, 2), Range(0, top), plain, fit="model", stride=1)
    wanted = grey.astype(np.float32) / np.float32(top)
    assert np.abs(tensor[0].numpy() - wanted).max() <= 2 * np.finfo(np.float32).eps


@pytest.mark.parametrize("fit", FITS)
def test_a_grey_input_is_placed_and_normalised_as_a_colour_one(fit):
    values = smooth(60, 90)[..., :1].repeat(3, 2)
    grey, where = prepare(values, Range(0, 255), GREY, fit=fit, stride=32)
    three = replace(GREY, mean=GREY.mean * 3, std=GREY.std * 3)
    colour, there = prepare(values, Range(0, 255), three, fit=fit, stride=32)
    assert where == there
    assert torch.equal(grey[0], colour[1])
