"""torchvision's classification models by name; the package (2 s to import) is loaded when one of them is asked for."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from torch import nn

from cam_cli.errors import CheckpointUnreadable, CheckpointUnsafe, WeightsUnavailable
from cam_cli.types import Recipe

from . import DEFAULT_MODEL
from .checkpoint import State, fit, read_state
from .labels import assumed, imagenet1k
from .network import Network, Source

STALLED = 30  # seconds without a byte after which a download has failed
AUXILIARY = re.compile(r"(aux\d|AuxLogits)\.")  # heads that run in training only


@cache
def names() -> list[str]:
    """Every classification model, sorted; no detection, segmentation, video or quantized ones."""
    from torchvision import models

    return sorted(models.list_models(module=models))


def knows(name: str) -> bool:
    return name.isidentifier() and name in names()


def build(name: str, checkpoint: str | None) -> Network:
    """The model `name` with torchvision's best weights (downloaded once), or with those of `checkpoint` (no download).

    Raises WeightsUnavailable when the download fails, and what `read_state` and `fit` raise.
    """
    from torchvision import models

    default = models.get_model_weights(name).DEFAULT
    notes: tuple[str, ...] = ()
    if checkpoint is None:
        path, weights, source = downloaded(name, default.url), f"torchvision {default.name}", "weights"
        try:
            state, digest = read_state(path)
        except (CheckpointUnreadable, CheckpointUnsafe) as error:
            raise WeightsUnavailable(
                f"the downloaded weights of {name} are broken: delete {path} and try again"
            ) from error
    else:
        (state, digest), weights, source = read_state(checkpoint), checkpoint, "assumed"
        notes = (f"preprocessing assumed: torchvision's recipe for {name}",)
    recipe = recipe_of(default, source)
    module, classes = fit(
        lambda count: construct(name, count, recipe.size), len(default.meta["categories"]), renamed(state), weights
    )
    labels = imagenet1k()
    if checkpoint is not None:
        labels, more = assumed(classes)
        notes += more
    activation = "softmax" if classes > 1 else "sigmoid"
    return Network(name, "torchvision", module, recipe, labels, weights, digest, notes, activation)


def recipe_of(weights: Any, source: str) -> Recipe:
    """The inference transforms of one of torchvision's weight entries."""
    preset = weights.transforms()
    (size,), (resize,) = preset.crop_size, preset.resize_size
    return Recipe(size, resize, tuple(preset.mean), tuple(preset.std), preset.interpolation.value, source)


def construct(name: str, classes: int, size: int) -> nn.Module:
    """The bare architecture for `classes` classes, as torchvision configures it for pretrained weights."""
    from torchvision import models

    options: dict[str, Any] = {}
    if name in ("googlenet", "inception_v3"):
        # transform_input undoes torchvision's mean and std for the [-1, 1] these were trained on; slow, warning
        # initialisation is of no use here, auxiliary heads neither.
        options = {"init_weights": False, "aux_logits": False, "transform_input": True}
    elif name.startswith("vgg"):
        options = {"init_weights": False}
    elif name.startswith("vit_"):
        options = {"image_size": size}
    module: nn.Module = models.get_model(name, weights=None, num_classes=classes, **options)
    return module


def renamed(state: State) -> State:
    """`state` without auxiliary heads, and with today's names in DenseNets (`norm.1` was renamed to `norm1`)."""
    return {
        re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", key): tensor
        for key, tensor in state.items()
        if not AUXILIARY.match(key)
    }


def downloaded(name: str, url: str) -> Path:
    """Where the file of `url` lies in torch's own cache, after a download if need be; whole or not at all.

    Raises WeightsUnavailable with the reason and what works without a connection.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / Path(urlparse(url).path).name
    if path.is_file():
        return path
    hashed = re.search(r"-([0-9a-f]{8,})\.", path.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with impatient():
            # Writes beside the target and renames after the hash was checked.
            torch.hub.download_url_to_file(url, str(path), hashed[1] if hashed else None, progress=False)
    except (OSError, HTTPException, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        reason = getattr(error, "reason", None) or error
        raise WeightsUnavailable(
            f"the weights of {name} cannot be downloaded from {url} ({reason}); --model {DEFAULT_MODEL} works offline, "
            "and --checkpoint FILE uses a file you have"
        ) from error
    return path


@contextmanager
def impatient() -> Iterator[None]:
    """Inside, a connection that stalls fails; torch.hub itself would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


source = Source(knows=knows, names=names, build=build, labels=lambda name: imagenet1k())
