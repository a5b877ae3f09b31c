"""Lanes: order, batches by position, bounds, stopping, errors; and that lanes change no bit of a result."""

import subprocess
import sys
import threading
import time
from contextlib import nullcontext

import cv2
import numpy as np
import pytest
import torch

from cam_cli.engine.allocator import c_function
from cam_cli.engine.flow import Flow
from cam_cli.engine.lanes import Lanes, arithmetic, in_lanes
from tests.engine.test_explain import explainer, picture
from tests.nets import Residual, seeded


def run(items, lanes, *, batch_size=4, stop=None):
    return in_lanes(items, lanes, batch_size=batch_size, threads=1, stop=stop or threading.Event())


def test_order_is_the_listings_whichever_lane_is_quick():
    def lane(batch):
        time.sleep(0.02 * (batch[0] // 4 % 3))
        return [item * 10 for item in batch]

    assert list(run(range(30), [lane] * 3)) == [item * 10 for item in range(30)]


def test_batches_are_cut_by_position_and_one_thread_is_in_a_lane():
    batches, inside = [], []

    def made(name):
        def lane(batch):
            assert name not in inside, "two threads in one lane"
            inside.append(name)
            time.sleep(0.005)
            batches.append(list(batch))
            inside.remove(name)
            return batch

        return lane

    list(run(range(22), [made(name) for name in "abc"], batch_size=5))
    assert sorted(batches) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14], [15, 16, 17, 18, 19], [20, 21]]


def test_what_is_under_way_is_bounded():
    taken = []

    def items():
        for item in range(1000):
            taken.append(item)
            yield item

    results = run(items(), [lambda batch: batch] * 2)
    for item, _ in zip(range(100), results, strict=False):
        assert len(taken) <= item + 4 * (2 * 2 + 1)
    results.close()


def test_stopped_it_finishes_what_is_under_way_and_begins_nothing():
    stop, begun = threading.Event(), []

    def lane(batch):
        begun.append(batch[0])
        if batch[0] >= 8:
            stop.set()
        return batch

    done = list(run(range(400), [lane, lane], stop=stop))
    assert done == list(range(len(done)))
    assert len(done) == 4 * len(begun)
    assert len(begun) <= 2 + 3


def test_an_error_comes_after_what_comes_before_it():
    def lane(batch):
        for item in batch:
            if item == 9:
                raise RuntimeError("item 9")
            yield item

    results = run(range(40), [lane] * 2)
    assert [next(results) for _ in range(9)] == list(range(9))
    with pytest.raises(RuntimeError, match="item 9"):
        next(results)


@pytest.mark.parametrize(
    ("cores", "batches", "workers", "lanes"),
    [
        (2, 100, 2, (2, 1)),
        (8, 3, 8, (3, 2)),
        (8, 100, 2, (2, 1)),
        (1, 5, 4, (1, 1)),
        (4, 1, 4, (1, 4)),
        (4, 0, 4, (1, 4)),
    ],
)
def test_lanes_share_the_cores(cores, batches, workers, lanes):
    assert Lanes.of(cores, batches, workers) == lanes


@pytest.mark.parametrize("broken", [False, True])
def test_arithmetic_has_its_threads_meanwhile_and_then_those_it_had(broken):
    before, seen = (torch.get_num_threads(), cv2.getNumThreads()), []

    def lane(batch):
        seen.append((torch.get_num_threads(), cv2.getNumThreads()))
        return [1 / (0 if broken else 1)]

    with pytest.raises(ZeroDivisionError) if broken else nullcontext():
        list(in_lanes([1], [lane], batch_size=1, threads=before[0] + 3, stop=threading.Event()))
    assert seen == [(before[0] + 3, before[0] + 3)]
    assert (torch.get_num_threads(), cv2.getNumThreads()) == before


def test_lanes_and_stages_give_the_same_bits():
    model = seeded(Residual())
    first = explainer(model, ("gradcam@last", "cam@last"), ("top2",))
    pictures = [picture(str(seed), seed=seed) for seed in range(23)]
    finish = lambda one: one  # noqa: E731
    found = []
    for flow in (
        Flow(lambda one: one, (first,), 4, 2),
        Flow(lambda one: one, (first,), 4, 2, threads=1),
        Flow(lambda one: one, (first, first.replica(), first.replica()), 4, 3, threads=1),
    ):
        with arithmetic(1):
            found.append(list(flow.run(pictures, finish, threading.Event())))
    for one, two, three in zip(*found, strict=True):
        assert one.item == two.item == three.item
        for maps in zip(one.maps, two.maps, three.maps, strict=True):
            np.testing.assert_array_equal(maps[0].raw, maps[1].raw)
            np.testing.assert_array_equal(maps[0].raw, maps[2].raw)


def test_replicas_share_values_and_nothing_else():
    model = seeded(Residual()).train()
    twin = explainer(model).replica().module
    for (name, mine), (_, theirs) in zip(model.named_parameters(), twin.named_parameters(), strict=True):
        assert mine is not theirs, name
        assert mine.data_ptr() == theirs.data_ptr(), name
    assert all(one is other for one, other in zip(model.buffers(), twin.buffers(), strict=True))
    twin.eval()
    twin.fc.weight.requires_grad_(False)
    assert model.training
    assert model.fc.weight.requires_grad


COUNTED = """
import os, time
import torch
from cam_cli.engine.lanes import end_idle

def count():
    return len(os.listdir("/proc/self/task"))

torch.set_num_threads(3)
before = count()
values = torch.ones(1 << 20)
values + values
assert count() >= before + 2, "no threads for it"
end_idle()
time.sleep(0.5)
print(count() - before)
assert torch.equal(values + values, torch.full_like(values, 2))
"""


@pytest.mark.skipif(not c_function("omp_pause_resource_all"), reason="torch without GNU's OpenMP")
def test_threads_of_the_arithmetic_before_are_not_counted_with_those_of_the_lanes():
    done = subprocess.run([sys.executable, "-c", COUNTED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
