"""Memory that is kept: what one pass of a network gives back serves the next."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h


def keep_memory() -> None:
    """Has the C library keep freed memory, whatever its size, for all threads in one place.

    glibc takes every block beyond 32 MB from the system and gives it back at once; its pages are zeroed anew for the
    next tensor of that size, a third of a forward pass of the default network. Other C libraries are left alone.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        for name, value in ((M_MMAP_THRESHOLD, 1 << 25), (M_MMAP_THRESHOLD, 1 << 30)):  # older ones take 32 MB at most
            mallopt(name, value)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        mallopt(M_ARENA_MAX, 1)
