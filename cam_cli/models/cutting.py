"""A loaded classifier cut at a layer: what stays is its trunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import torch
from torch import nn

from cam_cli.capture import observe
from cam_cli.errors import CamtoolError, MethodUnsuitable, ModelFailed

from .description import Cut
from .head import find_head
from .network import Network, Specimen
from .stages import Layer
from .weak import Trunk, drop, put


def cut_at(network: Network, layer: Layer) -> Cut:
    """The cut of `network` at one of its layers; what is not needed before it is taken out of the network's module.

    A module is needless if it does not run and what it is in is still running when the layer is reached. (What has
    finished keeps its parts: attention reads weights of modules that it never calls.) One pass on noise before and one
    after must give the same to the bit; where they do not, everything stays. Raises ModelFailed.
    """
    specimen, calls = Specimen.of(network, None), Counter[str]()
    images = specimen.noise(1)
    observe(network.module, images, lambda path, *_: calls.update([path]))
    cut = Cut(
        layer.path, layer.channels, calls[layer.path], layer.channels_last, layer.prefix, rectifies(network, layer)
    )
    trunk, finished = Trunk(network.module, cut), set[str]()
    before = observe(trunk, images, lambda path, *_: finished.add(path.removeprefix("network.")))
    dropped = tuple(needless(network.module, "", finished))
    removed = drop(network.module, dropped)
    with suppress(CamtoolError):
        if torch.equal(before, observe(trunk, images, lambda *_: None)):
            return replace(cut, dropped=dropped)
    for path, module in zip(dropped, removed, strict=True):
        put(network.module, path, module)
    return cut


def needless(module: nn.Module, path: str, finished: set[str]) -> Iterator[str]:
    """The paths of the children below `path`, the outermost alone, that hold nothing that has finished. What has
    finished itself is not looked into."""
    for name, child in module.named_children():
        below = f"{path}.{name}" if path else name
        if below in finished:
            continue
        if any(one.startswith(f"{below}.") for one in finished):
            yield from needless(child, below, finished)
        elif not isinstance(child, nn.Identity):
            yield below


def rectifies(network: Network, layer: Layer) -> bool:
    """Does a ReLU that is no module stand between the layer and the network's own pooling (DenseNet)?"""
    try:
        head = find_head(network)
    except (MethodUnsuitable, ModelFailed):
        return False
    return head.layer == layer.path and head.rectified
