"""Where a network comes from. The tables are literal and torch-free; a source is imported when a name is resolved.

To add a source: one file that ends in `source = Source(knows, names, blueprint)`, and one line in `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from cam_cli.choice import TRAINED, ModelChoice
from cam_cli.errors import CheckpointMismatch, CheckpointUnsafe, ModelUnknown, PackageMissing, UsageError, nearest
from cam_cli.registry import Entry, Registry

from .description import SAFE, is_described, read_description
from .labels import Labels, imagenet1k

if TYPE_CHECKING:
    from .network import Network, Source

MODELS = Registry(
    "model",
    ModelUnknown,
    {
        "efficientnet_lite0": Entry(
            "cam_cli.models.efficientnet_lite:efficientnet_lite0",
            "ImageNet-1k, 224 px, 4.7 M parameters, exact CAM; works offline (the default)",
        ),
        "efficientnet_lite1": Entry(
            "cam_cli.models.efficientnet_lite:efficientnet_lite1",
            "ImageNet-1k, 240 px, 5.4 M parameters, exact CAM; works offline",
            extra="lite",
        ),
        "efficientnet_lite2": Entry(
            "cam_cli.models.efficientnet_lite:efficientnet_lite2",
            "ImageNet-1k, 260 px, 6.1 M parameters, exact CAM; works offline",
            extra="lite",
        ),
    },
)

SOURCES = Registry(
    "source of models",
    ModelUnknown,
    {
        "bundled": Entry("cam_cli.models.bundled:source", "networks whose weights are installed with pip; no download"),
        "trained": Entry(
            "cam_cli.models.trained:source",
            "a file of `camtool train`, which says itself what it is: --checkpoint FILE",
        ),
        "torchvision": Entry(
            "cam_cli.models.torchvision:source", "torchvision's classification models; weights are downloaded once"
        ),
        "timm": Entry(
            "cam_cli.models.timm:source", "timm's models, a tag after a dot; weights are downloaded once", extra="timm"
        ),
        "transformers": Entry(
            "cam_cli.models.transformers:source",
            "an image classifier of the Hugging Face hub, or a folder that save_pretrained wrote",
            extra="transformers",
        ),
        "factory": Entry(
            "cam_cli.models.factory:source",
            "your own: a function that returns a network, package.module:factory or file.py:factory",
        ),
    },
)
PATTERNS = {TRAINED: "@FILE", "timm": "timm/NAME", "transformers": "hf/ID_OR_FOLDER", "factory": "file.py:factory"}


def package(name: str) -> Any:
    """An optional package. Raises PackageMissing with the extra that brings it."""
    try:
        return import_module(name)
    except ImportError as error:
        if error.name and error.name.partition(".")[0] != name:
            raise PackageMissing(f"{name} does not import here ({error}); pip install 'camtool[{name}]'") from error
        raise PackageMissing(f"{name} is not installed; pip install 'camtool[{name}]'") from error


def load(choice: ModelChoice | str, *, shapes_only: bool = False) -> Network:
    """The network chosen (or called `[ALIAS=]NAME[@CHECKPOINT]`), in eval mode, float32, on the CPU.

    shapes_only: where its own weights cannot be had, seeded random ones will do. Raises ModelUnknown with the nearest
    names, PackageMissing, ModelFailed (also where its input is neither RGB nor grey), WeightsUnavailable, InputMissing,
    CheckpointUnreadable, CheckpointUnsafe, CheckpointMismatch, LabelsUnreadable, UsageError.
    """
    from .assembly import assemble
    from .network import suited

    choice = resolved(ModelChoice.parse(choice) if isinstance(choice, str) else choice)
    return suited(assemble(choice, source_of(choice.name).blueprint(choice), shapes_only=shapes_only))


def resolved(choice: ModelChoice) -> ModelChoice:
    """`choice`, or where its checkpoint is a file of `camtool train` the network in that: called like the file, unless
    a person gave it a name. Reads the beginning of a file, and needs no torch.

    Raises CheckpointMismatch where the person named a model that it is not, CheckpointUnsafe where its backbone is code
    that only a person can name, UsageError for arguments that have no meaning, and what reading a description raises.
    """
    done = choice.name == TRAINED and choice.named
    if choice.checkpoint is None or done or not is_described(choice.checkpoint):
        return choice
    path, said = choice.checkpoint, read_description(choice.checkpoint)
    assert said is not None
    backbone, named = said.backbone, choice.named
    if named and choice.name != backbone.name:
        raise CheckpointMismatch(
            f"{path} is a whole network of `camtool train` on {backbone.name}, not weights of {choice.name}; drop "
            "--model"
        )
    if not named and backbone.source not in SAFE:
        raise CheckpointUnsafe(
            f"{path} was trained on {backbone.name}, which a file may not run by itself; name it: --model "
            f"{backbone.name} --checkpoint {path}"
        )
    if choice.arguments and backbone.source in SAFE:
        raise UsageError(f"--model-arg has no meaning for {path}, which says how its network is made; drop it")
    alias = choice.alias if named or choice.aliased else PurePath(path).stem
    return replace(choice, name=TRAINED, alias=alias)


def source_of(name: str) -> Source:
    """The first source that knows the name. Raises ModelUnknown with the nearest names."""
    for key in SOURCES:
        source: Source = SOURCES.load(key)
        if source.knows(name):
            return source
    known = [known for key in ("bundled", "torchvision") for known in SOURCES.load(key).names()]
    near = nearest(name.rpartition("/")[2].partition(":")[0], known)
    if "/" in name or name.endswith(".py"):
        wanted = "timm/NAME, hf/ID_OR_FOLDER, package.module:factory or file.py:factory"
        raise ModelUnknown(f"no source knows {name!r}; names with a path are {wanted}{near} (list: `camtool models`)")
    raise ModelUnknown(f"no model is called {name!r}{near} (list: `camtool models`)")


def labels_of(choice: ModelChoice) -> Labels:
    """The class names of a model, without its weights where they need none; those of a bundled one, and of a file of
    `camtool train`, without importing torch. Raises what `load` raises."""
    choice = resolved(choice)
    plain = choice == ModelChoice(choice.alias, choice.name)
    if plain and choice.name in MODELS:
        return imagenet1k()
    if (
        choice.name == TRAINED
        and choice.checkpoint
        and not choice.labels
        and (said := read_description(choice.checkpoint))
    ):
        return said.labels
    known = source_of(choice.name).blueprint(choice).labels if plain else None
    return known or load(choice).labels


def catalog() -> Iterator[dict[str, str]]:
    """Every model that has a name, and the patterns of those that have many: name, source, and what it is."""
    for key, entry in SOURCES.items():
        source: Source = SOURCES.load(key)
        for name in source.names() or [PATTERNS[key]]:
            yield {"model": name, "source": key, "what": MODELS.get(name, entry).summary}
