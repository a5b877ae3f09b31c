"""Where the arithmetic happens: device, precision, batch size."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from cam_cli.errors import UsageError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def choose_device(name: str) -> torch.device:
    """`auto` takes cuda, then mps, then cpu. Raises UsageError for a device this machine does not have."""
    has = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, there in has.items() if there))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"--device takes auto, cpu, cuda, cuda:N or mps, not {name!r}") from None
    if not has.get(device.type) or (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
        raise UsageError(f"this machine has no device {name!r}; use --device auto")
    return device


def precise(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """Autocast for bf16 and fp16. fp32 is the reference, so CUDA's 19-bit TF32 is off in it; and in bf16 on a CPU the
    network itself is in bf16, which is quicker than casting at every step."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    plain = precision == "fp32" or (precision == "bf16" and device.type == "cpu")
    return nullcontext() if plain else torch.autocast(device.type, DTYPES[precision])


def worthwhile(device: torch.device, precision: str) -> int:
    """Images a forward pass that more would not make much quicker: on a GPU as many as fill it, on a CPU in bf16, which
    takes half the memory, twice as many as else."""
    if device.type != "cpu":
        return 32
    return 16 if precision == "bf16" else 8


def default_batch(device: torch.device, precision: str, images: int, cores: int, heavy: bool) -> int:
    """Images a forward pass under `--batch-size auto`: what is `worthwhile`, but on a CPU so few that every core has
    several batches of a run of so many images. heavy: the network is asked many times about each image, which on a CPU
    then goes alone."""
    most = worthwhile(device, precision)
    if device.type != "cpu":
        return most
    return 1 if heavy else max(1, min(most, images // (2 * cores)))


def to_device(tensors: list[Tensor], device: torch.device, *, channels_last: bool = False) -> Tensor:
    """Images of one shape (c, h, w) as a batch on `device`, so in memory; through pinned memory and without waiting
    where that is CUDA."""
    if channels_last:
        batch = torch.stack([one.permute(1, 2, 0) for one in tensors]).permute(0, 3, 1, 2)
    else:
        batch = torch.stack(tensors)
    return batch.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else batch.to(device)
