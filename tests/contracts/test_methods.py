"""Every registered method on every kind of network: shapes, determinism, batches, refusals, the model untouched."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cam_cli.engine.answers import Reading
from cam_cli.engine.column import Column
from cam_cli.engine.explain import Explainer
from cam_cli.engine.selection import parse_selections
from cam_cli.errors import CamtoolError, MethodUnsuitable
from cam_cli.methods import METHODS
from cam_cli.methods.method import Method, Needs
from cam_cli.models.head import find_head
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from cam_cli.types import Failure
from tests.engine.test_explain import picture
from tests.test_capture import assert_same, state

from .networks import KINDS, network

# Fewer passes than anybody would take, so that every method meets every network.
FEW = {
    "sscam": {"samples": 2},
    "iscam": {"steps": 2},
    "rise": {"masks": 40, "cells": 4},
    "occlusion": {"patch": 0.4, "stride": 0.3},
    "smoothgrad": {"samples": 2},
    "smoothgradcam++": {"samples": 2},
}
# What a network must have for a method; without it, it is refused.
NEEDED = {
    "cam": "head", "guided_backprop": "relu", "guided_gradcam": "relu", "rollout": "attention", "legrad": "attention"
}  # fmt: skip
# Of a map's largest value: passes of one image and of several round differently. A principal direction turns by that
# rounding over the gap between its first two singular values; small differences and softmaxes of scores magnify that of
# the scores.
CLOSE = 1e-5
MAGNIFIED = dict.fromkeys(("eigencam", "eigengradcam", "kpcacam", "scorecam", "sscam", "iscam", "ablationcam"), 1e-4)


def method_of(name: str) -> Method:
    return METHODS.load(name)(**FEW.get(name, {}))


def explainer(name: str, kind: str, seed: int = 0) -> Explainer:
    """At the default layer and the first stage. Raises what a run would."""
    method, model, size = method_of(name), network(kind), KINDS[kind].size
    labels = Labels(tuple(f"class {index}" for index in range(len(list(model.parameters())[-1]))))
    seen, head = survey(model, size), None
    groups = [()]
    if Needs.HEAD in method.needs:
        head = find_head(model, size)
        groups = seen.choose(head.layer)
    elif Needs.ACTIVATIONS in method.needs:
        early = next(iter(seen.stages.values()))
        groups = [(seen.default,), *([(early,)] if early != seen.default else [])]
    columns = tuple(Column(name, method, group, "+".join(layer.path for layer in group)) for group in groups)
    selections, cpu = parse_selections(("top2",), labels.find, Reading(labels)), torch.device("cpu")
    tokens = seen.attended if Needs.ATTENTION in method.needs else None
    reading = Reading(labels)
    return Explainer(model, reading, columns, selections, head, "mean", 0.0, cpu, "fp32", seed=seed, tokens=tokens)


def refused(name: str, kind: str) -> bool:
    needed = NEEDED.get(name)
    return needed is not None and needed not in KINDS[kind].traits


EVERY = [(name, kind) for name in METHODS for kind in KINDS]


@pytest.mark.parametrize(("name", "kind"), [pair for pair in EVERY if not refused(*pair)])
def test_contract(name, kind):
    run, size = explainer(name, kind), KINDS[kind].size
    run.module.train()
    before = state(run.module)
    pictures = [picture(str(seed), size, seed) for seed in range(3)]
    close = MAGNIFIED.get(name, CLOSE)
    found, again = list(run(pictures)), list(run(pictures))
    assert_same(before, state(run.module))
    for one, other, source in zip(found, again, pictures, strict=True):
        assert not isinstance(one, Failure), one
        (alone,) = run([source])
        assert len(one.maps) == 2 * len(run.columns)
        for mine, theirs, single in zip(one.maps, other.maps, alone.maps, strict=True):
            (column,) = (column for column in run.columns if column.layers[:1] == layers_of(run, mine))
            grids = [(layer.rows, layer.cols) for layer in column.layers]
            assert mine.raw.shape in [*grids, (size, size), cells(run)]
            assert mine.raw.dtype == np.float32
            assert np.isfinite(mine.raw).all()
            np.testing.assert_array_equal(mine.raw, theirs.raw)
            np.testing.assert_allclose(mine.raw, single.raw, rtol=0, atol=close * np.abs(mine.raw).max())


def cells(run):
    return (run.tokens.rows, run.tokens.cols) if run.tokens else None


def layers_of(run, one):
    return tuple(run.layers[path] for path in one.layers[:1])


@pytest.mark.parametrize(("name", "kind"), [pair for pair in EVERY if refused(*pair)])
def test_a_method_that_a_network_does_not_suit_is_refused_in_a_line(name, kind):
    """At the start of a run, or for each image of it."""
    model, size = network(kind), KINDS[kind].size
    before = state(model)
    try:
        (found,) = explainer(name, kind)([picture("a", size)])
        assert isinstance(found, Failure)
        error = (found.kind, found.message)
    except CamtoolError as raised:
        error = (raised.kind, raised.message)
    assert error[0] == MethodUnsuitable.__name__
    assert len(error[1]) < 300
    assert_same(before, state(model))


class Broken(nn.Module):
    """Fails behind its last layer."""

    def __init__(self, inner: nn.Module):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        self.inner(x)
        raise ValueError("no")


@pytest.mark.parametrize("name", METHODS)
def test_the_model_is_left_as_found_when_it_fails(name):
    if refused(name, "residual"):
        pytest.skip("not for this network")
    run = explainer(name, "residual")
    broken = Broken(run.module)
    renamed = [
        Column(one.name, one.method, tuple(under(layer) for layer in one.layers), one.label) for one in run.columns
    ]
    failing = Explainer(
        broken, run.reading, tuple(renamed), run.selections, run.head, "mean", 0.0, torch.device("cpu"), "fp32"
    )
    before = state(broken)
    (found,) = failing([picture("a", 16)])
    assert (found.kind, "ValueError: no" in found.message) == ("ModelFailed", True)
    assert_same(before, state(broken))


def under(layer):
    from dataclasses import replace

    return replace(layer, path=f"inner.{layer.path}")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_documented_and_frozen(name):
    kind = METHODS.load(name)
    assert re.search(r"arXiv:\d{4}\.\d{4,5}|doi:10\.\d{4}/\S", kind.__doc__), "the paper"
    assert re.search(r"[=Σ]", kind.__doc__), "the formula"
    with pytest.raises(AttributeError):
        kind().needs = Needs.HEAD
    assert METHODS[name].summary


def test_every_method_file_is_registered():
    import cam_cli.methods

    files = {path.stem for path in Path(cam_cli.methods.__file__).parent.glob("*.py")} - {
        "__init__",
        "choice",
        "method",
        "noise",
        "smoothed",
    }
    assert files == {entry.target.split(":")[0].rpartition(".")[2] for entry in METHODS.values()}
