"""timm's models, as `timm/NAME` or `timm/NAME.TAG`; the package is imported when one of them is asked for."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

from torch import nn

from cam_cli.choice import ModelChoice
from cam_cli.errors import CheckpointMismatch, CheckpointUnreadable, ModelUnknown, WeightsUnavailable, nearest

from . import package
from .checkpoint import Checkpoint, read_checkpoint
from .download import downloaded, from_hub
from .labels import imagenet1k
from .network import Blueprint, Source, Weights
from .recipe import configured
from .signature import called

PREFIX = "timm/"
FILE = "model.safetensors"


def names() -> list[str]:
    """Every architecture, where timm is installed."""
    return [PREFIX + name for name in package("timm").list_models()] if find_spec("timm") else []


def blueprint(choice: ModelChoice) -> Blueprint:
    """The architecture of that name with the configuration of its tag. Raises PackageMissing, ModelUnknown."""
    timm, name, options = package("timm"), choice.name.removeprefix(PREFIX), dict(choice.arguments)
    config = configuration(timm, name)
    if "img_size" in options:
        sides = options["img_size"]
        config |= {"input_size": (3, *(sides if isinstance(sides, tuple) else (sides, sides)))}
    recipe, notes = configured(config, choice.name)
    # A network that was published without a head gets one, for a checkpoint to fill.
    count = config["num_classes"] or 1000

    def construct(classes: int | None, **more: Any) -> nn.Module:
        def make(**keywords: Any) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on names of former versions
                return timm.create_model(name, **keywords)

        module: nn.Module = called(make, {"num_classes": classes or count} | options | more, choice.name)
        return module

    def own() -> Weights:
        if not config["num_classes"]:
            raise WeightsUnavailable(f"{choice.name} was published without a classifier; --checkpoint FILE brings one")
        if options.get("num_classes", count) != count:
            raise CheckpointMismatch(f"the weights of {choice.name} have {count} classes; drop num_classes")
        found = fetched(choice.name, config)
        # timm itself fits the file to today's names; the file was read here, by the restricted reader.
        overlay = {"state_dict": found.state, "custom_load": False, "hf_hub_id": None, "url": ""}
        module = construct(None, pretrained=True, pretrained_cfg_overlay=overlay)
        return Weights(module, f"timm {name.partition('.')[0]}.{config['tag']}".rstrip("."), found.sha256)

    return Blueprint(
        "timm",
        construct,
        own,
        options.get("num_classes", count),
        recipe,
        f"that of timm's weights for {choice.name}",
        imagenet1k() if config["num_classes"] == 1000 else None,
        notes=notes,
    )


def configuration(timm: Any, name: str) -> dict[str, Any]:
    """timm's entry for an architecture's weights of a tag, or for its default ones. Raises ModelUnknown."""
    base, _, tag = name.partition(".")
    if not timm.is_model(base):
        raise ModelUnknown(f"timm has no model {base!r}{nearest(base, timm.list_models())} (list: `camtool models`)")
    tags = [known.partition(".")[2] for known in timm.list_pretrained(f"{base}.*")]
    if tag and tag not in tags:
        raise ModelUnknown(f"timm has no weights {tag!r} for {base} (it has: {', '.join(tags) or 'none'})")
    found = timm.get_pretrained_cfg(name)
    return dict(found.to_dict()) | {"tag": found.tag or ""}


def fetched(name: str, config: dict[str, Any]) -> Checkpoint:
    """The file of timm's weights, read. Raises WeightsUnavailable."""
    if config.get("hf_hub_id"):
        path = from_hub(name, config["hf_hub_id"], [FILE], FILE) / FILE
    elif config.get("url"):
        path = downloaded(name, config["url"])
    else:
        raise WeightsUnavailable(f"timm has no weights for {name}; --checkpoint FILE uses a file you have")
    try:
        return read_checkpoint(path)
    except CheckpointUnreadable as error:
        raise WeightsUnavailable(f"the downloaded weights of {name} are broken: delete {path} and try again") from error


source = Source(knows=lambda name: name.startswith(PREFIX), names=names, blueprint=blueprint)
