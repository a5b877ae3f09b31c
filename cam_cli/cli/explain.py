"""`camtool explain`, and what `cam` and `gradcam` share with it."""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Annotated

import typer

from cam_cli.errors import UsageError
from cam_cli.specs import ClassSpec, ExplainSpec, GeometrySpec, MethodSpec, OutputSpec
from cam_cli.specs.model import ModelSpec
from cam_cli.specs.run import RunSpec, TerminalSpec

from .session import carry_out
from .stdout import outlined

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Images, folders, quoted globs, a .csv or .jsonl with a path column, or - for an image or a list of paths "
        "on stdin.",
        show_default=False,
    ),
]


def explain(
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


def run_explain(spec: ExplainSpec, terminal: TerminalSpec) -> None:
    """Runs `spec` in this terminal; leaves by `typer.Exit` with 130 or 143 when it was told to stop."""
    if terminal.json and spec.output.output == "-":
        raise UsageError("--json and -o - both want stdout; choose one")
    if spec.output.output == "-" and sys.stdout and sys.stdout.isatty():
        raise UsageError(
            "-o - would pour the bytes of a picture onto the terminal; pipe them somewhere, or name a file"
        )
    stdin = sys.stdin.buffer if sys.stdin else BytesIO()

    from cam_cli.tasks.explain import explain as run_task
    from cam_cli.tasks.explain import outline
    from cam_cli.tasks.summary import check_failures

    if spec.run.dry_run:
        outlined(outline(spec, stdin), terminal.json)
        return

    summary = carry_out(
        lambda console, stop: run_task(spec, console, stop, stdin),
        lambda console, summary: console.close(summary),
        terminal,
    )
    check_failures(spec.run, summary)
