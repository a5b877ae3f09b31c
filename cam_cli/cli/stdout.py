"""Data on stdout: bytes as they come, and lists."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from cam_cli.errors import OutputFailed


class Stdout:
    """Bytes to stdout, flushed at once. When the reader goes away printing stops and nothing else does.

    Raises OutputFailed where they cannot be written for another reason.
    """

    def __init__(self) -> None:
        self.open = True

    def write(self, data: bytes) -> None:
        if not self.open or not sys.stdout:
            return
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except OSError as error:
            if not isinstance(error, BrokenPipeError):
                raise OutputFailed(f"cannot write to stdout: {error.strerror}") from error
            self.open = False
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python would complain on leaving


def listed(rows: Iterable[dict[str, Any]], as_json: bool) -> None:
    """A list on stdout: a JSON array, a table in a terminal, tab-separated columns with a header in a pipe."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    entries, out = list(rows), Stdout()
    if as_json:
        out.write((json.dumps(entries, ensure_ascii=False, indent=1) + "\n").encode())
    elif sys.stdout.isatty():
        table = Table(*entries[0], box=None, header_style="bold", pad_edge=False)
        for entry in entries:
            table.add_row(*map(Text, map(cell, entry.values())))
        Console().print(table)
    else:
        lines = [list(entries[0]), *(list(map(cell, one.values())) for one in entries)]
        out.write("".join("\t".join(line) + "\n" for line in lines).encode())


def outlined(plan: Mapping[str, object], as_json: bool) -> None:
    """What a run would do, on stdout: a name and a value a line, with a tab between; or a JSON object."""
    lines = "".join(f"{name}\t{value}\n" for name, value in plan.items())
    Stdout().write((json.dumps(plan, ensure_ascii=False) + "\n" if as_json else lines).encode())


def cell(value: object) -> str:
    """One value of a list; nothing and no are blank."""
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
