"""Losses, rates, epochs: by hand; stopping, choosing and going on; what of a network learns and how fast."""

import math
from dataclasses import replace
from threading import Event

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from cam_cli.errors import ModelFailed, OutputRefused
from cam_cli.models.description import Cut, HeadShape
from cam_cli.models.layers import survey
from cam_cli.models.weak import MapHead, WeakNetwork
from cam_cli.training.loop import Learner, Plan
from cam_cli.training.material import Batch, batches, shuffled
from cam_cli.training.progress import Epoch, Progress, check_key
from cam_cli.training.recipe import loss, optimizer, parts, rate, set_rate
from cam_cli.training.samples import Samples
from cam_cli.training.verdict import Verdict, precision
from cam_cli.types import ImageItem
from tests.nets import Residual, seeded

CPU = torch.device("cpu")


# What is minimised
def test_the_sum_of_log_losses():
    """Oquab et al.: Σ_c log(1 + exp(−y_c S_c)), over what is known."""
    scores = torch.tensor([[2.0, -1.0, 0.5]])
    present, known = torch.tensor([[1.0, 0, 0]]), torch.tensor([[1.0, 1, 0]])
    expected = math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))
    assert loss(scores, present, known, False).item() == pytest.approx(expected)


def test_classes_that_compete():
    scores, present = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.0, 0.0]]), torch.tensor([[0.0, 0, 1], [1.0, 0, 0]])
    expected = F.cross_entropy(scores, torch.tensor([2, 0]), reduction="none")
    torch.testing.assert_close(loss(scores, present, torch.ones(2, 3), True), expected)


def test_what_is_not_known_has_no_gradient():
    scores = torch.zeros(1, 3, requires_grad=True)
    loss(scores, torch.tensor([[1.0, 0, 0]]), torch.tensor([[1.0, 0, 1]]), False).sum().backward()
    assert scores.grad.tolist() == [[-0.5, 0.0, 0.5]]


def test_the_rate_rises_then_falls():
    found = [rate(step, 100) for step in range(100)]
    assert found[0] == pytest.approx(0.1)
    assert found[9] == found[10] == 1.0
    assert found[55] == pytest.approx(0.5)
    assert 0 < found[99] < 0.001
    assert rate(0, 1) == 1.0


def weak(pool="max"):
    torch.manual_seed(0)
    return WeakNetwork(seeded(Residual()), Cut("last", 8), HeadShape(2, (5,), 0.5, pool, 1.0))


