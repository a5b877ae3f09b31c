"""Specs out of plain values: what `as_json` made, read back from a `run.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def made(kind: Any, value: Any) -> Any:
    """`value` as a `kind`: a frozen dataclass, a tuple of one type, a union, a literal, or a plain type. A field that
    is missing has its default.

    Raises ValueError for a value that is none, and UsageError where a spec refuses it.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return dataclass_of(kind, value)
    if origin in (Union, UnionType):
        for one in arguments:
            try:
                return made(one, value)
            except ValueError:
                continue
    elif origin is tuple and isinstance(value, (list, tuple)):
        return tuple(made(arguments[0], one) for one in value)
    elif origin is Literal:
        if value in arguments:
            return value
    elif kind is float and type(value) is int:
        return float(value)
    elif type(value) is kind:
        return value
    raise ValueError(f"{value!r} is no {kind}")


def dataclass_of(kind: Any, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is no {kind.__name__}")
    hints = get_type_hints(kind)
    known = [entry.name for entry in fields(kind)]
    if strange := [name for name in value if name not in known]:
        raise ValueError(f"{kind.__name__} has no {strange[0]}")
    try:
        return kind(**{name: made(hints[name], one) for name, one in value.items()})
    except TypeError as error:  # a field without a default is missing
        raise ValueError(str(error)) from None
