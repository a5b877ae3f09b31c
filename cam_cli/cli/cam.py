"""`camtool cam`."""

from __future__ import annotations

import sys

from cam_cli.specs import CamSpec, ClassSpec, ExplainSpec, GeometrySpec, OutputSpec
from cam_cli.specs.model import ModelSpec
from cam_cli.specs.run import RunSpec, TerminalSpec

from .explain import Inputs, run_explain


def cam(
    inputs: Inputs,
    model: ModelSpec,
    classes: ClassSpec,
    method: CamSpec,
    geometry: GeometrySpec,
    output: OutputSpec,
    run: RunSpec,
    terminal: TerminalSpec,
) -> None:
    run_explain(
        ExplainSpec(tuple(sys.argv[1:]), tuple(inputs), model, classes, method, geometry, output, run), terminal
    )
