"""The chunks of a PNG: a length, four letters, the content and its checksum, one after another up to IEND."""

import struct
from collections.abc import Iterator

from cam_cli.errors import ImageUnreadable


def png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """(kind, the whole chunk) in order, IEND the last. Raises ImageUnreadable where the file ends before it."""
    place, kind = 8, b""
    while kind != b"IEND":
        if place + 12 > len(data):
            raise ImageUnreadable("truncated: the PNG has no end chunk; fetch the file again")
        length, kind = struct.unpack_from(">I4s", data, place)
        end = place + 12 + length
        if end > len(data):
            raise ImageUnreadable(
                f"truncated: the PNG ends inside its {kind.decode('latin-1')} chunk; fetch the file again"
            )
        yield kind, memoryview(data)[place:end]
        place = end


def transparent_grey(data: bytes) -> int | None:
    """The grey that stands for "transparent" in a PNG of greys alone, as decoded pixels have it (1, 2 and 4 bits spread
    over 8); None where there is none. OpenCV heeds such a key in palettes and in RGB, and drops it here."""
    chunks = {kind: bytes(chunk[8:-4]) for kind, chunk in png_chunks(data) if kind in (b"IHDR", b"tRNS")}
    bits, colours = chunks[b"IHDR"][8:10]
    key = chunks.get(b"tRNS", b"")
    if colours != 0 or len(key) != 2:
        return None
    top: int = 2**bits - 1
    return int.from_bytes(key, "big") * max(1, 255 // top)
