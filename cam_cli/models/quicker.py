"""The same network, quicker: batch normalisation folded into convolutions, activations too, channels last in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from copy import deepcopy
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from cam_cli.capture import observe
from cam_cli.errors import ModelFailed

from .efficientnet_lite import SameConv2d
from .network import Specimen
from .scores import raw_scores

TOLERANCE = 1e-4  # of the largest score
ACTIVATIONS: dict[type[nn.Module], tuple[str, list[float]]] = {
    nn.Identity: ("none", []),
    nn.ReLU: ("relu", []),
    nn.ReLU6: ("hardtanh", [0.0, 6.0]),
    nn.SiLU: ("swish", []),
    nn.Hardswish: ("hardswish", []),
}
"""What oneDNN calls them, and their numbers."""


@dataclass
class OnePass:
    """The forward of a convolution with the activation behind it, by oneDNN in one pass over memory; where that cannot
    be, the convolution alone. (torch itself gives kernels of 1×1 for fewer than 16 images on one thread to a matrix
    product, which takes longer.) done: whether its last call did both."""

    conv: nn.Conv2d
    name: str
    numbers: list[float]
    done: bool = False

    @classmethod
    def of(cls, conv: nn.Conv2d, act: nn.Module) -> OnePass | None:
        """None for a convolution that does more than the plain one, or an activation that oneDNN has no name for."""
        plain = type(conv).forward in (nn.Conv2d.forward, SameConv2d.forward) and conv.padding_mode == "zeros"
        if not plain or isinstance(conv.padding, str) or type(act) not in ACTIVATIONS:
            return None
        return cls(conv, *ACTIVATIONS[type(act)])

    def __call__(self, input: Tensor) -> Tensor:
        conv = self.conv
        self.done = self.serves(input)
        if not self.done:
            return type(conv).forward(conv, input)
        weight, padding = conv.kernel(input) if isinstance(conv, SameConv2d) else (conv.weight, conv.padding)
        found: Tensor = torch.ops.mkldnn._convolution_pointwise(
            input, weight, conv.bias, padding, conv.stride, conv.dilation, conv.groups, self.name, self.numbers, ""
        )
        return found

    def serves(self, input: Tensor) -> bool:
        """Whether it takes such a tensor: on a CPU that can, and without gradients."""
        if torch.is_grad_enabled() or torch.is_autocast_enabled("cpu"):
            return False
        return input.is_cpu and input.dtype == self.conv.weight.dtype and input.dtype in dtypes()


@cache
def dtypes() -> frozenset[torch.dtype]:
    """What oneDNN computes quickly on this machine."""
    there = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not there or not hasattr(torch.ops.mkldnn, "_convolution_pointwise"):
        return frozenset()
    half = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return frozenset({torch.float32, torch.bfloat16} if half else {torch.float32})


class Rest(nn.Module):
    """What a batch normalisation does besides, under the same names: dropout and activation. before: the convolution
    before it, where that may have done all of it."""

    def __init__(self, norm: nn.Module, before: OnePass | None):
        super().__init__()
        self.before = before
        for name, child in norm.named_children():
            self.add_module(name, child)

    def forward(self, input: Tensor) -> Tensor:
        if self.before and self.before.done:
            return input
        for child in self.children():
            input = child(input)
        return input


def quicker(specimen: Specimen, spared: Set[str], *, fold: bool) -> nn.Module:
    """A copy of the network with channels last in memory, and (with `fold`) with every batch normalisation that reads
    what a convolution has just put out folded into it:

    y = γ (w∗x + b − μ) / √(σ² + ε) + β = (γ w / √(σ² + ε)) ∗ x + γ (b − μ) / √(σ² + ε) + β

    What such a normalisation does besides, an activation, goes along where `OnePass` can. The outputs of normalisations
    stay what they were; those of the convolutions before them do not, so `spared`, the paths of layers that are looked
    at, keep theirs. The network itself where a copy cannot be made, does not run so, or
    has other scores on noise (something else reads such a convolution, too).
    """
    module = specimen.module
    try:
        copy = deepcopy(module)
    except Exception:  # a person's own network may hold what cannot be copied
        return module
    found = {norm: conv for norm, conv in pairs(specimen).items() if conv not in spared} if fold else {}
    with torch.no_grad():
        for norm, conv in found.items():
            watched = any(f"{norm}.{name}" in spared for name, _ in module.get_submodule(norm).named_children())
            fold_into(copy, conv, norm, fuse=not watched)
    copy = copy.to(memory_format=torch.channels_last)
    return copy if same_scores(specimen, copy) else module


def pairs(specimen: Specimen) -> dict[str, str]:
    """Paths of batch normalisations, each with the convolution whose very output it is given."""
    calls: Counter[str] = Counter()
    made: dict[int, tuple[str, Tensor]] = {}  # the tensors are kept, so that no other gets the identity of one
    found: dict[str, str] = {}

    def visit(path: str, part: nn.Module, inputs: tuple[object, ...], output: object) -> None:
        calls[path] += 1
        if isinstance(part, nn.Conv2d) and isinstance(output, Tensor):
            made[id(output)] = path, output
        elif isinstance(part, nn.BatchNorm2d) and inputs and id(inputs[0]) in made and foldable(part):
            found[path] = made[id(inputs[0])][0]

    try:
        observe(specimen.module, specimen.noise(1), visit)
    except ModelFailed:
        return {}
    readers = Counter(found.values())
    return {norm: conv for norm, conv in found.items() if calls[norm] == calls[conv] == readers[conv] == 1}


def foldable(norm: nn.BatchNorm2d) -> bool:
    """Whether it is a plain one, or one whose children (timm's `drop` and `act`) say all that it does besides."""
    known = type(norm) is nn.BatchNorm2d or {name for name, _ in norm.named_children()} in ({"act"}, {"drop", "act"})
    return known and norm.running_mean is not None and norm.running_var is not None and not norm.training


def fold_into(module: nn.Module, conv_path: str, norm_path: str, *, fuse: bool) -> None:
    """In place; with `fuse` the activation goes into the convolution, too, where that can be."""
    conv, norm = module.get_submodule(conv_path), module.get_submodule(norm_path)
    assert isinstance(conv, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    conv.weight, conv.bias = fuse_conv_bn_weights(
        conv.weight, conv.bias, norm.running_mean, norm.running_var, norm.eps, norm.weight, norm.bias
    )
    one_pass = OnePass.of(conv, getattr(norm, "act", nn.Identity())) if fuse else None
    if one_pass:
        conv.__dict__["forward"] = one_pass
    parent, _, name = norm_path.rpartition(".")
    setattr(module.get_submodule(parent), name, Rest(norm, one_pass).train(norm.training))


def same_scores(specimen: Specimen, copy: nn.Module) -> bool:
    """Whether a copy takes channels last and puts out the same scores on two noise images, up to rounding."""
    images = specimen.noise(2)
    try:
        mine = raw_scores(observe(copy, images.contiguous(memory_format=torch.channels_last), lambda *seen: None))
    except ModelFailed:
        return False
    scores = raw_scores(observe(specimen.module, images, lambda *seen: None))
    return bool((mine - scores).abs().max() <= TOLERANCE * scores.abs().max())
