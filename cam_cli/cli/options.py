"""From a spec's fields to a command's options: each option is declared once, in specs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, get_type_hints

import typer

from cam_cli.specs.option import Option


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Flattens every parameter of `command` that is a spec into that spec's options, and hands it whole specs.

    Typer reads a command's signature, so the wrapper carries one of its own: `__signature__` and `__annotations__` both
    set and no `__wrapped__`, or Typer would look behind it.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    plain = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, parameter in inspect.signature(command).parameters.items()
        if name not in groups
    ]
    taken = {name: declared(group) for name, group in groups.items()}

    def flat(**given: Any) -> None:
        specs = {
            name: group(**{one.name: value(given.pop(one.name)) for one in taken[name]})
            for name, group in groups.items()
        }
        command(**given, **specs)

    parameters = [*plain, *(one for options in taken.values() for one in options)]
    signature = inspect.Signature(parameters)
    flat.__signature__ = signature  # type: ignore[attr-defined]
    flat.__annotations__ = {one.name: one.annotation for one in parameters}
    flat.__name__, flat.__doc__ = command.__name__, command.__doc__
    return flat


@cache
def declared(group: Any) -> list[inspect.Parameter]:
    """A spec's options as keyword parameters with Typer's annotations."""
    hints = get_type_hints(group)
    return [
        inspect.Parameter(
            entry.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=list(entry.default) if isinstance(entry.default, tuple) else entry.default,
            annotation=Annotated[listed(hints[entry.name]), typer_option(entry.metadata["option"], entry.default)],
        )
        for entry in fields(group)
        if "option" in entry.metadata
    ]


def typer_option(declaration: Option, default: Any) -> Any:
    bounds = {"min": declaration.minimum, "max": declaration.maximum}
    return typer.Option(
        *declaration.flags,
        help=declaration.help.replace("[", r"\["),  # rich would read [default: …] as a style, and drop it
        rich_help_panel=declaration.panel,
        metavar=declaration.metavar,
        show_default=default not in (None, (), False),
        **{name: bound for name, bound in bounds.items() if bound is not None},  # type: ignore[arg-type]
    )


def listed(hint: Any) -> Any:
    return list[str] if hint == tuple[str, ...] else hint


def value(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given
