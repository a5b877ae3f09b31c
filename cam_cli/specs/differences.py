"""Where two runs were asked for different things, in the words of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

ALWAYS_FREE = frozenset({"arguments"})  # how it was typed


def differences(
    spec: Any, before: Mapping[str, Any], free: Set[str] = ALWAYS_FREE, words: tuple[str, str] = ("before", "now")
) -> Iterator[str]:
    """`--class: top5 before, top now` for every value of `spec`, a dataclass, that `before` (plain values, as `as_json`
    makes them) has otherwise. free: fields that may differ, beside the options that say so themselves. Of a field that
    `before` lacks, the default counts: it is younger than that run."""
    for entry in fields(spec):
        declared = entry.metadata.get("option")
        if entry.name in free or (declared and declared.free):
            continue
        now, then = getattr(spec, entry.name), before.get(entry.name, default(entry))
        if is_dataclass(now) and isinstance(then, Mapping):
            yield from differences(now, then, free, words)
        elif plain(now) != plain(then):
            name = declared.flag if declared else entry.name
            yield f"{name}: {told(then)} {words[0]}, {told(now)} {words[1]}"
    known = {entry.name for entry in fields(spec)}
    yield from (f"{name}, which is unknown here" for name in before if name not in known)


def default(entry: Field[Any]) -> Any:
    if entry.default_factory is not MISSING:
        return entry.default_factory()
    return None if entry.default is MISSING else entry.default


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def told(value: Any) -> str:
    """A value for people. What says no, or nothing, was not given."""
    if isinstance(value, (list, tuple)):
        value = ", ".join(map(str, value)) or None
    if is_dataclass(value) or isinstance(value, Mapping):
        value = True
    return "not given" if value is None or value is False else "given" if value is True else str(value)
