"""A network in a file of `camtool train`, which says all that is needed to build it again."""

from __future__ import annotations

from torch import nn

from cam_cli.choice import TRAINED, ModelChoice
from cam_cli.errors import CheckpointMismatch, ModelUnknown

from . import SOURCES
from .description import Description, read_description
from .network import Blueprint, Source, Weights
from .weak import WeakNetwork, drop


def blueprint(choice: ModelChoice) -> Blueprint:
    """The network that the checkpoint describes, on the backbone it names; no other weights are looked for.

    Raises ModelUnknown without a checkpoint, CheckpointMismatch for one that describes none, what reading a description
    and what the backbone's own source raise.
    """
    if choice.checkpoint is None:
        raise ModelUnknown(f"{TRAINED!r} is whatever a file of `camtool train` holds; name it with --checkpoint FILE")
    path, said = choice.checkpoint, read_description(choice.checkpoint)
    if said is None:
        raise CheckpointMismatch(f"{path} is no file of `camtool train`; name the model whose weights it holds")
    name, arguments = said.backbone.name, choice.arguments or said.backbone.arguments
    inner = source_in(said, path).blueprint(ModelChoice(name, name, arguments=arguments))

    def construct(classes: int | None) -> nn.Module:
        trunk = inner.construct(None)
        try:
            drop(trunk, said.cut.dropped)
            trunk.get_submodule(said.cut.layer)
        except AttributeError as error:
            raise CheckpointMismatch(
                f"{path} was trained on another {said.backbone.name} ({error}); use the version it was trained with"
            ) from None
        return WeakNetwork(trunk, said.cut, said.head)

    def own() -> Weights:
        raise AssertionError("its weights are those of its checkpoint")

    return Blueprint(
        TRAINED,
        construct,
        own,
        said.head.classes,
        said.recipe,
        f"that of {path}",
        activation=said.activation,
    )


def source_in(said: Description, path: str) -> Source:
    """The source that the file names, and no other: that alone was looked at when the file was let in. Raises
    ModelUnknown where it does not know the backbone."""
    backbone = said.backbone
    found: Source | None = SOURCES.load(backbone.source) if backbone.source in SOURCES else None
    if found is None or backbone.source == TRAINED or not found.knows(backbone.name):
        raise ModelUnknown(f"{path} was trained on {backbone.name} of {backbone.source}, which is not known here")
    return found


source = Source(knows=lambda name: name == TRAINED, names=list, blueprint=blueprint)
