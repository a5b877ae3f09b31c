"""The command `camtool`: which commands there are."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from cam_cli import __version__

from .boundary import guarded
from .cam import cam
from .evaluate import evaluate
from .explain import explain
from .gradcam import gradcam
from .listings import classes, layers, methods, metrics, models, schema
from .localize import localize
from .merge import merge
from .options import spread
from .train import train

app = typer.Typer(
    help="Where does an image classifier look? Class activation maps, Grad-CAM and their family.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (cam, gradcam, explain, localize):
    app.command(rich_help_panel="Explain")(spread(command))
app.command(rich_help_panel="Measure")(spread(evaluate))
app.command(rich_help_panel="Learn")(spread(train))
app.command(rich_help_panel="Long runs")(spread(merge))
for listing in (layers, models, methods, metrics, classes, schema):
    app.command(rich_help_panel="What can be named")(spread(listing))


def print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"camtool {__version__}\n")
        raise typer.Exit


@app.callback()
def about(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def main() -> None:
    """The console script."""
    # Of OpenCV's and NumPy's products, which are small here: their own threads would only wait for each other, busily.
    # Said before either is imported; torch, which computes the large ones, does not read it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(guarded(app, sys.argv[1:]))
