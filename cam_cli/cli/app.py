"""The command `camtool`."""

from __future__ import annotations

import gc
import os
import sys
from typing import Annotated

import typer

from cam_cli import __version__

from .boundary import guarded
from .commands import COMMANDS, HELP, Commands

app = typer.Typer(
    cls=Commands,
    help="Where does an image classifier look? Class activation maps, Grad-CAM and their family.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)
for name, command in COMMANDS.items():
    app.command(name, help=command.help, rich_help_panel=command.panel)(lambda: None)


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
    # What is imported stays: looking for garbage in it would take a tenth of the time until a run begins (`Terminal`
    # switches it on then).
    gc.disable()
    sys.exit(guarded(app, sys.argv[1:]))
