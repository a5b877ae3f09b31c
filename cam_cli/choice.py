"""Which model a person named, in plain values."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from .errors import UsageError

DEFAULT_MODEL = "efficientnet_lite0"
TRAINED = "trained"  # whatever a checkpoint that names its own network holds
ALIAS = re.compile(r"([\w.-]+)=(.+)", re.DOTALL)


@dataclass(frozen=True)
class ModelChoice:
    """One `--model` with what goes with it.

    alias: what results call it. name: for a source to resolve. checkpoint, labels: files, or None for the model's own.
    arguments: keywords for its constructor. trust: the checkpoint may be unpickled.
    activation: softmax or sigmoid, or None for what model and checkpoint say.
    named: whether a person gave a model's name; else it gives way to what the checkpoint names. aliased: likewise.
    """

    alias: str
    name: str
    checkpoint: str | None = None
    arguments: tuple[tuple[str, Any], ...] = ()
    labels: str | None = None
    trust: bool = False
    activation: str | None = None
    named: bool = field(default=True, compare=False)
    aliased: bool = field(default=False, compare=False)

    @classmethod
    def parse(cls, text: str, **more: Any) -> ModelChoice:
        """From `[ALIAS=]NAME[@CHECKPOINT]` or `[ALIAS=]@CHECKPOINT`; an alias that is not given is the last part of the
        name, without a name the stem of the checkpoint.

        more: the other fields. Raises UsageError.
        """
        parts = ALIAS.fullmatch(text)
        alias, rest = parts.groups() if parts else (None, text)
        name, at, checkpoint = rest.partition("@")
        if at and not checkpoint:
            raise UsageError(f"--model takes [ALIAS=]NAME[@CHECKPOINT], or [ALIAS=]@CHECKPOINT, not {text!r}")
        if checkpoint:
            more["checkpoint"] = checkpoint
        if checkpoint and name in ("", TRAINED):
            stem = PurePath(checkpoint).stem
            return cls(alias or stem, name or DEFAULT_MODEL, named=False, aliased=bool(alias), **more)
        return cls(alias or re.split(r"[/:]", name.rstrip("/"))[-1], name, aliased=bool(alias), **more)

    @classmethod
    def default(cls, **more: Any) -> ModelChoice:
        """The model of who names none. more: the other fields."""
        return cls(DEFAULT_MODEL, DEFAULT_MODEL, named=False, **more)

    @property
    def options(self) -> str:
        """What `camtool classes` needs to list the same classes: a space and options, or nothing for the default."""
        if self == ModelChoice.parse(DEFAULT_MODEL):
            return ""
        file = f" --checkpoint {self.checkpoint}" if self.checkpoint else ""
        name = f" -m {self.name}" if self.named else ""
        return f"{name}{file}{f' --labels {self.labels}' if self.labels else ''}"


def parse_argument(text: str) -> tuple[str, Any]:
    """`key=value`, the value as a Python literal where it is one, else as text. Raises UsageError."""
    key, equals, value = text.partition("=")
    if not (equals and key.isidentifier()):
        raise UsageError(f"--model-arg takes key=value, not {text!r}")
    try:
        return key, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return key, value
