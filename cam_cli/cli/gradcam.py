"""`camtool gradcam`."""

from __future__ import annotations

import sys

from cam_cli.specs import ClassSpec, ExplainSpec, GeometrySpec, MethodSpec, OutputSpec
from cam_cli.specs.model import ModelSpec
from cam_cli.specs.run import RunSpec, TerminalSpec

from .explain import Inputs, run_explain


def gradcam(
    inputs: Inputs,
    model: ModelSpec,
    classes: ClassSpec,
    method: MethodSpec,
    geometry: GeometrySpec,
    output: OutputSpec,
    run: RunSpec,
    terminal: TerminalSpec,
) -> None:
    run_explain(
        ExplainSpec(tuple(sys.argv[1:]), tuple(inputs), model, classes, method, geometry, output, run), terminal
    )
