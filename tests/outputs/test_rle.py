"""Run lengths by hand, and by COCO's own code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pycocotools import mask as coco

from cam_cli.outputs.rle import packed, rle

MASKS = arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, max_side=70))


def test_by_hand():
    mask = np.array([[0, 1, 1], [0, 1, 0]], bool)  # by columns: 0 0, 1 1, 1 0
    assert rle(mask) == {"size": [2, 3], "counts": "231"}
    assert rle(~mask) == {"size": [2, 3], "counts": "023O"}  # 0 2 3, then 1 − 2 = −1 = 31 of 32
    assert packed([0, 16, 15, 31]) == "0`0??"  # 16 takes a second character, or its fifth bit would be the sign
    assert packed([5, 9, 9, 4]) == "599K"


@pytest.mark.parametrize("value", [False, True])
def test_flat(value):
    counts = "T1" if not value else "0T1"  # 36 = 1·32 + 4
    assert rle(np.full((4, 9), value)) == {"size": [4, 9], "counts": counts}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools on NumPy 2
@given(MASKS)
def test_pycocotools_reads_and_writes_the_same(mask):
    ours = rle(mask)
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert ours == {"size": theirs["size"], "counts": theirs["counts"].decode()}
    assert (coco.decode(ours).astype(bool) == mask).all()


@given(st.lists(st.integers(0, 40_000_000), min_size=1, max_size=8))
def test_long_runs_unpack(runs):
    """By a reader of its own: signed base-32 digits, least first; from the fourth on, the last but one is added."""
    found, digits = [], []
    for character in packed(runs):
        digits.append(ord(character) - 48)
        if digits[-1] < 32:
            value = sum((digit & 31) << 5 * place for place, digit in enumerate(digits))
            value -= (digits[-1] >> 4 & 1) << 5 * len(digits)
            found.append(value + (found[-2] if len(found) > 2 else 0))
            digits = []
    assert found == runs
