"""The network as one file: every tensor, and beside them all that is needed to build it."""

from __future__ import annotations

from pathlib import Path

from cam_cli.models.description import Description
from cam_cli.models.weak import WeakNetwork
from cam_cli.outputs import atomic


def save(path: Path, network: WeakNetwork, description: Description) -> None:
    """Writes a `.safetensors` file, which `--checkpoint` takes everywhere. Raises OutputFailed."""
    from safetensors.torch import save as as_bytes

    tensors = {name: one.detach().cpu().contiguous().clone() for name, one in network.state_dict().items()}
    atomic.write(path, as_bytes(tensors, description.metadata()))
