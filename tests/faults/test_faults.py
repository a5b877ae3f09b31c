"""What else may go wrong in a long run: it ends in one line and an exit code, and --resume completes the folder."""

import json
import shutil
from collections import Counter

import pytest

from .small import COMMANDS, FAILED, MODEL, content, near

LOCALIZE, EVALUATE = COMMANDS["localize"], COMMANDS["evaluate"]
both = pytest.mark.parametrize("name", ["localize", "evaluate"])


def errors(over) -> list[str]:
    """The kinds of error that were told."""
    lines = (line.partition("camtool: error[")[2].partition("]")[0] for line in over.err.splitlines())
    return [kind for kind in lines if kind]


def stopped(warm, small, command, code: int, **fault) -> list[str]:
    over = warm(small, *command, "-o", "out", **fault)
    assert over.code == code, over.err
    assert "Traceback" not in over.err
    if code != FAILED:
        assert not json.loads((small / "out/run.json").read_bytes())["finished"]
    return errors(over)


def completed(warm, small, command) -> dict[str, object]:
    over = warm(small, *command, "-o", "out", "--resume")
    assert over.code == FAILED, over.err
    return content(small / "out")


@pytest.mark.parametrize(
    ("name", "fault"),
    [("localize", {"full_at_touch": 25}), ("evaluate", {"full_at_touch": 9}), ("localize", {"full_at_line": 9})],
)
def test_a_full_disk(command, whole, warm, small, fault):
    over = warm(small, *command, "-o", "out", **fault)
    assert (over.code, errors(over)[-1]) == (6, "OutputFailed"), over.err
    assert "Traceback" not in over.err
    assert not [*(small / "out").rglob(".camtool*")]
    assert completed(warm, small, command) == whole


@both
def test_the_output_folder_is_removed_underneath(command, whole, warm, small):
    assert stopped(warm, small, command, 6, gone_at_line=20)[-1] == "OutputFailed"
    assert completed(warm, small, command) == whole


@both
def test_a_worker_falls_over(command, whole, warm, small):
    """What was done before it is kept."""
    assert stopped(warm, small, command, 1, worker_at=19)[-1] == "Bug"
    records = "rows.jsonl" if command == EVALUATE else "results.jsonl"
    kept = (small / "out" / records).read_bytes()
    assert kept.count(b"\n") >= 8
    assert whole[records].startswith(kept)
    assert completed(warm, small, command) == whole


@pytest.mark.parametrize(
    ("name", "fault", "code"), [("localize", "int_at_line", 130), ("evaluate", "term_at_line", 143)]
)
def test_told_to_stop(command, whole, warm, small, fault, code):
    """The signal's exit code, whatever images failed."""
    stopped(warm, small, command, code, **{fault: 15})
    assert completed(warm, small, command) == whole


@pytest.mark.parametrize("name", ["localize"])
def test_told_to_stop_twice(command, whole, warm, small):
    """The second time nothing is waited for; what was half written goes."""
    over = warm(small, *command, "-o", "out", stuck_at=15)
    assert (over.code, over.seconds < 100) == (130, True), over.err
    assert completed(warm, small, command) == whole


@pytest.mark.parametrize("name", ["localize"])
def test_told_to_stop_with_a_full_disk(command, warm, small):
    assert stopped(warm, small, command, 130, int_at_line=9, full_at_line=10)[-1] == "OutputFailed"


@both
def test_files_change_between_listing_and_reading(command, whole, warm, small):
    """One is gone, one is no picture any more: they fail. One is another picture: that is what is explained."""
    (small / "none.png").write_bytes(b"")
    kept = {name: (small / "in" / name).read_bytes() for name in ("003.png", "sub/014.png")}
    assert stopped(
        warm, small, command, FAILED,
        after_listing={"in/003.png": None, "in/sub/014.png": "none.png", "in/007.png": "in/008.png"},
    ) == ["ImageUnreadable"] * 3 + ["ImagesFailed"]  # fmt: skip
    for name, data in kept.items():
        (small / "in" / name).write_bytes(data)
    found = completed(warm, small, command)
    other = [name for name in whole if found[name] != whole[name]]
    assert found.keys() == whole.keys()
    if command == LOCALIZE:
        assert {name for name in other if name.endswith((".png", ".npy"))} == {
            "007.cam.1.png", "007.cam.2.png", "007.cam.1.npy", "007.cam.2.npy", "yolo/images/train/007.png",
        }  # fmt: skip


@both
def test_little_memory(command, whole, warm, small):
    """A batch that does not fit is halved until it does; numbers are the same but for their last digits."""
    assert stopped(warm, small, command, FAILED, little_memory=1) == ["ImageUnreadable", "ImagesFailed"]
    found = content(small / "out")
    for one in (found, whole):
        one.pop("rows.jsonl", None)  # its maps have four digits
    assert near(found, whole)


@pytest.mark.parametrize("name", ["localize"])
def test_no_memory_at_all(command, whole, warm, small):
    """Every image fails, and once there is memory --resume does them all."""
    kinds = Counter(stopped(warm, small, command, FAILED, little_memory=0))
    assert kinds == {"OutOfMemory": 22, "ImageUnreadable": 1, "ImagesFailed": 1}
    assert completed(warm, small, command) == whole


@pytest.mark.parametrize("allowed", ["1", "5%"])
def test_so_many_may_fail(warm, small, allowed):
    """A stray word in --max-failures would have been refused; 5 % of 23 is one."""
    over = warm(small, "gradcam", "in", "-m", "net.py:make", "--save", "none", "--max-failures", allowed)
    assert (over.code, errors(over)) == (0, ["ImageUnreadable"])


@pytest.mark.parametrize("name", ["localize"])
def test_results_whose_files_are_gone(command, whole, warm, small, unbroken):
    """They are made again, and so is what exports wrote; a line that is torn, or foreign, is nobody's."""
    shutil.copytree(unbroken("localize"), small / "out")
    for gone in ("003.cam.1.png", "sub/014.cam.2.npy", "yolo/labels/train/008.txt", "coco.json"):
        (small / "out" / gone).unlink()
    with (small / "out/results.jsonl").open("ab") as file:
        file.write(b'[]\n{"id": "000.png"}\n\xff\n{"schema": "camtool.result/1", "id": "000.png", "mod')
    over = warm(small, *command, "-o", "out", "--resume", "--json")
    assert [json.loads(line)["id"] for line in over.out.splitlines()] == ["003.png", "011-broken.jpg", "sub/014.png"]
    assert "resume 20 of 23 images done before" in over.err
    assert content(small / "out") == whole


@pytest.mark.parametrize("name", ["localize"])
def test_no_file_is_forgotten(command, warm, small, unbroken):
    """Of a run, and of one that was to complete it and was killed, a third that replaces them leaves nothing."""
    shutil.copytree(unbroken("localize"), small / "out")
    assert warm(small, *command, "-o", "out", "--resume", kill_at_line=3).code == -9
    warm(small, "gradcam", "in", *MODEL, "--limit", "1", "--save", "raw", "-o", "out", "--overwrite")
    assert content(small / "out").keys() == {"000.gradcam.npy", "results.csv", "results.jsonl", "run.json"}
