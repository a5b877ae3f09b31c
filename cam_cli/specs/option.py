"""How an option is declared: what a command line needs, as plain data on a dataclass field."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

from cam_cli.errors import UsageError

MODEL, WHAT, BOXES, PIXELS, OUTPUT = "Model", "What to explain", "Boxes", "Pixels", "Output"
DATA, NUMBERS, GATES = "Data", "Numbers", "Gates"
HEAD, LEARNING = "Head", "Learning"
RUN, TERMINAL = "Run", "Terminal"


@dataclass(frozen=True)
class Option:
    """What the command line says about one field. free: it changes no result, so that a run may be completed with
    another value than it was begun with."""

    flags: tuple[str, ...]
    help: str
    panel: str
    metavar: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    free: bool = False

    @property
    def flag(self) -> str:
        """Its name for people: the long one, where there is one."""
        return next((flag for flag in self.flags if flag.startswith("--")), self.flags[0]).partition("/")[0]


def option(default: Any, *flags: str, help: str, panel: str, **more: Any) -> Any:
    return field(default=default, metadata={"option": Option(flags, help, panel, **more)})


def again(group: Any, name: str, default: Any, **changes: Any) -> Any:
    """The option `name` of another group with a default of its own, and whatever else `changes` of its `Option`."""
    (declared,) = (one for one in fields(group) if one.name == name)
    return field(default=default, metadata={"option": replace(declared.metadata["option"], **changes)})


def amount(flag: str, text: str, total: float) -> float:
    """The value of an option that is a whole number (3) or a percentage (2%) of `total`. Raises UsageError."""
    number, percent = text.removesuffix("%"), text.endswith("%")
    try:
        found = float(number) if percent else int(number)
    except ValueError:
        found = -1
    if not found >= 0 or (percent and found > 100):
        raise UsageError(f"{flag} takes a number (3) or a percentage (2%), not {text!r}")
    return total * found / 100 if percent else found
