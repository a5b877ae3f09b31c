"""`camtool train`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cam_cli.specs.learning import LearningSpec
from cam_cli.specs.train import (
    HeadSpec,
    TrainDataSpec,
    TrainGeometrySpec,
    TrainModelSpec,
    TrainOutputSpec,
    TrainRunSpec,
    TrainSpec,
    TrainTerminalSpec,
)

from .session import carry_out
from .stdout import outlined

Dataset = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="Images with labels: a folder of class folders, a .csv with path and class, labels or a column a class, a "
        "VOC folder, a COCO .json, … Boxes in it are not looked at.",
        show_default=False,
    ),
]


def train(
    dataset: Dataset,
    data: TrainDataSpec,
    model: TrainModelSpec,
    head: HeadSpec,
    learning: LearningSpec,
    geometry: TrainGeometrySpec,
    output: TrainOutputSpec,
    run: TrainRunSpec,
    terminal: TrainTerminalSpec,
) -> None:
    spec = TrainSpec(tuple(sys.argv[1:]), dataset, data, model, head, learning, geometry, output, run)
    from cam_cli.tasks.lesson import outline
    from cam_cli.tasks.train import check_failures
    from cam_cli.tasks.train import train as run_train

    if run.dry_run:
        outlined(outline(spec), terminal.json)
        return

    outcome = carry_out(
        lambda console, stop: run_train(spec, console, stop),
        lambda console, outcome: console.trained(outcome),
        terminal,
    )
    check_failures(spec, outcome)
