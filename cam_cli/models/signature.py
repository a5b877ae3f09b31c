"""What a constructor takes, and what a network takes: one image, or more than this tool can give."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any

from torch import nn

from cam_cli.errors import CamtoolError, ModelFailed

TEXT = ("input_ids", "text", "texts", "tokens", "token_ids")


def called(constructor: Callable[..., Any], options: Mapping[str, Any], name: str) -> Any:
    """`constructor(**options)`; what it raises becomes a ModelFailed of one line, with the place in the code."""
    try:
        return constructor(**options)
    except CamtoolError:
        raise
    except Exception as error:
        given = ", ".join(f"{key}={value!r}" for key, value in options.items())
        raise ModelFailed(f"{name} cannot be made with ({given}): {told(error)}") from error


def told(error: BaseException) -> str:
    """An exception of somebody else's code: its type, its words, and where it was raised."""
    frames = extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def takes(constructor: Callable[..., Any], keyword: str) -> bool:
    """Does its signature have that keyword, by name or by `**`?"""
    try:
        parameters = inspect.signature(constructor).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(one.name == keyword or one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters)


def check_inputs(module: nn.Module, name: str) -> None:
    """Raises ModelFailed for a network that wants more than one image: several inputs, or text."""
    parameters = list(inspect.signature(module.forward).parameters.values())
    positional = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    required = [one.name for one in positional if one.default is inspect.Parameter.empty]
    required += [one.name for one in parameters if one.kind is one.KEYWORD_ONLY and one.default is one.empty]
    named = [one.name for one in parameters]
    text = [one for one in named if one in TEXT]
    if len(required) > 1 or text:
        wants = ", ".join(required if len(required) > 1 else named[:3])
        raise ModelFailed(f"{name} takes more than one image ({wants}); only image classifiers are explained")
