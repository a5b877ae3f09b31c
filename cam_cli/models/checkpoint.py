"""Weight files: read without ever running what is inside, and fitted to a network by name and shape.

A `.pth` is a pickle, and a pickle is a program. Only torch's restricted reader (`weights_only=True`) sees it;
TorchScript and torch.export archives are refused by their listing, before anything is loaded (`torch.export.load` ran
code from a crafted file).
"""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cam_cli.errors import CheckpointMismatch, CheckpointUnreadable, CheckpointUnsafe, InputMissing

State = dict[str, Tensor]

SAVE_PLAIN = "save the state dict alone (torch.save(model.state_dict(), FILE)) or as .safetensors"
NESTS = ("state_dict", "model_state_dict", "model")  # where training scripts keep the weights beside other things
PREFIXES = ("module.", "_orig_mod.", "model.")  # DataParallel, torch.compile, Lightning
SHOWN = 3  # so many keys of a kind are listed in a message


def read_state(path: str | Path) -> tuple[State, str]:
    """The state dict in a `.safetensors` or torch file, unwrapped, on the CPU, its own dtypes; and the file's SHA-256.

    Raises InputMissing, CheckpointUnreadable, CheckpointUnsafe (the file holds more than tensors and plain values).
    """
    path = Path(path)
    digest = sha256(path)
    content = read_safetensors(path) if is_safetensors(path) else read_torch(path)
    return unwrapped(content, path), digest


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


def is_safetensors(path: Path) -> bool:
    """By suffix, or by the format itself: eight bytes of length, then a JSON object."""
    with path.open("rb") as file:
        start = file.read(9)
    return path.suffix.casefold() == ".safetensors" or (start[8:] == b"{" and start[:1] != b"\x80")


def read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointUnreadable(f"{path} is not a whole .safetensors file: {error}") from error


def read_torch(path: Path) -> Any:
    """What a torch file holds, by the restricted reader only."""
    refuse_programs(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on pickle protocols and old storages: nothing a person could act on
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        what = f" ({named[1]})" if named else ""
        raise CheckpointUnsafe(f"{path} holds pickled objects{what}, which could run code; {SAVE_PLAIN}") from error
    except Exception as error:  # torch's readers raise whatever a damaged file makes them stumble over
        words = str(error).partition("This is an internal miniz error")[0]
        reason = f"{type(error).__name__}: {words}" if words.strip() else type(error).__name__
        raise CheckpointUnreadable(
            f"{path} is damaged or not a checkpoint ({reason}); fetch or save it again"
        ) from error


def refuse_programs(path: Path) -> None:
    """Passes only what begins like a torch file of tensors: a zip with a data.pkl and no code, or a binary pickle."""
    with path.open("rb") as file:
        start = file.read(64)
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError) as error:
            raise CheckpointUnreadable(f"{path} is a damaged archive: {error}; fetch or save it again") from error
        files = {name.partition("/")[2] or name for name in names}  # all in one folder; in old .pt2 files in none
        if "constants.pkl" in files:
            raise CheckpointUnsafe(
                f"{path} is a TorchScript archive, which holds code; from the model it was made of, {SAVE_PLAIN}"
            )
        if files & {"archive_format", "serialized_exported_program.json"}:
            raise CheckpointUnsafe(f"{path} is a torch.export archive, which holds a program; {SAVE_PLAIN}")
        if "data.pkl" not in files:
            raise CheckpointUnreadable(f"{path} is a zip archive, but not one that torch.save wrote")
    elif start.startswith(b"version https://git-lfs"):
        raise CheckpointUnreadable(f"{path} is a Git LFS pointer, not the weights; run `git lfs pull`")
    elif not start:
        raise CheckpointUnreadable(f"{path} is empty")
    elif not start.startswith((b"\x80", b"PK\x03\x04")):
        raise CheckpointUnreadable(
            f"{path} is not a checkpoint: neither a torch file nor .safetensors (by its first bytes)"
        )


def unwrapped(content: Any, path: Path) -> State:
    """The mapping of names to tensors in what a file held: from under `state_dict` or `model`, without the prefix that
    a wrapper put before every name. Raises CheckpointUnreadable when there is none."""
    for nest in NESTS:
        if isinstance(content, Mapping) and isinstance(content.get(nest), Mapping):
            content = content[nest]
    if not isinstance(content, Mapping):
        raise CheckpointUnreadable(f"{path} holds one {type(content).__name__}, not a state dict; {SAVE_PLAIN}")
    state = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if not state:
        keys = ", ".join(map(str, list(content)[:SHOWN])) or "nothing"
        raise CheckpointUnreadable(
            f"{path} holds no tensors where weights are looked for (it holds {keys}); {SAVE_PLAIN}"
        )
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def fit(build: Callable[[int], nn.Module], classes: int, state: State, path: object) -> tuple[nn.Module, int]:
    """`build(k)` with the weights of `state`, in eval mode and float32, and its class count k: `classes`, or another
    where the file's head alone is of another size. Raises CheckpointMismatch."""
    module = build(classes)
    other = other_count(module, state, classes)
    if other is not None:
        classes, module = other, build(other)
    load_into(module, state, path)
    return module.float().eval(), classes


def other_count(module: nn.Module, state: State, classes: int) -> int | None:
    """K when every tensor that differs in shape differs only in having K rows instead of `classes`, else None."""
    counts = set()
    for key, own in module.state_dict().items():
        if key in state and state[key].shape != own.shape:
            theirs = state[key].shape
            if not theirs or own.shape[:1] != (classes,) or theirs[1:] != own.shape[1:]:
                return None
            counts.add(theirs[0])
    return counts.pop() if len(counts) == 1 and 0 not in counts else None


def load_into(module: nn.Module, state: State, path: object) -> None:
    """Copies `state` into `module`; every name and shape must agree. Raises CheckpointMismatch, key by key."""
    own = module.state_dict()
    # Files from before BatchNorm counted its batches lack the counters; nothing here reads them.
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    unexpected = [key for key in state if key not in own]
    shapes = [
        f"{key}: file {times(state[key])}, model {times(tensor)}"
        for key, tensor in own.items()
        if key in state and state[key].shape != tensor.shape
    ]
    groups = {"missing in the file": missing, "unknown to the model": unexpected, "of another shape": shapes}
    said = [f"{len(keys)} {kind} ({listed(keys)})" for kind, keys in groups.items() if keys]
    if said:
        raise CheckpointMismatch(
            f"{path} does not fit the model: {'; '.join(said)}; name the architecture it was saved from"
        )
    try:
        module.load_state_dict(state, strict=False)
    except RuntimeError as error:  # tensors that cannot be copied: sparse, quantized, without storage
        raise CheckpointMismatch(f"{path} does not fit the model: {error}") from error


def times(tensor: Tensor) -> str:
    return "×".join(map(str, tensor.shape)) or "scalar"


def listed(keys: list[str]) -> str:
    return ", ".join(keys[:SHOWN]) + (", …" if len(keys) > SHOWN else "")
