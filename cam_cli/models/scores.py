"""What a model puts out → scores, whatever it wraps them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import torch
from torch import Tensor

from cam_cli.errors import ModelFailed


def read_scores(output: Any) -> Tensor:
    """The model's output as scores, float (b, k), k at least 2. Raises ModelFailed.

    One logit s, of the class `positive`, becomes the two scores −s, s; a sigmoid of either is that class's probability.
    """
    scores = raw_scores(output)
    return torch.cat([-scores, scores], 1) if scores.shape[1] == 1 else scores


def raw_scores(output: Any) -> Tensor:
    """The scores as they are, float (b, k): a tensor itself, else what is called `logits` in a mapping, dataclass or
    named tuple, else the one float matrix in it (in a tuple or list too); a vector (b,) is one logit an image.

    Raises ModelFailed, with what there is, where that is nothing or several.
    """
    if isinstance(output, Tensor) and output.is_floating_point() and output.ndim in (1, 2) and output.numel():
        return output if output.ndim == 2 else output[:, None]
    parts = dict(named_parts(output))
    found = [parts["logits"]] if "logits" in parts else list(parts.values())
    matrices = [part for part in found if isinstance(part, Tensor) and part.ndim == 2 and part.is_floating_point()]
    if len(matrices) == 1:
        return matrices[0]
    doubt = f"; {len(matrices)} of them could be scores, so call one `logits`" if len(matrices) > 1 else ""
    raise ModelFailed(
        f"the model puts out {described(output)}, not scores (images, classes){doubt}; only classifiers are explained"
    )


def named_parts(output: Any) -> Iterator[tuple[str, Any]]:
    """What an output is made of, with names, or numbers where there are none."""
    if isinstance(output, Mapping):
        yield from ((str(key), part) for key, part in output.items())
    elif isinstance(output, tuple) and hasattr(output, "_fields"):
        yield from zip(output._fields, output, strict=True)
    elif isinstance(output, (tuple, list)):
        yield from ((str(index), part) for index, part in enumerate(output))
    elif is_dataclass(output):
        yield from ((field.name, getattr(output, field.name)) for field in fields(output))
    elif hasattr(output, "logits"):
        yield "logits", output.logits


def described(output: Any) -> str:
    """A shape, or a container's type with its parts, for messages."""
    if isinstance(output, Tensor):
        shape = "×".join(map(str, output.shape)) or "a scalar"
        return shape if output.is_floating_point() else f"{shape} of {str(output.dtype).removeprefix('torch.')}"
    parts = list(named_parts(output))
    if not parts or isinstance(output, str):
        return type(output).__name__
    shown = ", ".join(
        f"{name}: {described(part) if isinstance(part, Tensor) else type(part).__name__}" for name, part in parts
    )
    return f"{type(output).__name__} ({shown})"
