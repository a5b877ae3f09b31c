"""What a file of `camtool train` says of the network in it, so that the file is all that is needed. Torch-free.

It is the text beside the tensors of a `.safetensors` file, each entry JSON: `schema`, `classes`, `activation`, `recipe`
(these three as any checkpoint may have them), `backbone`, `cut`, `head`, and for people `training`, `metrics`,
`camtool` (the version).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

from cam_cli.errors import CheckpointUnreadable, CheckpointUnsafe
from cam_cli.types import Recipe

from .labels import Labels

SCHEMA = "camtool.weak/1"
LONGEST = 100 << 20  # bytes of a header; the format's own limit
OWN = ("schema", "classes", "activation", "recipe", "backbone", "cut", "head")  # of its entries
POOLINGS = ("max", "avg", "lse")
SAFE = ("bundled", "torchvision", "timm")
"""Sources whose constructors a file may name: they are known ones. Others run a person's own code, or fetch what a file
asks for, so the person has to name them."""
FETCHING = "weight", "pretrained", "checkpoint", "cache"  # in keywords of their constructors that load something


@dataclass(frozen=True)
class Backbone:
    """The classifier a trunk is cut from. name: as `--model` has it; source: of `SOURCES`. arguments: keywords for its
    constructor. sha256: hex, of its weights when training began."""

    name: str
    source: str
    sha256: str
    arguments: tuple[tuple[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"arguments": dict(self.arguments)}


@dataclass(frozen=True)
class Cut:
    """Where a network ends to be a trunk, and how its grid is read.

    layer: path of the module whose output is taken. channels: of the grid. call: at which of its calls in a pass, from
    1. channels_last: the output is (b, u, v, c). prefix: None for a grid; of tokens, how many come before the
    picture's. rectified: a ReLU follows that is no module. dropped: paths of the modules that are not needed.
    """

    layer: str
    channels: int
    call: int = 1
    channels_last: bool = False
    prefix: int | None = None
    rectified: bool = False
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True)
class HeadShape:
    """adapt: channels of the adaptation layers, in order; none for one linear layer. dropout: after each of them, while
    training. pool: of POOLINGS; temperature: r of lse, see `pooling.LsePool`."""

    classes: int
    adapt: tuple[int, ...]
    dropout: float
    pool: str
    temperature: float


@dataclass(frozen=True)
class Description:
    """classes: names, one a class; of one logit the positive one's. activation: softmax or sigmoid. more: what stands
    there for people."""

    classes: tuple[str, ...]
    activation: str
    recipe: Recipe
    backbone: Backbone
    cut: Cut
    head: HeadShape
    more: Mapping[str, Any]

    @property
    def labels(self) -> Labels:
        """Of one logit the classes are two: the other one is the negative."""
        return Labels(("negative", *self.classes) if len(self.classes) == 1 else self.classes)

    def metadata(self) -> dict[str, str]:
        """The text for the file."""
        recipe = asdict(self.recipe)
        del recipe["source"]
        told = {
            "schema": SCHEMA,
            "classes": self.classes,
            "activation": self.activation,
            "recipe": recipe,
            "backbone": self.backbone.as_json(),
            "cut": asdict(self.cut),
            "head": asdict(self.head),
            **self.more,
        }
        return {key: json.dumps(value) for key, value in told.items()}


def header(path: str | Path) -> dict[str, str]:
    """The text beside the tensors of a safetensors file, without reading them; none of any other file: what is wrong
    with it is for the reader of its tensors to say."""
    try:
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > min(LONGEST, os.fstat(file.fileno()).st_size):
                return {}
            told = json.loads(file.read(length)).get("__metadata__")
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}
    return {str(key): str(text) for key, text in told.items()} if isinstance(told, dict) else {}


def is_described(path: str | Path) -> bool:
    """Is it a file of `camtool train`, of whatever version?"""
    return header(path).get("schema", "").strip('"').startswith("camtool.weak/")


def read_description(path: str | Path) -> Description | None:
    """None for a file that is not of `camtool train`. Raises CheckpointUnreadable where one lacks something or says
    what cannot be, CheckpointUnsafe where it asks for more than it holds."""
    if not is_described(path):
        return None
    told = header(path)
    try:
        said = {key: json.loads(text) for key, text in told.items()}
        if said["schema"] != SCHEMA:
            raise CheckpointUnreadable(
                f"{path} is of another version ({said['schema']}, here {SCHEMA}); update camtool"
            )
        found = Description(
            tuple(map(str, said["classes"])),
            str(said["activation"]),
            recipe_in(said["recipe"]),
            backbone_in(said["backbone"]),
            part(Cut, said["cut"]),
            part(HeadShape, said["head"]),
            {key: value for key, value in said.items() if key not in OWN},
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointUnreadable(
            f"{path} says it is of camtool train, but not what ({error!r}); train it again"
        ) from None
    check(found, path)
    return found


def recipe_in(said: Mapping[str, Any]) -> Recipe:
    mean, std = (tuple(map(float, said[name])) for name in ("mean", "std"))
    return Recipe(
        int(said["size"]),
        int(said["resize"]),
        mean,
        std,
        str(said["interpolation"]),
        "checkpoint",
        bool(said["squash"]),
    )


def backbone_in(said: Mapping[str, Any]) -> Backbone:
    arguments = tuple((str(key), listless(value)) for key, value in said["arguments"].items())
    return Backbone(str(said["name"]), str(said["source"]), str(said["sha256"]), arguments)


def part(kind: Any, said: Mapping[str, Any]) -> Any:
    """A dataclass of plain values, lists as tuples. Raises TypeError for fields it does not have or of another type."""
    made = kind(**{key: listless(value) for key, value in said.items()})
    for one in fields(kind):
        wanted, value = str(one.type), getattr(made, one.name)
        if wanted.startswith("int") and not (isinstance(value, int) or (value is None and "None" in wanted)):
            raise TypeError(f"{one.name}={value!r}")
        if wanted.startswith("tuple") and not isinstance(value, tuple):
            raise TypeError(f"{one.name}={value!r}")
    return made


def listless(value: Any) -> Any:
    return tuple(map(listless, value)) if isinstance(value, list) else value


def check(found: Description, path: str | Path) -> None:
    """Raises CheckpointUnreadable for what cannot be, CheckpointUnsafe for what could do harm."""
    cut, head = found.cut, found.head
    sizes = (cut.channels, *head.adapt, head.classes)
    if not all(isinstance(size, int) and size > 0 for size in sizes) or cut.call < 1 or (cut.prefix or 0) < 0:
        raise CheckpointUnreadable(f"{path} has layers of {sizes} channels, which cannot be; train it again")
    if head.pool not in POOLINGS or not head.temperature > 0 or len(found.classes) != head.classes:
        raise CheckpointUnreadable(f"{path} describes a head that cannot be ({head}); train it again")
    if sum(one * other for one, other in pairwise(sizes)) > os.path.getsize(path):
        raise CheckpointUnsafe(f"{path} claims layers of {sizes} channels, more than it has bytes; train it again")
    for key, value in found.backbone.arguments:
        if any(word in key.casefold() for word in FETCHING) or not is_plain(value):
            raise CheckpointUnsafe(f"{path} asks for {key}={value!r}, which could load something; train it again")


def is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | None) or (
        isinstance(value, tuple) and all(map(is_plain, value))
    )
