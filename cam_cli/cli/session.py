"""A long run in this terminal: its listener, its signals, and how it leaves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import typer

from cam_cli.errors import CamtoolError
from cam_cli.specs.run import TerminalSpec

from .boundary import Stop, interruptible

if TYPE_CHECKING:
    from .console import Terminal

Outcome = TypeVar("Outcome")


def carry_out(
    work: Callable[[Terminal, Stop], Outcome], tell: Callable[[Terminal, Outcome], None], terminal: TerminalSpec
) -> Outcome:
    """Does `work` and tells people what it came to. Leaves by `typer.Exit` with 130 or 143 when it was told to stop,
    whatever else went wrong then. Raises what both raise."""
    with interruptible() as stop:
        from .console import Terminal

        with Terminal(terminal, stop) as console:
            try:
                outcome = work(console, stop)
            except CamtoolError as error:
                if not stop.is_set():
                    raise
                console.error(error.kind, error.message)  # what ended the run is the signal
                raise typer.Exit(stop.code) from error
            tell(console, outcome)
    if stop.is_set():
        raise typer.Exit(stop.code)
    return outcome
