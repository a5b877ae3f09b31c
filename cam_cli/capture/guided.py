"""Guided backpropagation: what a ReLU hands back while gradients are taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import Tensor

Node = Any  # torch.autograd.graph.Node, whose saved values have no types


@contextmanager
def guided(scores: Tensor) -> Iterator[int]:
    """Inside, gradients that reach a ReLU on the way back from `scores` pass on only where they are positive. Yields
    how many ReLUs there are.

    It hooks the nodes of this one pass's graph: ReLUs that are functional, in place, shared or written as a clamp leave
    no module to hook, and nothing of the model is touched. Hooks of nodes run wherever autograd runs the node, so the
    threads that CUDA's backward has of its own need no care.
    """
    with ExitStack() as hooks:
        rectifiers = [node for node in nodes(scores) if rectifies(node)]
        for node in rectifiers:
            hooks.callback(node.register_prehook(positive).remove)
        yield len(rectifiers)


def nodes(scores: Tensor) -> Iterator[Node]:
    """Every node of the graph behind `scores`, once."""
    waiting: list[Node] = [scores.grad_fn]
    seen = {None, *waiting}
    while waiting:
        node = waiting.pop()
        if node is not None:
            yield node
            later = {after for after, _ in node.next_functions} - seen
            seen |= later
            waiting.extend(later)


def rectifies(node: Node) -> bool:
    """Whether a node is a ReLU: the function, ReLU6, or a threshold, clamp or maximum at 0. (`x * (x > 0)` and
    `where(x > 0, x, 0)` leave nothing that tells them from any product or choice.)"""
    match node.name().rstrip("0123456789"):
        case "ReluBackward":
            return True
        case "HardtanhBackward":
            return bool(node._saved_min_val == 0)
        case "ThresholdBackward":
            return bool(node._saved_threshold == 0)
        case "ClampBackward" | "ClampMinBackward":
            return zero(node._saved_min)
        case "MaximumBackward" | "FmaxBackward":
            return zero(node._saved_self) or zero(node._saved_other)
    return False


def zero(value: float | Tensor | None) -> bool:
    return not value.any() if isinstance(value, Tensor) else value == 0


def positive(gradients: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    return tuple(None if one is None else one.clamp(min=0) for one in gradients)
