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
    """Show where a classifier looks, with exact class activation maps (for networks that pool, then one linear layer).

    Example: camtool cam photos -o out --class top3
    """
    run_explain(
        ExplainSpec(tuple(sys.argv[1:]), tuple(inputs), model, classes, method, geometry, output, run), terminal
    )
