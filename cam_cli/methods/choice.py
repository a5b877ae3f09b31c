"""What a person chooses with `--method`: a name, and parameters of that method. Torch-free until it is loaded."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from math import isfinite
from typing import TYPE_CHECKING, Any

from cam_cli.errors import UsageError, nearest

from . import METHODS

if TYPE_CHECKING:
    from .method import Method


def parameter(default: Any, low: float, high: float) -> Any:
    """A field of a method with the values it takes, both ends included."""
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True)
class Choice:
    """`NAME` or `NAME:key=value,key=value`. name: as in METHODS. given: the parameters, as typed."""

    name: str
    given: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> Choice:
        """Raises MethodUnknown for the name, UsageError for what is not `key=value`; the keys are read at `load`."""
        name, colon, rest = text.partition(":")
        given: dict[str, str] = {}
        for part in rest.split(",") if colon else []:
            key, equals, value = (one.strip() for one in part.partition("="))
            if not (key and equals and value):
                raise UsageError(f"--method {text}: parameters stand as {name}:key=value,key=value")
            if key in given:
                raise UsageError(f"--method {text}: {key} is given twice")
            given[key] = value
        return cls(METHODS.canonical(name), given)

    @property
    def kind(self) -> type[Method]:
        """The method's class: imports torch."""
        kind: type[Method] = METHODS.load(self.name)
        return kind

    def load(self) -> tuple[str, Method]:
        """The method, and what results call it: its name, with the parameters that were given. Raises UsageError."""
        known = {one.name: one for one in fields(self.kind)}
        for key in self.given:
            if key not in known:
                has = ", ".join(f"{one.name}={one.default}" for one in known.values()) or "none"
                raise UsageError(f"{self.name} has no parameter {key!r}{nearest(key, list(known))} (it has: {has})")
        values = {key: read(self.name, one, self.given[key]) for key, one in known.items() if key in self.given}
        title = ",".join(f"{key}={value}" for key, value in values.items())
        return f"{self.name}:{title}" if title else self.name, self.kind(**values)


def read(name: str, declared: Field[Any], text: str) -> int | float:
    """A value typed for a field, of the type of its default and within its bounds. Raises UsageError."""
    kind: Any = type(declared.default)
    low, high = declared.metadata.get("low", float("-inf")), declared.metadata.get("high", float("inf"))
    try:
        value: int | float = kind(text)
    except ValueError:
        value = float("nan")
    if not (isfinite(value) and low <= value <= high):
        noun = "a whole number" if kind is int else "a number"
        bounds = f" from {low:g} to {high:g}" if declared.metadata else ""
        raise UsageError(f"--method {name}: {declared.name} takes {noun}{bounds}, not {text!r}")
    return value
