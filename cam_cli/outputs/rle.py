"""Masks as COCO stores them: run lengths, column by column, packed into a string."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def rle(mask: np.ndarray) -> dict[str, Any]:
    """The mask of one box, as it stands in a record and in COCO's files: `size` [H, W] and `counts`, a string.

    mask: bool (H, W). Convention: pycocotools' maskApi.c.
    """
    height, width = mask.shape
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    if flat.size and flat[0]:
        runs.insert(0, 0)  # the first run is of zeros
    return {"size": [height, width], "counts": packed(runs)}


def packed(runs: Sequence[int]) -> str:
    """Run lengths as a string: from the fourth on each less its last but one, five bits a character, least first, 32
    added where more follow, from `0` on; the last character's fifth bit is the sign."""
    characters = []
    for position, length in enumerate(runs):
        left = length - runs[position - 2] if position > 2 else length
        while not -16 <= left < 16:
            characters.append(chr(48 + 32 + (left & 31)))
            left >>= 5
        characters.append(chr(48 + (left & 31)))
    return "".join(characters)
