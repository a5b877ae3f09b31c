"""kill -9 at any moment, of a run and of those that complete it: in the end the folder is that of an unbroken one."""

import random
import shutil

import pytest

from .small import MODEL, content
from .warm import killing

COMMANDS = {
    "localize": ("localize", "in", *MODEL, "--save", "overlay,raw", "--export", "coco,yolo", "-c", "top2"),
    "two models": ("gradcam", "in", *MODEL, "-m", "other=net.py:make", "--save", "panel", "--name", "{stem}_{model}"),
    "only": ("explain", "in", *MODEL, "--method", "gradcam", "--truth", "data.csv", "--only", "wrong"),
    "evaluate": ("evaluate", "data.csv", *MODEL, "--save-maps", "--metrics", "gt_known_loc", "--resamples", "9"),
    "maps": ("evaluate", "data.csv", "--maps", "whole/maps", "--metrics", "gt_known_loc", "--resamples", "9"),
}
FAILED = 5  # one picture is broken


@pytest.fixture(params=COMMANDS)
def command(request, warm, small) -> tuple[str, ...]:
    if request.param == "maps":
        assert warm(small, *COMMANDS["evaluate"], "-o", "whole").code == FAILED
    return COMMANDS[request.param]


@pytest.fixture
def whole(command, warm, small) -> dict[str, object]:
    """What the command leaves when nothing happens."""
    over = warm(small, *command, "-o", "out")
    assert over.code == FAILED, over.err
    found = content(small / "out")
    shutil.rmtree(small / "out")
    return found


def completed(warm, small, command) -> dict[str, object]:
    """What is there after one more run, which nothing happens to."""
    over = warm(small, *command, "-o", "out", "--resume")
    assert over.code == FAILED, over.err
    return content(small / "out")


@pytest.mark.parametrize("seed", range(2))
def test_killed_twice(command, whole, warm, small, seed):
    """As a file is about to be changed, and in the middle of a line."""
    draw = random.Random(seed)
    for fault in ({"at_touch": draw.randrange(20, 80)}, {"at_line": draw.randrange(5, 40)}):
        over = warm(small, *command, "-o", "out", "--resume", fault=fault)
        assert over.code in (-9, FAILED), over.err
    assert completed(warm, small, command) == whole


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "step"), [("at_touch", 17), ("at_line", 7)])
def test_killed_all_along(command, whole, warm, small, fault, step):
    """At moments from the first to the last, each time followed by a run that completes what is there."""
    number, code = 1, -9
    while code == -9:
        code = warm(small, *command, "-o", "out", "--overwrite", fault={fault: number}).code
        assert completed(warm, small, command) == whole, number
        number += step
    assert number > 5 * step


@pytest.mark.slow
def test_runs_that_complete_are_killed_all_along(command, whole, warm, small):
    """A run is killed half way, the one that completes it at its first touch, and so on, ever later."""
    number, code, kills = 1, -9, 0
    while code == -9:
        if kills % 5 == 0:
            warm(small, *command, "-o", "out", "--overwrite", fault={"at_line": 20})
        code = warm(small, *command, "-o", "out", "--resume", fault={"at_touch": number}).code
        number, kills = number + 11, kills + 1
    assert kills > 4
    assert content(small / "out") == whole


@pytest.mark.slow
@pytest.mark.parametrize("command", ["localize", "evaluate"], indirect=True)
def test_fifty_random_kills(command, whole, warm, small):
    """By the clock, from the first moment on; every fifth result is checked."""
    shutil.rmtree(small / "out", ignore_errors=True)
    draw, took = random.Random(1), warm(small, *command, "-o", "out").seconds
    kills = 0
    while kills < 50:
        start = "--overwrite" if kills % 5 == 0 else "--resume"
        over = warm(small, *command, "-o", "out", start, kill=killing(draw.uniform(0, 1.1 * took)))
        kills += over.code == -9
        if kills % 5 == 4:
            assert completed(warm, small, command) == whole
    assert completed(warm, small, command) == whole
