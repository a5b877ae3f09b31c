"""The C library's allocator, told what a long run of equal batches needs."""

import ctypes
import sys
from contextlib import suppress
from typing import Any

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8  # <malloc.h>, the same since glibc 2.10
OWN_MAPPING = 128 << 20  # bytes; larger blocks go back to the kernel one by one
KEPT = 1 << 30  # bytes free at the end of the heap before it shrinks


def keep_blocks() -> None:
    """Lets glibc keep freed blocks up to 128 MiB instead of giving them back to the kernel.

    A run allocates and frees blocks of the same sizes for every batch and picture; given back, each comes again as
    zeroed pages, a fault for every 4 KiB: half the time of a folder of small photographs. All threads share one heap:
    those of glibc's own for each thread are given back whole whenever they are empty. Elsewhere (macOS, Windows, musl)
    nothing is done.
    """
    if mallopt := c_function("mallopt"):
        mallopt(MMAP_THRESHOLD, OWN_MAPPING)
        mallopt(TRIM_THRESHOLD, KEPT)
        mallopt(ARENA_MAX, 1)


def give_back() -> None:
    """Gives the kernel the blocks that glibc has kept and nobody holds, before a fork, after which they would be this
    process's alone. Elsewhere nothing is done."""
    if malloc_trim := c_function("malloc_trim"):
        malloc_trim(0)


def c_function(name: str) -> Any:
    """A function of the C libraries that are loaded; None where there is none of this name."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            return getattr(ctypes.CDLL(None), name)
    return None