class Stages(nn.Module):
    """Three grids, one after the other."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.three = (nn.Conv2d(3 if place == 0 else 4, 4, 3, 2, 1) for place in range(3))
        self.token = nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return self.three(self.two(self.one(x)) + self.token[:, None, None])


def test_earlier_stages_learn_more_slowly():
    network = WeakNetwork(Stages(), Cut("three", 4), HeadShape(2, (5,), 0.5, "max", 1.0))
    speeds = {id(one): speed for own, speed in parts(network, survey(network.eval(), 32), 0.1, 0.2) for one in own}
    found = {name: speeds[id(one)] for name, one in network.named_parameters()}
    assert found["head.scores.weight"] == found["head.adapt.0.bias"] == 0.1
    assert found["trunk.three.weight"] == pytest.approx(0.02)
    assert found["trunk.two.weight"] == pytest.approx(0.01)
    assert found["trunk.one.weight"] == found["trunk.token"] == pytest.approx(0.005)
    assert len(speeds) == len(list(network.parameters())), "each once"


def test_a_frozen_trunk_has_no_part():
    network = weak()
    found = parts(network, survey(network.eval(), 16), 0.1, 0.0)
    assert [len(own) for own, _ in found] == [4]


def test_vectors_do_not_decay():
    module = nn.Linear(3, 2)
    made = optimizer([([*module.parameters()], 0.5)], 0.1)
    assert [(group["weight_decay"], group["lr"], len(group["params"])) for group in made.param_groups] == [
        (0.1, 0.5, 1),
        (0.0, 0.5, 1),
    ]
    set_rate(made, 0.5)
    assert {group["lr"] for group in made.param_groups} == {0.25}


# Judging
def test_average_precision_by_hand():
    """Ranked: right, wrong, right: precision 1 at a recall of 1/2, 2/3 at 1."""
    scores, present = np.float32([0.9, 0.8, 0.7, 0.1]), np.array([True, False, True, False])
    assert precision(scores, present, np.ones(4, bool), "a") == pytest.approx((1 + 2 / 3) / 2)
    assert precision(scores, present, np.array([True, False, True, True]), "a") == 1.0


def test_a_verdict():
    probabilities = torch.tensor([[0.9, 0.1, 0.5], [0.2, 0.8, 0.5]])
    present = np.array([[True, False, False], [False, True, False]])
    found = Verdict.of(probabilities, torch.tensor([1.0, 3.0]), present, np.ones((2, 3), bool), ("a", "b", "c"), True)
    assert found == Verdict(2.0, {"a": 1.0, "b": 1.0}, 1.0)
    assert found.map == 1.0
    found = Verdict.of(
        probabilities, torch.tensor([1.0, 3.0]), present[::-1], np.ones((2, 3), bool), ("a", "b", "c"), False
    )
    assert (found.map, found.top1) == (0.5, None)
    assert Verdict(0.0, {}, None).map is None


# The loop
class Rows:
    """Vectors as 1×1 grids: the class is the sign of the first number."""

    def __init__(self, count=24, held=8, seed=0):
        draw = torch.Generator().manual_seed(seed)
        self.inputs = torch.randn(count + held, 4, 2, 2, generator=draw)
        self.count = count
        self.asked = []

    def epoch(self, number):
        self.asked.append(number)
        for rows in batches(shuffled(range(self.count), 0, number), 8):
            yield Batch(self.inputs[rows], rows)

    def held_out(self, stop):
        rows = list(range(len(self.inputs) - self.count))
        if rows:
            yield Batch(self.inputs[self.count :], rows)

    def samples(self):
        present = torch.stack([self.inputs.mean((1, 2, 3)) > 0, self.inputs[:, 0].mean((1, 2)) > 0], 1).numpy()
        items = tuple(ImageItem(str(row), "", "") for row in range(len(present)))
        whole = Samples(("a", "b"), items, present, np.ones_like(present), tuple(one.id for one in items))
        return whole.take(range(self.count)), whole.take(range(self.count, len(present)))


def learner(epochs=8, patience=0, material=None, seed=0, rate=0.05, stop=None, pool="max"):
    torch.manual_seed(7)
    material = material or Rows()
    module = MapHead(4, HeadShape(2, (6,), 0.3, pool, 1.0))
    plan = Plan(epochs, patience, 1e-3, seed, False, CPU, "fp32")
    learn, choose = material.samples()
    return Learner(plan, module, [([*module.parameters()], rate)], material, learn, choose, 3, stop or Event())


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def run(one):
    told = []
    one.run(told.append)
    return told


def test_it_learns():
    told = run(learner(40, pool="avg"))
    assert [one.number for one in told] == list(range(1, 41))
    assert told[-1].loss < told[0].loss / 2
    assert told[-1].val_loss < told[0].val_loss


def test_the_seed_alone_decides():
    one, other, third = learner(4), learner(4), learner(4, seed=1)
    torch.manual_seed(99)
    run(one)
    before = torch.random.get_rng_state()
    run(other)
    assert torch.equal(torch.random.get_rng_state(), before), "the global generator stays as it is"
    run(third)
    assert same(one.progress.weights, other.progress.weights)
    assert not same(one.progress.weights, third.progress.weights), "dropout is drawn by it"


@pytest.mark.parametrize("after", [1, 3])
def test_going_on_gives_the_same(tmp_path, after):
    whole = learner()
    run(whole)
    path, key = tmp_path / "state.safetensors", {"a": 1}
    stop = Event()
    first = learner(stop=stop)

    def tell(one):
        first.progress.save(path, key)
        if one.number == after:
            stop.set()

    first.run(tell)
    assert len(first.progress.epochs) == after
    again = learner()
    again.resume(Progress.read(path, key))
    run(again)
    assert again.material.asked == list(range(after + 1, 9))
    assert same(again.progress.weights, whole.progress.weights)
    assert same(again.progress.best, whole.progress.best)
    assert [one.loss for one in again.progress.epochs] == [one.loss for one in whole.progress.epochs]
    assert again.progress.chosen.number == whole.progress.chosen.number


def test_an_epoch_that_was_broken_off_does_not_count():
    stop = Event()
    one = learner(stop=stop)
    step = one.step
    one.step = lambda inputs, rows, part: (stop.set() if one.progress.epochs else None, step(inputs, rows, part))[1]
    told = run(one)
    assert [epoch.number for epoch in told] == [1]
    kept = one.progress.weights
    assert not same(kept, one.weights()), "steps were taken"
    one.best()
    assert same(one.progress.best, one.weights())


def test_the_best_epoch_is_kept():
    one = learner(25, rate=0.3)
    told = run(one)
    best = max(told, key=lambda epoch: (round(epoch.val_map, 3), -epoch.val_loss))
    assert one.progress.chosen == best
    verdict = one.best()
    assert (verdict.map, verdict.loss) == pytest.approx((best.val_map, best.val_loss))


def test_patience():
    told = run(learner(60, patience=3, rate=0.5))
    chosen = max(told, key=lambda epoch: (round(epoch.val_map, 3), -epoch.val_loss)).number
    lowest = min(told, key=lambda epoch: epoch.val_loss).number
    assert len(told) == max(chosen, lowest) + 3 < 60


@pytest.mark.parametrize(
    ("verdicts", "kept", "improved"),
    [
        ([(0.5, 3.0), (0.9, 2.0), (0.8, 1.0), (0.8, 1.5)], 2, 3),  # it was lucky early, and learns on
        ([(0.5, 1.0), (0.9, 2.0), (0.8, 3.0)], 2, 2),
        ([(0.9, 1.0), (0.8, 2.0), (0.8, 2.0)], 1, 1),
        ([(None, None), (None, None)], 2, 2),
        ([], None, 0),
    ],
)
def test_when_it_improved_last(verdicts, kept, improved):
    one = Progress({}, {}, {})
    for number, (val_map, val_loss) in enumerate(verdicts, 1):
        one.epochs.append(Epoch(number, 0.0, val_loss, val_map, 1.0, 0.0))
        one.chosen = one.epochs[-1] if one.epochs[-1].better(one.chosen) else one.chosen
    assert (one.best_number, one.improved) == (kept, improved)


def test_without_images_to_choose_by_the_last_is_kept():
    one = learner(3, patience=1, material=Rows(held=0))
    told = run(one)
    assert [epoch.number for epoch in told] == [1, 2, 3]
    assert (told[0].val_map, told[0].val_loss) == (None, None)
    assert one.progress.chosen.number == 3
    assert one.best() is None


def test_a_loss_that_is_no_number():
    material = Rows()
    material.inputs[0] = float("nan")
    with pytest.raises(ModelFailed, match="not a number any more in epoch 1; lower --lr"):
        run(learner(material=material))


def test_batch_norms_keep_their_statistics():
    network = weak()
    plan = Plan(1, 0, 0.0, 0, False, CPU, "fp32")

    class Images(Rows):
        def __init__(self):
            super().__init__(8, 0)
            self.inputs = torch.randn(8, 3, 16, 16) * 5 + 3

    material = Images()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    first = network.trunk.stem.weight.clone()
    one = Learner(
        plan, network, parts(network, survey(network.eval(), 16), 0.1, 0.5), material, *material.samples(), 1, Event()
    )
    run(one)
    assert same(dict(network.named_buffers()), before)
    assert not torch.equal(network.trunk.stem.weight, first)


@pytest.mark.parametrize(
    ("one", "other", "better"),
    [
        ((0.9, 1.0), (0.8, 0.1), True),
        ((0.9, 1.0), (0.9, 1.1), True),
        ((0.9, 1.0), (0.9, 0.9), False),
        ((0.9001, 1.0), (0.9004, 1.1), True),  # the same to three digits
        ((0.8, 0.1), (0.9, 1.0), False),
        ((0.9, 1.0), (0.9, 1.0), False),
        ((None, None), (None, None), True),
    ],
)
def test_which_epoch_is_better(one, other, better):
    made = [Epoch(number, 0.0, val_loss, val_map, 1.0, 0.0) for number, (val_map, val_loss) in enumerate((one, other))]
    assert made[0].better(made[1]) is better
    assert made[0].better(None)


# What is kept
def test_what_is_kept_comes_back(tmp_path):
    one = learner(2)
    run(one)
    one.progress.save(tmp_path / "s.safetensors", {"a": [1, {"b": 2}]})
    found = Progress.read(tmp_path / "s.safetensors", {"a": (1, {"b": 2})})
    assert same(found.weights, one.progress.weights)
    assert same(found.optimizer, one.progress.optimizer)
    assert found.epochs == one.progress.epochs
    assert found.chosen == one.progress.chosen
    assert Progress.read(tmp_path / "nothing.safetensors", {}) is None


def test_of_another_run_or_of_nothing(tmp_path):
    one = learner(1)
    run(one)
    one.progress.save(tmp_path / "s.safetensors", {"a": 1, "b": {"c": 2, "d": 3}, "e": "x" * 99})
    with pytest.raises(OutputRefused, match=r"another b.c \(there 2, here 9\); give the same options"):
        Progress.read(tmp_path / "s.safetensors", {"a": 1, "b": {"c": 9, "d": 3}, "e": "x" * 99})
    (tmp_path / "t.safetensors").write_bytes(b"torn")
    with pytest.raises(OutputRefused, match="not what a training left"):
        Progress.read(tmp_path / "t.safetensors", {})


def test_many_differences_are_counted(tmp_path):
    with pytest.raises(OutputRefused, match=r"another a \(there 0, here 1\), b \(.*\), c \(.*\), and 2 more"):
        check_key(dict.fromkeys("abcde", 0), dict.fromkeys("abcde", 1), tmp_path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_on_a_gpu(precision):
    """Near to what a CPU gives, whatever the arithmetic."""
    expected = run(learner(6))
    device = torch.device("cuda")

    class There(Rows):
        def epoch(self, number):
            for batch in super().epoch(number):
                yield replace(batch, inputs=batch.inputs.to(device))

        def held_out(self, stop):
            for batch in super().held_out(stop):
                yield replace(batch, inputs=batch.inputs.to(device))

    one = learner(6, material=There())
    one.plan = replace(one.plan, device=device, precision=precision)
    one.module.to(device)
    one.__post_init__()
    found = run(one)
    close = 1e-3 if precision == "fp32" else 0.2
    assert found[0].loss == pytest.approx(expected[0].loss, rel=0.5)
    assert found[-1].loss < found[0].loss * (1 + close)
    assert all(tensor.device.type == "cpu" for tensor in one.progress.best.values())
