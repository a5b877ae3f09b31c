"""Which commands there are and what they say of themselves. What they do is imported when one of them is called."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

HELP = {"help_option_names": ["-h", "--help"]}


class Command(NamedTuple):
    """panel: of `camtool --help`. module: of this package, where the function of its name is. help: a sentence, and an
    example."""

    panel: str
    module: str
    help: str


COMMANDS = {
    "cam": Command(
        "Explain",
        "cam",
        "Show where a classifier looks, with exact class activation maps (for networks that pool, then one "
        "linear layer).\n\n"
        "Example: camtool cam photos -o out --class top3",
    ),
    "gradcam": Command(
        "Explain",
        "gradcam",
        "Show where a classifier looks, with Grad-CAM at any layer.\n\nExample: camtool gradcam img.jpg --layer layer4",
    ),
    "explain": Command(
        "Explain",
        "explain",
        "Show where a classifier looks, by any methods, side by side.\n\n"
        "Example: camtool explain photos --method cam --method gradcam --class top3 --save panel",
    ),
    "localize": Command(
        "Explain",
        "localize",
        "Find what a classifier sees: boxes and masks in pixels of the picture, from class activation maps.\n\n"
        "Example: camtool localize photos -o out --class top3 --threshold 0.2",
    ),
    "evaluate": Command(
        "Measure",
        "evaluate",
        "Measure maps against annotations: localisation, classification, faithfulness, with intervals, bars "
        "and reports.\n\n"
        "Example: camtool evaluate val.csv --images photos -o report --fail-under gt_known_loc=0.6",
    ),
    "train": Command(
        "Learn",
        "train",
        "Learn where classes are from labels alone: a head of score maps on a classifier's trunk, in one file "
        "for --checkpoint.\n\n"
        "Example: camtool train photos --pool avg -o birds.safetensors",
    ),
    "merge": Command(
        "Long runs",
        "merge",
        "Join the output folders of shards (--shard I/N) into what one run would have left.\n\n"
        "Example: camtool merge part1 part2 part3 -o out",
    ),
    "layers": Command(
        "What can be named",
        "listings",
        "List the layers of a model that have a grid: path, type, shape, stride, stage; prefix: of tokens, "
        "how many stand before the picture's.",
    ),
    "models": Command("What can be named", "listings", "List the models that `--model` takes."),
    "methods": Command("What can be named", "listings", "List the methods that `--method` takes."),
    "metrics": Command(
        "What can be named",
        "listings",
        "List the numbers that `camtool evaluate` gives: name, group, which way is better, and what it needs.",
    ),
    "classes": Command(
        "What can be named",
        "listings",
        "List the classes of a model: index, WNID, name.\n\nExample: camtool classes dog",
    ),
    "schema": Command(
        "What can be named", "listings", "Print the JSON Schema of a record, or of an evaluation's report."
    ),
}


class Commands(TyperGroup):
    """Stands for them until one is called: help and completion of their names need no more."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, loaded(name) if name else command, rest


def loaded(name: str) -> Any:
    """The command with its options, as Typer runs it."""
    from .options import spread

    entry = COMMANDS[name]
    function: Callable[..., None] = getattr(import_module(f"{__package__}.{entry.module}"), name)
    app = typer.Typer(add_completion=False, context_settings=HELP)
    app.command(name, help=entry.help)(spread(function))
    return typer.main.get_command(app)
