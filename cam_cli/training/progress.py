"""What is known of a training after each epoch, and the file it is kept in, so that it goes on to the same end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cam_cli.errors import OutputRefused
from cam_cli.models.description import header
from cam_cli.outputs import atomic

SCHEMA = "camtool.training/2"
SHOWN, LONGEST = 3, 40  # so many differences are listed in a message, and so much of each value
DIGITS = 3  # of a mean average precision; what is less comes of single pairs of images that swap places
State = dict[str, Tensor]


@dataclass(frozen=True)
class Epoch:
    """number: from 1. loss, val_loss: means over images. val_map: mean average precision on the images to choose by;
    both None without any. rate: the learning rate of the head at its end, a part of the highest."""

    number: int
    loss: float
    val_loss: float | None
    val_map: float | None
    rate: float
    seconds: float

    def better(self, other: Epoch | None) -> bool:
        """By mean average precision, where that is the same to DIGITS by the loss on the same images; without these
        the later is better."""
        if other is None or self.val_map is None or other.val_map is None:
            return True
        assert self.val_loss is not None
        assert other.val_loss is not None
        return (round(self.val_map, DIGITS), -self.val_loss) > (round(other.val_map, DIGITS), -other.val_loss)


@dataclass
class Progress:
    """weights: of what learns, now; best: of its best epoch. optimizer: its tensors, by `INDEX.NAME`."""

    weights: State
    optimizer: State
    best: State
    epochs: list[Epoch] = field(default_factory=list)
    chosen: Epoch | None = None

    @property
    def best_number(self) -> int | None:
        return self.chosen.number if self.chosen else None

    @property
    def improved(self) -> int:
        """The last epoch that was the best so far or had the lowest loss so far on the images to choose by: while this
        falls there is more to learn, though mean average precision, of few images, may have been luckier before."""
        lowest = min(self.epochs, key=lambda one: inf if one.val_loss is None else one.val_loss, default=None)
        return max((one.number for one in (self.chosen, lowest) if one), default=0)

    def save(self, path: Path, key: Mapping[str, Any]) -> None:
        """key: what the result depends on, in plain values. Raises OutputFailed."""
        from safetensors.torch import save

        tensors = {
            f"{part}/{name}": tensor.detach().cpu().contiguous().clone()
            for part, state in (("now", self.weights), ("best", self.best), ("optimizer", self.optimizer))
            for name, tensor in state.items()
        }
        told = {
            "schema": SCHEMA,
            "key": key,
            "epochs": [asdict(one) for one in self.epochs],
            "chosen": self.best_number,
        }
        atomic.write(path, save(tensors, {name: json.dumps(value) for name, value in told.items()}))

    @classmethod
    def read(cls, path: Path, key: Mapping[str, Any]) -> Progress | None:
        """What was kept of a training with the same `key`; None where nothing was kept.

        Raises OutputRefused where the key differs, naming what does, or where the file is torn or not ours.
        """
        if not path.exists():
            return None
        told = {name: json.loads(text) for name, text in header(path).items()}
        if told.get("schema") != SCHEMA:
            raise OutputRefused(f"{path} is not what a training left; --overwrite starts anew")
        check_key(told["key"], key, path)
        from safetensors.torch import load_file

        tensors = load_file(path)
        states: dict[str, State] = {"now": {}, "best": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            part, _, rest = name.partition("/")
            states[part][rest] = tensor
        epochs = [Epoch(**one) for one in told["epochs"]]
        chosen = next((one for one in epochs if one.number == told["chosen"]), None)
        return cls(states["now"], states["optimizer"], states["best"], epochs, chosen)


def check_key(there: Mapping[str, Any], here: Mapping[str, Any], path: Path) -> None:
    """Raises OutputRefused with what differs between an earlier training and this one."""
    earlier, now = flat(there), flat(json.loads(json.dumps(here)))
    different = [name for name in now if earlier.get(name) != now[name]]
    if different:
        told = [f"{name} (there {shown(earlier.get(name))}, here {shown(now[name])})" for name in different[:SHOWN]]
        more = [f"and {len(different) - SHOWN} more"] * (len(different) > SHOWN)
        raise OutputRefused(
            f"--resume: {path} is of a run with another {', '.join([*told, *more])}; give the same options, or start "
            "anew with --overwrite"
        )


def flat(key: Mapping[str, Any]) -> dict[str, Any]:
    """Values of values by name: `learning.epochs`."""
    found: dict[str, Any] = {}
    for name, value in key.items():
        inner = {f"{name}.{more}": one for more, one in value.items()} if isinstance(value, Mapping) else {name: value}
        found |= inner
    return found


def shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def optimizer_state(found: torch.optim.Optimizer) -> State:
    """An optimizer's tensors, in the order of its parameters."""
    state = found.state_dict()["state"]
    return {f"{index}.{name}": tensor for index, kept in state.items() for name, tensor in kept.items()}


def restore(found: torch.optim.Optimizer, state: State) -> None:
    """Puts back what `optimizer_state` gave."""
    kept: dict[int, State] = {}
    for key, tensor in state.items():
        index, _, name = key.partition(".")
        kept.setdefault(int(index), {})[name] = tensor
    found.load_state_dict({"state": kept, "param_groups": found.state_dict()["param_groups"]})
