"""`camtool merge`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from cam_cli.specs.merge import JoinedSpec, MergeSpec
from cam_cli.specs.run import TerminalSpec

from .session import carry_out

Shards = Annotated[
    list[str],
    typer.Argument(metavar="DIR", help="The output folders of all shards of a run, in any order.", show_default=False),
]


def merge(shards: Shards, joined: JoinedSpec, terminal: TerminalSpec) -> None:
    spec = MergeSpec(tuple(sys.argv[1:]), tuple(shards), joined)
    from cam_cli.tasks import outcome, summary
    from cam_cli.tasks.merge import merge as run_merge

    asked, found = carry_out(
        lambda console, stop: run_merge(spec, console, stop), lambda console, merged: console.tell(merged[1]), terminal
    )
    if isinstance(found, outcome.Outcome):
        outcome.check_gates(found)
        outcome.check_failures(asked, found)
    else:
        summary.check_failures(asked, found)
