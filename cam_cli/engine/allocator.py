"""The C library's allocator, told what a long run of equal batches needs."""

import ctypes
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # <malloc.h>, the same since glibc 2
OWN_MAPPING = 128 << 20  # bytes; larger blocks go back to the kernel one by one
KEPT = 1 << 30  # bytes free at the end of the heap before it shrinks


def keep_blocks() -> None:
    """Lets glibc keep freed blocks up to 128 MiB instead of giving them back to the kernel.

    A run allocates and frees blocks of the same sizes for every batch and picture; given back, each comes again as
    zeroed pages, a fault for every 4 KiB: half the time of a folder of small photographs. Elsewhere (macOS,
    Windows, musl) nothing is done.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(MMAP_THRESHOLD, OWN_MAPPING)
    mallopt(TRIM_THRESHOLD, KEPT)
