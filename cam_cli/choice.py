"""Which model a person named, in plain values."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import Any

from .errors import UsageError

DEFAULT_MODEL = "efficientnet_lite0"
ALIAS = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class ModelChoice:
    """One `--model` with what goes with it.

    alias: what results call it. name: for a source to resolve. checkpoint, labels: files, or None for the model's own.
    arguments: keywords for its constructor. trust: the checkpoint may be unpickled.
    activation: softmax or sigmoid, or None for what model and checkpoint say.
    """

    alias: str
    name: str
    checkpoint: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()
    labels: str | None = None
    trust: bool = False
    activation: str | None = None

    @classmethod
    def parse(cls, text: str, **more: Any) -> ModelChoice:
        """From `[ALIAS=]NAME[@CHECKPOINT]`; an alias that is not given is the last part of the name.

        more: the other fields. Raises UsageError.
        """
        named = ALIAS.fullmatch(text)
        alias, rest = named.groups() if named else (None, text)
        name, at, checkpoint = rest.partition("@")
        if at and not (name and checkpoint):
            raise UsageError(f"--model takes [ALIAS=]NAME[@CHECKPOINT], not {text!r}")
        if checkpoint:
            more["checkpoint"] = checkpoint
        return cls(alias or re.split(r"[/:]", name.rstrip("/"))[-1], name, **more)

    @property
    def options(self) -> str:
        """What `camtool classes` needs to list the same classes: a space and options, or nothing for the default."""
        if self == ModelChoice.parse(DEFAULT_MODEL):
            return ""
        file = f" --checkpoint {self.checkpoint}" if self.checkpoint else ""
        return f" -m {self.name}{file}{f' --labels {self.labels}' if self.labels else ''}"


def parse_argument(text: str) -> tuple[str, Any]:
    """`key=value`, the value as a Python literal where it is one, else as text. Raises UsageError."""
    key, equals, value = text.partition("=")
    if not (equals and key.isidentifier()):
        raise UsageError(f"--model-arg takes key=value, not {text!r}")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return key, value
