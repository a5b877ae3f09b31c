"""Runs whose lanes are processes: the same files, also after any of them was killed, and none is left behind: `warm`
waits for all who hold the run's stdout."""

import os
import random
import signal
import time

import pytest

from cam_cli.engine.apart import forkable

from .small import FAILED, content
from .test_faults import both, completed, errors, stopped
from .warm import killing

pytestmark = pytest.mark.skipif(not forkable(), reason="lanes are threads here")
FORKED = {"forked": True}


@both
def test_processes_leave_what_threads_leave(command, whole, warm, small):
    assert stopped(warm, small, command, FAILED, **FORKED) == ["ImageUnreadable", "ImagesFailed"]
    assert content(small / "out") == whole


@both
@pytest.mark.parametrize("fault", [{"kill_at_finish": 1}, {"kill_at_finish": 9}])
def test_a_lane_is_killed(command, whole, warm, small, fault):
    """In the midst of its batch."""
    assert stopped(warm, small, command, 4, **fault, **FORKED)[-1] == "OutOfMemory"
    assert completed(warm, small, command) == whole


@both
def test_a_worker_falls_over(command, whole, warm, small):
    assert stopped(warm, small, command, 1, worker_at=8, **FORKED)[-1] == "Bug"
    assert completed(warm, small, command) == whole


@both
def test_little_memory(command, whole, warm, small):
    assert stopped(warm, small, command, FAILED, little_memory=0, **FORKED).count("OutOfMemory") == 22
    assert completed(warm, small, command) == whole


@pytest.mark.parametrize(
    ("name", "fault"),
    [("localize", {"full_at_touch": 15}), ("localize", {"full_at_line": 9}), ("localize", {"gone_at_line": 9})],
)
def test_what_cannot_be_written(command, whole, warm, small, fault):
    assert stopped(warm, small, command, 6, **fault, **FORKED)[-1] == "OutputFailed"
    assert completed(warm, small, command) == whole


@pytest.mark.parametrize(
    ("name", "fault", "code"), [("localize", "int_at_line", 130), ("evaluate", "term_at_line", 143)]
)
def test_told_to_stop(command, whole, warm, small, fault, code):
    stopped(warm, small, command, code, **{fault: 9}, **FORKED)
    assert completed(warm, small, command) == whole


@pytest.mark.parametrize("name", ["localize"])
def test_told_to_stop_twice(command, whole, warm, small):
    """Lanes are asleep, and nothing waits for them."""

    def twice(pid: int) -> None:
        for _ in range(2):
            time.sleep(3)
            os.kill(pid, signal.SIGINT)

    over = warm(small, *command, "-o", "out", asleep_at=3, kill=twice, **FORKED)
    assert (over.code, over.seconds < 100) == (130, True), over.err
    assert completed(warm, small, command) == whole


@pytest.mark.parametrize("kills", [4, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["localize"])
def test_the_run_is_killed(command, whole, warm, small, kills):
    """By the clock; what completes it has threads or processes."""
    draw, took = random.Random(2), warm(small, *command, "-o", "out", **FORKED).seconds
    for number in range(kills):
        start = "--overwrite" if number % 3 == 0 else "--resume"
        warm(small, *command, "-o", "out", start, kill=killing(draw.uniform(0.2 * took, took)), **FORKED)
        if number % 3 == 2:
            assert completed(warm, small, command) == whole
    assert completed(warm, small, command) == whole


def test_names_that_may_meet_are_given_in_one_process(warm, small):
    """p with not-0-a and pnot- with 0-a, each image a batch."""
    for name in ("p.png", "pnot-.png"):
        (small / name).hardlink_to(small / "in/000.png")
    model = ("-m", "net.py:make", "--size", "32", "--labels", "labels.txt", "--batch-size", "1")
    named = ("-c", "a", "-c", "not:a", "--name", "{stem}{class}", "-o", "out")
    over = warm(small, "gradcam", "p.png", "pnot-.png", *model, *named, **FORKED)
    assert (over.code, errors(over)) == (6, ["OutputRefused"]), over.err
