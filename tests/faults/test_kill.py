"""kill -9 at any moment, of a run and of those that complete it: in the end the folder is that of an unbroken one."""

import random

import pytest

from .small import FAILED, content
from .warm import killing


def completed(warm, small, command) -> dict[str, object]:
    """What is there after one more run, which nothing happens to."""
    over = warm(small, *command, "-o", "out", "--resume")
    assert over.code == FAILED, over.err
    return content(small / "out")


def test_killed_twice(command, whole, warm, small):
    """As a file is about to be changed, and in the middle of a line."""
    draw = random.Random(str(command))
    for fault in ({"kill_at_touch": draw.randrange(2, 20)}, {"kill_at_line": draw.randrange(5, 20)}):
        over = warm(small, *command, "-o", "out", "--resume", **fault)
        assert over.code == -9, over.err
    assert completed(warm, small, command) == whole


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "step"), [("kill_at_touch", 29), ("kill_at_line", 11)])
def test_killed_all_along(command, whole, warm, small, fault, step):
    """At moments from the first to the last, each time followed by a run that completes what is there."""
    number, code = 1, -9
    while code == -9:
        code = warm(small, *command, "-o", "out", "--overwrite", **{fault: number}).code
        assert completed(warm, small, command) == whole, number
        number += step
    assert number > 2 * step


@pytest.mark.slow
def test_runs_that_complete_are_killed_all_along(command, whole, warm, small):
    """A run is killed half way, the one that completes it at its first touch, and so on, ever later."""
    number, code, kills = 1, -9, 0
    while code == -9:
        if kills % 5 == 0:
            warm(small, *command, "-o", "out", "--overwrite", kill_at_line=20)
        code = warm(small, *command, "-o", "out", "--resume", kill_at_touch=number).code
        number, kills = number + 19, kills + 1
    assert kills > 2
    assert content(small / "out") == whole


@pytest.mark.slow
@pytest.mark.parametrize("name", ["localize", "evaluate"])
def test_fifty_random_kills(command, whole, warm, small):
    """By the clock, from the first moment on; every fifth result is checked."""
    draw, took = random.Random(1), warm(small, *command, "-o", "out").seconds
    kills = 0
    while kills < 50:
        start = "--overwrite" if kills % 5 == 0 else "--resume"
        over = warm(small, *command, "-o", "out", start, kill=killing(draw.uniform(0, 1.1 * took)))
        kills += over.code == -9
        if kills % 5 == 4 and over.code == -9:
            assert completed(warm, small, command) == whole
    assert completed(warm, small, command) == whole
