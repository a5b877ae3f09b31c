"""A blueprint, a checkpoint and a person's options made into one Network."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import nn

from cam_cli.capture import observe
from cam_cli.choice import ModelChoice
from cam_cli.errors import LabelsUnreadable, UsageError, WeightsUnavailable
from cam_cli.types import Recipe

from .checkpoint import Checkpoint, read_checkpoint
from .fitting import fit
from .labelfile import read_labels
from .labels import Labels, assumed
from .network import Blueprint, Network, Specimen, Weights, channels_of
from .scores import raw_scores
from .signature import check_inputs


def assemble(choice: ModelChoice, blueprint: Blueprint, *, shapes_only: bool = False) -> Network:
    """The network chosen. shapes_only: where its own weights cannot be had, seeded random ones will do.

    Raises WeightsUnavailable, ModelFailed, UsageError, LabelsUnreadable, and what reading and fitting a checkpoint
    raise.
    """
    if choice.checkpoint is not None:
        return with_checkpoint(choice, blueprint, read_checkpoint(choice.checkpoint, choice.trust))
    notes = blueprint.notes
    try:
        weights = blueprint.own()
    except WeightsUnavailable as error:
        if not shapes_only:
            raise
        weights = Weights(seeded(blueprint), "random weights", "")
        notes += (f"random weights, good for shapes only: {error.message}",)
    module = weights.module.float().eval()
    classes = counted(module, blueprint.classes, choice.name, blueprint.recipe)
    labels = blueprint.labels
    if labels is None or len(labels) != max(classes, 2):
        labels, more = assumed(classes)
        notes += more
    return finished(choice, blueprint, weights, blueprint.recipe, classes, labels, None, notes)


def with_checkpoint(choice: ModelChoice, blueprint: Blueprint, found: Checkpoint) -> Network:
    """The network with a person's own weights, and with what their file says of classes, preprocessing, activation."""
    module, other = fit(blueprint.construct, found.state, found.path, blueprint.prepare)
    recipe = found.recipe_over(replace(blueprint.recipe, source="assumed"))
    notes = found.notes
    if found.recipe is None:
        notes += (f"preprocessing assumed: {blueprint.described}",)
    classes = counted(module, other or blueprint.classes, choice.name, recipe)
    labels = named(found.classes, classes)
    if found.classes and labels is None:
        notes += (f"{found.path} names {len(found.classes)} classes, its head has {classes}: the names are left out",)
    if labels is None and choice.labels is None:
        own = blueprint.labels
        if own and classes != 1000 and len(own) == classes:
            labels, notes = own, (*notes, f"class names assumed: {choice.name}'s own")
        else:
            labels, more = assumed(classes)
            notes += more
    weights = Weights(module, found.path, found.sha256)
    return finished(choice, blueprint, weights, recipe, classes, labels or assumed(classes)[0], found.activation, notes)


def finished(
    choice: ModelChoice,
    blueprint: Blueprint,
    weights: Weights,
    recipe: Recipe,
    classes: int,
    labels: Labels,
    activation: str | None,
    notes: tuple[str, ...],
) -> Network:
    """What checkpoint and model say, with the person's own options over it."""
    if choice.labels is not None:
        mine = read_labels(choice.labels)
        found = named(mine.names, classes)
        if found is None:
            raise LabelsUnreadable(f"{choice.labels} names {len(mine)} classes, {choice.name} has {classes}")
        labels = mine if len(mine) == len(found) else found
    if classes == 1 and choice.activation == "softmax":
        raise UsageError(f"{choice.name} has one logit, which a softmax says nothing about; drop --activation")
    said = activation or blueprint.activation
    if choice.activation and said and choice.activation != said:
        notes += (f"--activation {choice.activation}, though the model says {said}",)
    return Network(
        choice.name,
        blueprint.source,
        weights.module,
        recipe,
        replace(labels, listing=f"camtool classes{choice.options}") if choice.options else labels,
        weights.text,
        weights.sha256,
        notes,
        "sigmoid" if classes == 1 else choice.activation or said or "softmax",
    )


def named(names: tuple[str, ...] | None, classes: int) -> Labels | None:
    """Labels of these names where they are as many as the classes; of one logit, the positive one's is enough."""
    if names and classes == 1 and len(names) == 1:
        names = ("negative", *names)
    return Labels(names) if names and len(names) == (2 if classes == 1 else classes) else None


def counted(module: nn.Module, known: int | None, name: str, recipe: Recipe) -> int:
    """How many classes it has: as known, else as one pass on noise shows. Raises ModelFailed."""
    check_inputs(module, name)
    if known is not None:
        return known
    specimen = Specimen(module, recipe.size, name, channels_of(module, recipe.size))
    return raw_scores(observe(module, specimen.noise(1), lambda *seen: None)).shape[1]


def seeded(blueprint: Blueprint) -> nn.Module:
    """The bare network with random weights from a fixed seed; the global generator stays as it is. Matrices that are
    made as zeros, as ViT's head, are drawn too: with them no score would depend on the picture."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = blueprint.construct(None)
        for parameter in module.parameters():
            if parameter.ndim > 1 and not parameter.any():
                nn.init.normal_(parameter, std=0.02)
        return module
