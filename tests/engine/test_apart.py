"""Lanes in processes: what they do, what goes wrong in them, and that none is left behind."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from cam_cli.engine.apart import forkable
from cam_cli.engine.flow import Flow
from cam_cli.engine.lanes import arithmetic, in_lanes
from cam_cli.errors import ImageUnreadable, OutOfMemory
from tests.engine.test_explain import explainer, picture
from tests.nets import Residual, seeded

pytestmark = pytest.mark.skipif(not forkable(), reason="lanes are threads here")


def run(items, lane, lanes=2, stop=None):
    return in_lanes(items, [lane] * lanes, batch_size=4, threads=1, stop=stop or threading.Event(), forked=True)


def gone(pid: int) -> bool:
    """Whether a process has ended, if it has within some seconds."""
    for _ in range(200):
        try:
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_each_lane_has_its_process_and_order_is_the_listings():
    def lane(batch):
        time.sleep(0.02 * (batch[0] // 4 % 3))
        return [(item, os.getpid()) for item in batch]

    done = list(run(range(30), lane, lanes=3))
    processes = {pid for _, pid in done}
    assert [item for item, _ in done] == list(range(30))
    assert len(processes) == 3
    assert os.getpid() not in processes
    assert all(map(gone, processes))


def test_no_process_outlives_a_run_that_is_left():
    results = run(range(400), lambda batch: [os.getpid()] * len(batch))
    found = {next(results) for _ in range(40)}
    results.close()
    assert all(map(gone, found))


def test_an_error_comes_after_what_comes_before_it_and_says_where_it_was():
    def lane(batch):
        for item in batch:
            if item == 9:
                raise ImageUnreadable("item 9")
            yield item

    results = run(range(40), lane)
    assert [next(results) for _ in range(9)] == list(range(9))
    with pytest.raises(ImageUnreadable, match="item 9") as raised:
        next(results)
    assert "test_apart.py" in raised.value.__notes__[0]


def test_an_error_that_cannot_be_pickled_is_told():
    class Own(Exception):
        pass

    def lane(batch):
        raise Own("of a network's own")

    with pytest.raises(RuntimeError, match="Own: of a network's own"):
        list(run(range(4), lane))


@pytest.mark.parametrize(
    ("number", "error", "words"),
    [(signal.SIGKILL, OutOfMemory, "killed.*--resume"), (signal.SIGUSR1, RuntimeError, "ended with code -10")],
)
def test_a_process_that_is_ended_from_outside(number, error, words):
    def lane(batch):
        if batch[0] == 8:
            os.kill(os.getpid(), number)
        return batch

    results = run(range(40), lane)
    assert [next(results) for _ in range(8)] == list(range(8))
    with pytest.raises(error, match=words):
        list(results)


def test_signals_to_stop_are_for_the_run():
    """Ctrl-C goes to all processes of a terminal, and so does what `timeout` sends."""
    stop = threading.Event()

    def lane(batch):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGTERM)
        return batch

    done = []
    for item in run(range(400), lane, stop=stop):
        done.append(item)
        stop.set()
    assert done == list(range(len(done)))
    assert 4 <= len(done) <= 5 * 4


RUN = """
import os, threading, time
from cam_cli.engine.lanes import in_lanes

def lane(batch):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(300)
    return batch

list(in_lanes(range(8), [lane, lane], batch_size=4, threads=1, stop=threading.Event(), forked=True))
"""


def test_processes_end_with_a_run_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE) as parent:
        try:
            pids = [int(parent.stdout.readline()) for _ in range(2)]
        finally:
            parent.kill()
    assert all(map(gone, pids))


def test_where_no_process_can_be_had_lanes_are_threads(monkeypatch):
    forks, fork = [], os.fork

    def scarce():
        if forks:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        forks.append(pid := fork())
        return pid

    monkeypatch.setattr(os, "fork", scarce)
    done = list(run(range(30), lambda batch: [(item, os.getpid()) for item in batch]))
    assert done == [(item, os.getpid()) for item in range(30)]
    assert gone(*forks)


def test_processes_and_threads_give_the_same_bits():
    """Also where this process has asked for gradients before."""
    model = seeded(Residual())
    first = explainer(model, ("gradcam@last", "cam@last"), ("top2",))
    pictures = [picture(str(seed), seed=seed) for seed in range(23)]
    found = []
    for forked in (False, True):
        flow = Flow(lambda one: one, (first, first.replica()), 4, 2, threads=1, forked=forked)
        with arithmetic(1):
            found.append(list(flow.run(pictures, lambda one: one, threading.Event())))
    for one, two in zip(*found, strict=True):
        assert one.item == two.item
        for mine, theirs in zip(one.maps, two.maps, strict=True):
            np.testing.assert_array_equal(mine.raw, theirs.raw)
