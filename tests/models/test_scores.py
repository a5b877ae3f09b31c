"""What models put out, and what is read of it."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from cam_cli.capture import record
from cam_cli.errors import ModelFailed
from cam_cli.methods.cam import Cam
from cam_cli.methods.method import Target
from cam_cli.models.head import find_head
from cam_cli.models.scores import raw_scores, read_scores
from tests.methods.asking import NOBODY, by_hand
from tests.nets import seeded

SCORES, GRID, LOSS, OTHER = (
    torch.arange(6.0).reshape(2, 3),
    torch.zeros(2, 4, 5, 5),
    torch.tensor(1.0),
    torch.ones(2, 7),
)


@dataclass
class Wrapped:
    features: Tensor
    logits: Tensor


@dataclass
class Unnamed:
    loss: Tensor
    answer: Tensor


@pytest.mark.parametrize(
    "output",
    [
        SCORES,
        (SCORES, GRID),
        [LOSS, SCORES],
        {"logits": SCORES, "embedding": OTHER},
        {"loss": LOSS, "pred": SCORES, "labels": torch.zeros(2, 3, dtype=torch.int64)},
        OrderedDict(loss=None, logits=SCORES),
        Wrapped(OTHER, SCORES),
        Unnamed(LOSS, SCORES),
        namedtuple("Out", "logits aux_logits")(SCORES, OTHER),  # as GoogLeNet's
        SimpleNamespace(logits=SCORES, features=OTHER),
    ],
)
def test_scores_are_found(output):
    assert read_scores(output) is SCORES


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (GRID, "puts out 2×4×5×5, not scores"),
        (LOSS, "a scalar"),
        (torch.zeros(2, 3, dtype=torch.int64), "2×3 of int64"),
        ((SCORES, OTHER), r"tuple \(0: 2×3, 1: 2×7\).*2 of them could be scores"),
        ({"a": SCORES, "b": OTHER}, r"dict \(a: 2×3, b: 2×7\)"),
        ({"logits": GRID, "other": SCORES}, r"logits: 2×4×5×5"),
        (Unnamed(OTHER, SCORES), "Unnamed .*2 of them"),
        (None, "NoneType"),
        ("text", "str"),
        ((), "tuple"),
        ({}, "dict"),
    ],
)
def test_anything_else_is_refused_with_what_it_is(output, said):
    with pytest.raises(ModelFailed, match=said):
        read_scores(output)


@pytest.mark.parametrize("one", [torch.tensor([[2.0], [-1.0]]), torch.tensor([2.0, -1.0])])
def test_one_logit_is_two_classes_of_one_probability(one):
    scores = read_scores(one)
    assert scores.tolist() == [[-2, 2], [1, -1]]
    probabilities = scores.sigmoid()
    assert torch.allclose(probabilities.sum(1), torch.ones(2))
    assert torch.equal(probabilities[:, 1], torch.tensor([2.0, -1.0]).sigmoid())
    assert raw_scores(one).shape == (2, 1)


class Head(nn.Module):
    """Global pooling and `outputs` scores, by a linear layer or as pooled class maps, in a dict beside more."""

    def __init__(self, outputs: int, maps: bool):
        super().__init__()
        self.body = nn.Conv2d(3, 5, 4, stride=4)
        self.head = nn.Conv2d(5, outputs, 1) if maps else nn.Linear(5, outputs)
        self.maps = maps

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.body(x)
        pooled = features.mean((2, 3))
        return {"embedding": pooled, "logits": self.head(features).mean((2, 3)) if self.maps else self.head(pooled)}


@pytest.mark.parametrize("maps", [True, False])
@pytest.mark.parametrize("outputs", [1, 4])
def test_the_head_is_found_behind_a_wrapping_and_its_maps_add_up(outputs, maps):
    module = seeded(Head(outputs, maps))
    head, images = find_head(module, 32), torch.randn(2, 3, 32, 32)
    seen = record(module, images, [head.layer], gradients=False, read_scores=read_scores)
    for index in range(max(outputs, 2)):
        target = Target.of(torch.full((2,), index))
        raw = Cam().map(by_hand(seen.activations[head.layer], target=target, head=head), NOBODY)
        bias = 0 if head.bias is None else head.bias[index]
        assert torch.allclose(raw.mean((1, 2)) + bias, seen.scores[:, index], atol=1e-5)
