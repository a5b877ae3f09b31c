"""Whatever the batch size, the threads and the order in which they are done: the same results, in input order."""

import json

import pytest

from .small import COMMANDS, FAILED, content, near

RUNS = {  # batch size, workers
    "1, 1": ("1", "1"),
    "4, 1": ("4", "1"),
    "4, 3": ("4", "3"),
    "7, 2": ("7", "2"),
    "64, 2": ("64", "2"),
}


@pytest.fixture(scope="module")
def runs(warm, unbroken) -> dict[str, dict[str, object]]:
    """What is in the folder of each run; the pictures are of several sizes, and `--fit keep` gives them to the network
    as they are."""
    folder, found = unbroken("localize").parent, {}
    command = [one for one in COMMANDS["localize"] if one not in ("--batch-size", "4", "--size", "32")]
    more = ("--fit", "keep", "--size", "28", "--method", "gradcam", "--method", "rise:masks=8", "--export", "csv")
    command = [one for one in command if one not in ("--export", "coco,yolo,csv")]
    for run, (size, workers) in RUNS.items():
        over = warm(folder, *command, *more, "-o", run, "--batch-size", size, "--workers", workers, "--json")
        assert over.code == FAILED, over.err
        found[run] = content(folder / run) | {"stdout": over.out.encode()}
        del found[run]["run.json"]
    return found


def test_threads_change_nothing(runs):
    assert runs["4, 1"] == runs["4, 3"]


@pytest.mark.parametrize("run", RUNS)
def test_batches_change_last_digits(runs, run):
    assert near(runs[run], runs["4, 1"])


@pytest.mark.parametrize("run", RUNS)
def test_input_order(runs, run):
    lines = runs[run]["stdout"].splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert ids == sorted(ids)
    assert len(ids) == 23
    assert lines == runs[run]["results.jsonl"].splitlines()
