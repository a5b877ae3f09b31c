"""The bytes of a weight file, read without ever running what is inside.

A `.pth` is a pickle, and a pickle is a program. Only torch's restricted reader (`weights_only=True`) sees it, unless a
person trusts the file by name; TorchScript, torch.export and ONNX files are refused by their listing or first bytes,
before anything is loaded (`torch.export.load` ran code from a crafted file).
"""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from cam_cli.errors import CheckpointUnreadable, CheckpointUnsafe, InputMissing

SAVE_PLAIN = "save the state dict alone (torch.save(model.state_dict(), FILE)) or as .safetensors"
ONNX = re.compile(rb"\x08[\x01-\x1f][\x12\x1a\x22\x3a]")  # ir_version, then producer_name, domain or graph


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes. Raises InputMissing, CheckpointUnreadable."""
    if not path.exists():
        raise InputMissing(f"no checkpoint at {path}")
    if not path.is_file():
        raise CheckpointUnreadable(f"{path} is not a file; name the weight file itself")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CheckpointUnreadable(f"{path} cannot be read: {error.strerror or error}") from error


def read_content(path: Path, trust: bool = False) -> tuple[Any, dict[str, str]]:
    """What a `.safetensors` or torch file holds, on the CPU, and the text beside it (the metadata of the former).

    trust: what the restricted reader refuses is unpickled, and so run. Raises CheckpointUnreadable, CheckpointUnsafe.
    """
    return read_safetensors(path) if is_safetensors(path) else (read_torch(path, trust), {})


def is_safetensors(path: Path) -> bool:
    """By suffix, or by the format itself: eight bytes of length, then a JSON object."""
    with path.open("rb") as file:
        start = file.read(9)
    return path.suffix.casefold() == ".safetensors" or (start[8:] == b"{" and start[:1] != b"\x80")


def read_safetensors(path: Path) -> tuple[Any, dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {key: file.get_tensor(key) for key in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointUnreadable(f"{path} is not a whole .safetensors file: {error}") from error


def read_torch(path: Path, trust: bool = False) -> Any:
    """What a torch file holds, by the restricted reader; where that refuses and `trust` is given, by the other."""
    refuse_programs(path)
    try:
        try:
            return unpickled(path, weights_only=True)
        except pickle.UnpicklingError as error:
            if not trust:
                raise CheckpointUnsafe(unsafe(path, error)) from error
        return unpickled(path, weights_only=False)
    except CheckpointUnsafe:
        raise
    except Exception as error:  # torch's readers raise whatever a damaged file makes them stumble over
        words = str(error).partition("This is an internal miniz error")[0]
        reason = f"{type(error).__name__}: {words}" if words.strip() else type(error).__name__
        raise CheckpointUnreadable(
            f"{path} is damaged or not a checkpoint ({reason}); fetch or save it again"
        ) from error


def unpickled(path: Path, *, weights_only: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on pickle protocols and old storages: nothing a person could act on
        return torch.load(path, map_location="cpu", weights_only=weights_only)


def unsafe(path: Path, error: pickle.UnpicklingError) -> str:
    named = re.search(r"GLOBAL (\S+)", str(error))
    what = f" ({named[1]})" if named else ""
    return (
        f"{path} holds pickled objects{what}, which could run code; {SAVE_PLAIN}; "
        "if you trust who made it, --trust-checkpoint runs it"
    )


def refuse_programs(path: Path) -> None:
    """Passes only what begins like a torch file of tensors: a zip with a data.pkl and no code, or a binary pickle."""
    with path.open("rb") as file:
        start = file.read(64)
    if zipfile.is_zipfile(path):
        refuse_archives(path)
    elif path.suffix.casefold() == ".onnx" or ONNX.match(start):
        raise CheckpointUnsafe(
            f"{path} is an ONNX graph, not a network whose layers can be watched; "
            f"from the PyTorch model it was made of, {SAVE_PLAIN}"
        )
    elif start.startswith(b"version https://git-lfs"):
        raise CheckpointUnreadable(f"{path} is a Git LFS pointer, not the weights; run `git lfs pull`")
    elif not start:
        raise CheckpointUnreadable(f"{path} is empty")
    elif not start.startswith((b"\x80", b"PK\x03\x04")):
        page = " (it is a web page: fetch the file itself)" if start.lstrip()[:1] == b"<" else ""
        raise CheckpointUnreadable(
            f"{path} is not a checkpoint: neither a torch file nor .safetensors, by its first bytes{page}"
        )


def refuse_archives(path: Path) -> None:
    """Of zip archives, passes those that torch.save writes: weights beside a data.pkl, nothing compressed."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise CheckpointUnreadable(f"{path} is a damaged archive: {error}; fetch or save it again") from error
    # All in one folder; in old .pt2 files in none.
    files = {entry.filename.partition("/")[2] or entry.filename for entry in entries}
    if "constants.pkl" in files:
        raise CheckpointUnsafe(
            f"{path} is a TorchScript archive, which holds code; from the model it was made of, {SAVE_PLAIN}"
        )
    if files & {"archive_format", "serialized_exported_program.json"}:
        raise CheckpointUnsafe(f"{path} is a torch.export archive, which holds a program; {SAVE_PLAIN}")
    if "data.pkl" not in files:
        raise CheckpointUnreadable(f"{path} is a zip archive, but not one that torch.save wrote")
    if sum(entry.file_size for entry in entries) > path.stat().st_size:  # torch.save compresses nothing
        raise CheckpointUnsafe(f"{path} unpacks to more than its own size, which torch.save never writes; {SAVE_PLAIN}")
