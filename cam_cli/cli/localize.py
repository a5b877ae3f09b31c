"""`camtool localize`."""

from __future__ import annotations

import sys

from cam_cli.specs import ClassSpec, ExplainSpec
from cam_cli.specs.boxes import BoxSpec
from cam_cli.specs.export import ExportSpec
from cam_cli.specs.localize import LocalizeGeometrySpec, LocalizeMethodSpec, LocalizeOutputSpec
from cam_cli.specs.model import ModelSpec
from cam_cli.specs.run import RunSpec, TerminalSpec

from .explain import Inputs, run_explain


def localize(
    inputs: Inputs,
    model: ModelSpec,
    classes: ClassSpec,
    method: LocalizeMethodSpec,
    boxes: BoxSpec,
    geometry: LocalizeGeometrySpec,
    output: LocalizeOutputSpec,
    export: ExportSpec,
    run: RunSpec,
    terminal: TerminalSpec,
) -> None:
    run_explain(
        ExplainSpec(tuple(sys.argv[1:]), tuple(inputs), model, classes, method, geometry, output, run, boxes, export),
        terminal,
    )
