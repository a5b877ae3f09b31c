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
