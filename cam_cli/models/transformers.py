"""Image classifiers of the Hugging Face hub, as `hf/ID`, or of a folder that `save_pretrained` wrote, as `hf/FOLDER`.

Only `.safetensors` weights are read, and no code that comes with a model is ever run.
"""

from __future__ import annotations

import hashlib
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from cam_cli.choice import ModelChoice
from cam_cli.errors import CheckpointMismatch, CheckpointUnreadable, ModelFailed, ModelUnknown, WeightsUnavailable
from cam_cli.types import Recipe

from . import package
from .download import from_hub
from .fitting import listed
from .labels import Labels, imagenet1k
from .network import Blueprint, Source, Weights
from .processor import processed
from .recipe import IMAGENET
from .signature import told
from .weightfile import sha256

PREFIX = "hf/"
CONFIG, PROCESSORS, WEIGHTS = "config.json", ["preprocessor_config.json", "processor_config.json"], "*.safetensors"
ACTIVATIONS = {"multi_label_classification": "sigmoid", "single_label_classification": "softmax"}


def blueprint(choice: ModelChoice) -> Blueprint:
    """The classifier that the configuration describes. Raises PackageMissing, ModelUnknown, ModelFailed,
    WeightsUnavailable where not even its configuration can be had."""
    transformers = package("transformers")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    folder = located(choice.name)
    config = configuration(transformers, folder, choice)
    recipe, notes, flips = preprocessing(transformers, folder, config, choice.name)

    def construct(classes: int | None) -> nn.Module:
        mine = deepcopy(config)
        if classes is not None:
            mine.num_labels = classes
        try:
            module = transformers.AutoModelForImageClassification.from_config(mine)
        except Exception as error:
            raise ModelFailed(f"{choice.name} cannot be made from its configuration: {told(error)}") from error
        return flipping(module) if flips else module

    def own() -> Weights:
        filled = located(choice.name, weights=True)
        module = loaded(transformers, filled, config, choice.name)
        return Weights(flipping(module) if flips else module, choice.name, digest(filled))

    return Blueprint(
        "transformers",
        construct,
        own,
        config.num_labels,
        recipe,
        f"{choice.name}'s own",
        labels_in(config),
        ACTIVATIONS.get(config.problem_type or ""),
        notes=notes,
    )


def located(name: str, weights: bool = False) -> Path:
    """The folder of a model: a person's own, else one in the hub's cache. Raises ModelUnknown, WeightsUnavailable."""
    folder = Path(name.removeprefix(PREFIX)).expanduser()
    if not folder.is_dir():
        files = [CONFIG, *PROCESSORS, *([WEIGHTS, f"{WEIGHTS}.index.json"] if weights else [])]
        return from_hub(name, name.removeprefix(PREFIX), files, WEIGHTS if weights else CONFIG)
    if not (folder / CONFIG).is_file():
        raise ModelUnknown(f"{folder} holds no {CONFIG}; name a folder that save_pretrained wrote")
    if weights and not any(folder.glob(WEIGHTS)):
        raise WeightsUnavailable(
            f"{folder} holds no {WEIGHTS}; save the model with safetensors, or give its weights with --checkpoint"
        )
    return folder


def configuration(transformers: Any, folder: Path, choice: ModelChoice) -> Any:
    """The model's configuration, with the person's own arguments. Raises ModelFailed."""
    try:
        config = transformers.AutoConfig.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True, **dict(choice.arguments)
        )
    except Exception as error:  # OSError, ValueError, KeyError …: whatever a broken or foreign file makes it raise
        if "trust_remote_code" in str(error):
            raise ModelFailed(f"{choice.name} needs code that comes with it, which is never run here") from error
        raise ModelFailed(f"{choice.name}: {folder / CONFIG} cannot be used ({told(error)})") from error
    if type(config) not in transformers.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING:
        raise ModelFailed(f"{choice.name} is a {config.model_type}, not an image classifier that transformers knows")
    return config


def loaded(transformers: Any, folder: Path, config: Any, name: str) -> nn.Module:
    """The network with the folder's weights. Raises CheckpointUnreadable, CheckpointMismatch."""
    try:
        module, report = transformers.AutoModelForImageClassification.from_pretrained(
            folder,
            config=deepcopy(config),
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are reported, and refused below
        )
    except Exception as error:
        raise CheckpointUnreadable(f"the weights in {folder} cannot be read: {told(error)}") from error
    if wrong := sorted(key for key, *_ in report["mismatched_keys"]):
        raise CheckpointMismatch(f"the weights of {name} have other shapes than its {CONFIG} says: {listed(wrong)}")
    if missing := sorted(report["missing_keys"]):
        raise CheckpointMismatch(
            f"the weights of {name} lack {listed(missing)}: it was not trained as a classifier; "
            "--checkpoint FILE uses weights that were"
        )
    network: nn.Module = module
    return network


def preprocessing(transformers: Any, folder: Path, config: Any, name: str) -> tuple[Recipe, tuple[str, ...], bool]:
    """The recipe of the folder's image processor, or ImageNet's at the model's size; what had to be assumed; whether
    the network wants blue before green and red."""
    if not any((folder / file).is_file() for file in PROCESSORS):
        size = getattr(config, "image_size", None)
        size = size if isinstance(size, int) else IMAGENET.size
        recipe = Recipe(size, round(size * IMAGENET.resize / IMAGENET.size), *ASSUMED)
        return recipe, (f"preprocessing assumed: ImageNet's, {size} px ({name} has no {PROCESSORS[0]})",), False
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )
    except Exception as error:
        raise ModelFailed(f"{name}: its image processor cannot be used ({told(error)})") from error
    recipe, notes = processed(processor, name)
    return recipe, notes, bool(getattr(processor, "do_flip_channel_order", False))


ASSUMED = (IMAGENET.mean, IMAGENET.std, IMAGENET.interpolation, "assumed")


def flipping(module: nn.Module) -> nn.Module:
    """The network, turning the channels of what it is given around first."""

    def flip(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (inputs[0].flip(1), *inputs[1:])

    module.register_forward_pre_hook(flip)
    return module


def labels_in(config: Any) -> Labels | None:
    """The class names of a configuration; None where they are placeholders. ImageNet's come with their WordNet ids."""
    names = tuple(str(name) for _, name in sorted((config.id2label or {}).items()))
    if len(names) == 1000 and names[0].startswith("tench") and names[-1].startswith("toilet"):
        return imagenet1k()
    real = len(names) > 1 and not all(re.fullmatch(r"LABEL_\d+", name) for name in names)
    return Labels(names) if real else None


def digest(folder: Path) -> str:
    """The SHA-256 of the weight file; of several, that of their digests in order."""
    digests = [sha256(path) for path in sorted(folder.glob(WEIGHTS))]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


source = Source(knows=lambda name: name.startswith(PREFIX), names=list, blueprint=blueprint)
