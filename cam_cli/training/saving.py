"""The network as one file: every tensor, and beside them all that is needed to build it."""

from __future__ import annotations

import json
from pathlib import Path

from cam_cli.models.description import Description
from cam_cli.models.weak import WeakNetwork
from cam_cli.outputs import atomic


def save(path: Path, network: WeakNetwork, description: Description) -> None:
    """Writes a `.safetensors` file, which `--checkpoint` takes everywhere. The same network and description give the
    same bytes. Raises OutputFailed."""
    from safetensors.torch import save as as_bytes

    tensors = {name: one.detach().cpu().contiguous().clone() for name, one in network.state_dict().items()}
    atomic.write(path, in_order(as_bytes(tensors, description.metadata())))


def in_order(data: bytes) -> bytes:
    """The bytes of a safetensors file with the entries of its text by name: the library puts them in any order."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that tensors begin at a multiple of 8
    return len(text).to_bytes(8, "little") + text + data[8 + length :]
