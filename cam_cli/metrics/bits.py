"""Many yes or no of one thing as a short text, for rows: hexadecimal digits, the first answer in the highest bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Array = np.ndarray


def packed(answers: Array) -> str:
    """bool (t,) in; as many digits as whole bytes take."""
    return np.packbits(answers).tobytes().hex()


def unpacked(texts: Sequence[str], count: int) -> Array:
    """bool (m, t), of m texts with `count` answers each."""
    data = np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(len(texts), -(-count // 8))
    return np.unpackbits(data, axis=1, count=count).astype(bool)
