"""A checkpoint: the weights in a file, found under whatever a training script put around them, and what it says beside.

What `camtool` itself understands beside a `state_dict`: `classes` (names by index), `recipe` (size, resize, mean, std,
interpolation), `activation` (softmax or sigmoid). In `.safetensors` the same stand in the metadata, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from cam_cli.errors import CheckpointUnreadable, CheckpointUnsafe
from cam_cli.types import Recipe

from .labels import names_in
from .weightfile import SAVE_PLAIN, read_content, sha256

State = dict[str, Tensor]

PLAIN = ("state_dict", "model_state_dict", "model", "net", "network", "module")  # where scripts keep the weights
AVERAGED = ("state_dict_ema", "model_ema", "ema", "ema_state_dict")  # and their moving average
NAMES = ("classes", "class_names", "labels", "idx_to_class", "class_to_idx", "categories", "id2label")
DEPTH = 8  # so many boxes in boxes are opened; a pickle may hold itself
SHOWN = 3  # so many keys are listed in a message


@dataclass(frozen=True)
class Checkpoint:
    """state: names to tensors, their own dtypes, on the CPU; path, sha256: of the file.

    classes: its class names, if it holds any. recipe: what it says of preprocessing. activation: as it says.
    notes: which of several sets of weights was taken.
    """

    path: str
    sha256: str
    state: State
    classes: tuple[str, ...] | None = None
    recipe: Mapping[str, Any] | None = None
    activation: str | None = None
    notes: tuple[str, ...] = ()

    def recipe_over(self, assumed: Recipe) -> Recipe:
        """`assumed` with what the file says instead, if it says anything. Raises CheckpointUnreadable."""
        if self.recipe is None:
            return assumed
        given = {key: value for key, value in self.recipe.items() if key in RECIPE}
        for key, value in given.items():
            if not RECIPE[key](value):
                raise CheckpointUnreadable(f"{self.path} holds a recipe whose {key} is {value!r}; save it again")
        if "size" in given:
            given.setdefault("resize", given["size"])
        for key in ("mean", "std"):
            if key in given:
                given[key] = tuple(map(float, given[key]))
        return replace(assumed, **given, source="checkpoint")


def is_side(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 4096


def is_by_channel(value: Any) -> bool:
    """Numbers, one a channel of an RGB or a grey input."""
    return (
        isinstance(value, Sequence) and len(value) in (1, 3) and all(isinstance(n, Real) and isfinite(n) for n in value)
    )


RECIPE: dict[str, Callable[[Any], bool]] = {
    "size": is_side,
    "resize": is_side,
    "mean": is_by_channel,
    "std": lambda value: is_by_channel(value) and min(value) > 0,
    "interpolation": lambda value: value in ("bilinear", "bicubic"),
    "squash": lambda value: isinstance(value, bool),
}


def read_checkpoint(path: str | Path, trust: bool = False) -> Checkpoint:
    """The checkpoint in a `.safetensors` or torch file. trust: it may be unpickled, and so run.

    Raises InputMissing, CheckpointUnreadable, CheckpointUnsafe (the file holds more than tensors and plain values).
    """
    path = Path(path)
    digest = sha256(path)
    content, metadata = read_content(path, trust)
    boxes, notes = opened(content)
    state = state_in(boxes[-1], path)
    spare_memory(state, path)
    said = {key: value for box in reversed([*boxes, plain(metadata)]) for key, value in about(box)}
    classes = next((names for key in NAMES if key in said and (names := names_in(said[key]))), None)
    recipe, activation = said.get("recipe"), said.get("activation")
    return Checkpoint(
        str(path),
        digest,
        state,
        classes,
        recipe if isinstance(recipe, Mapping) else None,
        activation if activation in ("softmax", "sigmoid") else None,
        tuple(f"{path}: {note}" for note in notes),
    )


def opened(content: Any) -> tuple[list[Any], list[str]]:
    """The boxes around the weights, outermost first, the weights' own last; and which were taken where there were two.

    Plain weights are taken before averaged ones, which may be all there is.
    """
    boxes, notes = [unwrapped(content)], []
    while isinstance(boxes[-1], Mapping) and len(boxes) <= DEPTH:
        inner = {key: unwrapped(boxes[-1].get(key)) for key in (*PLAIN, *AVERAGED)}
        usable = [key for key, box in inner.items() if isinstance(box, Mapping) and box]
        if not usable:
            break
        others = [key for key in usable if (key in AVERAGED) != (usable[0] in AVERAGED)]
        if others:
            notes.append(f"took the weights under {usable[0]!r}, not {' or '.join(map(repr, others))}")
        elif usable[0] in AVERAGED:
            notes.append(f"took the averaged weights under {usable[0]!r}; it holds no others")
        boxes.append(inner[usable[0]])
    return boxes, notes


def unwrapped(value: Any) -> Any:
    """A whole network (of a trusted file) as its state dict; anything else as it is."""
    return value.state_dict() if isinstance(value, nn.Module) else value


def state_in(box: Any, path: Path) -> State:
    """The tensors of a mapping by name. Raises CheckpointUnreadable when there are none."""
    if not isinstance(box, Mapping):
        raise CheckpointUnreadable(f"{path} holds one {type(box).__name__}, not a state dict; {SAVE_PLAIN}")
    state = {str(key): value for key, value in box.items() if isinstance(value, Tensor)}
    if not state:
        keys = ", ".join(map(str, list(box)[:SHOWN])) or "nothing"
        raise CheckpointUnreadable(
            f"{path} holds no tensors where weights are looked for (it holds {keys}); {SAVE_PLAIN}"
        )
    return state


def spare_memory(state: State, path: Path) -> None:
    """Refuses tensors that claim more values than the file has bytes: a view with stride 0, a sparse shape, or one
    without data could make a network of any size be built. Raises CheckpointUnsafe."""
    size = path.stat().st_size
    for key, tensor in state.items():
        if tensor.is_nested:
            raise CheckpointUnsafe(f"{path} holds a nested tensor ({key}), whose size nobody can tell; {SAVE_PLAIN}")
        if tensor.numel() > size:
            raise CheckpointUnsafe(
                f"{path} has {size} bytes, but its {key} claims {tensor.numel()} values; {SAVE_PLAIN}"
            )


def about(box: Any) -> Iterator[tuple[str, Any]]:
    """What a box says beside its weights, what stands under its `meta` included."""
    if isinstance(box, Mapping):
        meta = box.get("meta")
        for one in (meta, box) if isinstance(meta, Mapping) else (box,):
            yield from ((key, one[key]) for key in (*NAMES, "recipe", "activation") if key in one)


def plain(metadata: Mapping[str, str]) -> dict[str, Any]:
    """The text beside safetensors, each entry as JSON where it is JSON."""
    read: dict[str, Any] = {}
    for key, text in metadata.items():
        try:
            read[key] = json.loads(text)
        except (ValueError, RecursionError):
            read[key] = text
    return read
