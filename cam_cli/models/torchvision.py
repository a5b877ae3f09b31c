"""torchvision's classification models by name; the package (2 s to import) is loaded when one of them is asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, partial
from typing import Any

from torch import nn

from cam_cli.choice import ModelChoice
from cam_cli.errors import CheckpointUnreadable, CheckpointUnsafe, WeightsUnavailable
from cam_cli.types import Recipe

from .checkpoint import State, read_checkpoint
from .download import downloaded
from .fitting import fit
from .labels import imagenet1k
from .network import Blueprint, Source, Weights
from .signature import called

AUXILIARY = re.compile(r"(aux\d|AuxLogits)\.")  # heads that run in training only


@cache
def names() -> list[str]:
    """Every classification model, sorted; no detection, segmentation, video or quantized ones."""
    from torchvision import models

    return sorted(models.list_models(module=models))


def knows(name: str) -> bool:
    return name.isidentifier() and name in names()


def blueprint(choice: ModelChoice) -> Blueprint:
    """The model of that name; its own weights are torchvision's best, downloaded once."""
    from torchvision import models

    name = choice.name
    default = models.get_model_weights(name).DEFAULT
    recipe = recipe_of(default, "weights")
    options = dict(choice.arguments)

    def build(classes: int | None) -> nn.Module:
        return construct(name, classes or len(default.meta["categories"]), recipe.size, options)

    def own() -> Weights:
        path, text = downloaded(name, default.url), f"torchvision {default.name}"
        try:
            found = read_checkpoint(path)
        except (CheckpointUnreadable, CheckpointUnsafe) as error:
            raise WeightsUnavailable(
                f"the downloaded weights of {name} are broken: delete {path} and try again"
            ) from error
        return Weights(fit(build, found.state, text, renamed)[0], text, found.sha256)

    return Blueprint(
        "torchvision",
        build,
        own,
        options.get("num_classes", len(default.meta["categories"])),
        recipe,
        f"torchvision's recipe for {name}",
        imagenet1k(),
        prepare=renamed,
    )


def recipe_of(weights: Any, source: str) -> Recipe:
    """The inference transforms of one of torchvision's weight entries."""
    preset = weights.transforms()
    (size,), (resize,) = preset.crop_size, preset.resize_size
    return Recipe(size, resize, tuple(preset.mean), tuple(preset.std), preset.interpolation.value, source)


def construct(name: str, classes: int, size: int, arguments: Mapping[str, Any] | None = None) -> nn.Module:
    """The bare architecture for `classes` classes, as torchvision configures it for pretrained weights, with a person's
    own arguments over that. Raises ModelFailed."""
    from torchvision import models

    options: dict[str, Any] = {"num_classes": classes}
    if name in ("googlenet", "inception_v3"):
        # transform_input undoes torchvision's mean and std for the [-1, 1] these were trained on; slow, warning
        # initialisation is of no use here, auxiliary heads neither.
        options |= {"init_weights": False, "aux_logits": False, "transform_input": True}
    elif name.startswith("vgg"):
        options |= {"init_weights": False}
    elif name.startswith("vit_"):
        options |= {"image_size": size}
    module: nn.Module = called(partial(models.get_model, name, weights=None), options | dict(arguments or {}), name)
    return module


def renamed(state: State, own: list[str]) -> State:
    """`state` without auxiliary heads, and with today's names in DenseNets (`norm.1` was renamed to `norm1`)."""
    return {
        re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12])\.", r"\1\2.", key): tensor
        for key, tensor in state.items()
        if not AUXILIARY.match(key)
    }


source = Source(knows=knows, names=names, blueprint=blueprint)
