"""`camtool evaluate`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cam_cli.specs.evaluate import (
    DatasetSpec,
    EvaluateGeometrySpec,
    EvaluateRunSpec,
    EvaluateSpec,
    EvaluateTerminalSpec,
    GateSpec,
    MetricSpec,
    ReportSpec,
)
from cam_cli.specs.localize import LocalizeMethodSpec
from cam_cli.specs.model import ModelSpec

from .session import carry_out
from .stdout import outlined

Dataset = Annotated[
    str,
    typer.Argument(
        metavar="DATASET",
        help="Annotated images: a VOC, ImageNet, CUB or wsolevaluation folder, a COCO .json, a .csv with path, class "
        "and boxes, or a folder of class folders.",
        show_default=False,
    ),
]


def evaluate(
    dataset: Dataset,
    data: DatasetSpec,
    model: ModelSpec,
    metric: MetricSpec,
    method: LocalizeMethodSpec,
    geometry: EvaluateGeometrySpec,
    gates: GateSpec,
    report: ReportSpec,
    run: EvaluateRunSpec,
    terminal: EvaluateTerminalSpec,
) -> None:
    spec = EvaluateSpec(tuple(sys.argv[1:]), dataset, data, model, metric, method, geometry, gates, report, run)
    from cam_cli.tasks.evaluate import evaluate as run_evaluate
    from cam_cli.tasks.evaluation import outline
    from cam_cli.tasks.outcome import check_failures, check_gates

    if run.dry_run:
        outlined(outline(spec), terminal.json)
        return

    outcome = carry_out(
        lambda console, stop: run_evaluate(spec, console, stop),
        lambda console, outcome: console.report(outcome),
        terminal,
    )
    check_gates(outcome)
    check_failures(run, outcome)
