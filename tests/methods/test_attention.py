"""Attention rollout and LeGrad by independent loops, and in a run."""

import numpy as np
import pytest
import torch

from cam_cli.engine.answers import Reading
from cam_cli.engine.column import Column
from cam_cli.engine.explain import Explainer
from cam_cli.engine.selection import parse_selections
from cam_cli.errors import MethodUnsuitable
from cam_cli.methods import METHODS
from cam_cli.methods.legrad import LeGrad
from cam_cli.methods.method import Attention
from cam_cli.methods.rollout import Rollout
from cam_cli.models.labels import Labels
from cam_cli.models.layers import survey
from tests.engine.test_explain import picture
from tests.nets import Residual, seeded, vit
from tests.test_attention import IMAGES, block

from .asking import captured


class Known:
    """A probe that answers with matrices and gradients (b, heads, n, n) a block."""

    def __init__(self, matrices, gradients, prefix, rows, cols):
        self.found = Attention(tuple(matrices), tuple(gradients), prefix, rows, cols)

    def attention(self, *, gradients=False):
        return self.found


def asked(model, targets):
    seen, probe = captured(model, IMAGES, None, targets)
    probe.tokens = survey(model, 64).attended
    return seen, probe


@pytest.mark.parametrize("prefix", [0, 1, 5])
def test_rollout_by_loops(prefix):
    tokens = prefix + 6
    generator = torch.Generator().manual_seed(0)
    matrices = [torch.randn(2, 3, tokens, tokens, generator=generator).softmax(-1) for _ in range(4)]
    found = Rollout().map(None, Known(matrices, (), prefix, 2, 3))
    for image in range(2):
        flow = np.eye(tokens)
        for matrix in matrices:
            mean = sum(matrix[image, head].double().numpy() for head in range(3)) / 3
            mixed = 0.5 * mean + 0.5 * np.eye(tokens)
            flow = np.array([[mixed[i] @ flow[:, j] for j in range(tokens)] for i in range(tokens)])
        np.testing.assert_allclose(flow.sum(1), 1)
        row = flow[0] if prefix else flow.mean(0)
        np.testing.assert_allclose(found[image], row[prefix:].reshape(2, 3), rtol=1e-5)
    if not prefix:
        torch.testing.assert_close(found.sum((1, 2)), torch.ones(2))


def test_rollout_where_nobody_attends_to_others_stays_at_the_class_token():
    found = Rollout().map(None, Known([torch.eye(5).expand(1, 2, 5, 5)], (), 1, 2, 2))
    assert not found.any()


def test_legrad_by_loops():
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(2, 3, 7, 7, generator=generator) for _ in range(4)]
    found = LeGrad().map(None, Known(gradients, gradients, 1, 3, 2))
    for image in range(2):
        expected = np.zeros(7)
        for gradient in gradients:
            for head in range(3):
                for row in range(7):
                    expected += np.maximum(gradient[image, head, row].double().numpy(), 0)
        np.testing.assert_allclose(found[image], expected[1:].reshape(3, 2) / (4 * 3 * 7), rtol=1e-5)


def test_legrad_of_a_written_out_network():
    """One block, the tokens averaged: d score / d A_ij = w · v_j / n for every i, by its own weights."""
    model = block("fused")
    found = LeGrad().map(*asked(model, [2, 0, 1]))
    value = model.qkv(model.embed(IMAGES).flatten(2).mT)[..., 16:].unflatten(2, (2, 4))
    for image, target in enumerate([2, 0, 1]):
        weights = model.head.weight[target].view(2, 4).sum(0)
        expected = (value[image] @ weights / 32).relu().mean(1).view(4, 4)
        torch.testing.assert_close(found[image], expected, rtol=1e-4, atol=1e-7)


def test_no_class_and_a_class():
    model = vit()
    torch.testing.assert_close(*[Rollout().map(*asked(model, targets)) for targets in ([0, 1, 2], [3, 3, 3])])
    one, other = [LeGrad().map(*asked(model, targets)) for targets in ([0, 1, 2], [3, 3, 3])]
    assert (one - other).abs().max() > 0.1 * one.max()


@pytest.mark.parametrize("method", ["rollout", "legrad"])
def test_a_run(method):
    model = vit()
    labels = Labels(("a", "b", "c", "d", "e"), None)
    column = Column(method, METHODS.load(method)(), (), "input")
    reading, cpu = Reading(labels), torch.device("cpu")
    selections = parse_selections(("top2",), labels.find, reading)
    run = Explainer(
        model, reading, (column,), selections, None, "mean", 0.0, cpu, "fp32", tokens=survey(model, 64).attended
    )
    pictures = [picture(str(seed), 64, seed) for seed in range(3)]
    for together, source in zip(run(pictures), pictures, strict=True):
        (alone,) = run([source])
        assert len(together.maps) == 2
        for mine, single in zip(together.maps, alone.maps, strict=True):
            assert (mine.raw.shape, mine.layers) == ((4, 4), ())
            assert (mine.raw >= 0).all()
            assert mine.raw.any()
            np.testing.assert_allclose(mine.raw, single.raw, rtol=1e-3, atol=1e-6)


def test_networks_that_attend_to_no_picture():
    with pytest.raises(MethodUnsuitable, match="has none that it sees"):
        survey(seeded(Residual()), 16).attended  # noqa: B018
