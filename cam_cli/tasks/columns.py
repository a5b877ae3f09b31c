"""From the options that name methods and layers to what is computed side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cam_cli.engine.column import Column
from cam_cli.errors import MethodUnsuitable, UsageError
from cam_cli.methods import METHODS
from cam_cli.methods.choice import Choice
from cam_cli.methods.method import Method, Needs, Summed
from cam_cli.methods.smoothed import EigenSmoothed
from cam_cli.models.head import find_head
from cam_cli.models.layers import Layer, Survey, sweeps
from cam_cli.models.network import Network
from cam_cli.specs import ExplainSpec
from cam_cli.types import Head


def make_methods(texts: Sequence[str], smooth: str | None) -> dict[str, Method]:
    """The methods of `--method`, by what results call them. Raises what names and parameters raise."""
    methods = dict(Choice.parse(text).load() for text in texts)
    return {name: smoothed(name, method) for name, method in methods.items()} if smooth else methods


def smoothed(name: str, method: Method) -> Method:
    """The method under --smooth eigen. Raises MethodUnsuitable for one whose map is no sum over channels."""
    if not isinstance(method, Summed):
        able = ", ".join(known for known in METHODS if issubclass(METHODS.load(known), Summed))
        raise MethodUnsuitable(f"--smooth eigen needs a map that is a sum over channels, {name}'s is not; use {able}")
    return EigenSmoothed(method)


def default_method(spec: ExplainSpec, network: Network) -> tuple[str, str]:
    """Where no --method is given: cam if it is exact and nothing asks for more than it has, else gradcam; and why."""
    if spec.method.layers:
        return "gradcam", "--layer names its layer"
    if spec.classes.score == "probability":
        return "gradcam", "cam is exact for logits alone"
    try:
        find_head(network)
    except MethodUnsuitable:
        return "gradcam", "cam is not exact for this network"
    return "cam", "exact for this network"


def make_columns(methods: Mapping[str, Method], layers: Sequence[str], seen: Survey, head: Head | None) -> list[Column]:
    """A column for every method (by name) and layer, side by side, none twice; what reads the head has the head's
    layer, what has no layer one column."""
    columns: dict[tuple[str, str], Column] = {}
    for name, method in methods.items():
        groups: list[tuple[str, tuple[Layer, ...], str]]
        if Needs.HEAD in method.needs:
            assert head is not None
            groups = [(head.layer, group, "what the head pools") for group in seen.choose(head.layer)]
        elif Needs.ACTIVATIONS not in method.needs:
            groups = [("input", (), "no layer")]
        elif layers:
            groups = [
                ("+".join(layer.path for layer in group) if sweeps(text) else text, group, f"--layer {text}")
                for text in layers
                for group in seen.choose(text)
            ]
        elif Needs.STAGES in method.needs and seen.stages:
            groups = [("+".join(seen.stages), tuple(seen.stages.values()), "all stages")]
        else:
            why = "last grid before pooling" if seen.default.prefix is None else "last tokens that the scores read"
            groups = [(seen.default.path, (seen.default,), why)]
        if Needs.GRADIENTS in method.needs:
            seen.check_gradients(layer for _, group, _ in groups for layer in group)
        for label, group, why in groups:
            columns.setdefault((name, label), Column(name, method, group, label, why))
    fixed = {name: method for name, method in methods.items() if not takes_layer(method)}
    if layers and len(fixed) == len(methods):
        name, method = next(iter(fixed.items()))
        why = "whose layer is the one the head pools" if Needs.HEAD in method.needs else "which looks at no layer"
        raise UsageError(f"--layer has no meaning for {name}, {why}; drop it")
    return list(columns.values())


def takes_layer(method: Method) -> bool:
    return Needs.ACTIVATIONS in method.needs and Needs.HEAD not in method.needs
