"""`--shard I/N` and `camtool merge`: parts, joined, are what one run leaves."""

import json
import shutil

import pytest

from .small import COMMANDS, FAILED, MODEL, content


@pytest.fixture
def shards(warm, small):
    """The folders of all shards of a command, in no order."""

    def run(command, count: int) -> list[str]:
        folders = []
        for index in range(count, 0, -1):
            over = warm(small, *command, "-o", f"part{index}", "--shard", f"{index}/{count}")
            assert over.code in (0, FAILED), over.err
            folders.append(f"part{index}")
        return folders

    return run


@pytest.fixture
def merged(warm, small):
    def merge(*arguments: str, code: int = FAILED):
        over = warm(small, "merge", *arguments)
        assert over.code == code, over.err
        return over

    return merge


def test_shards_joined_are_one_run(name, command, whole, small, shards, merged, unbroken):
    """Every file; and on stdout what the whole run had said."""
    over = merged(*shards(command, 3 if name in ("localize", "evaluate") else 2), "-o", "out", "--json")
    found = content(small / "out")
    assert found.keys() == whole.keys()
    assert {key for key in whole if found[key] != whole[key]} == set()
    said = unbroken(name).with_name(f"{name}.stdout").read_text()
    if name in ("evaluate", "maps"):  # a report, which has its command and time
        said, over.out = ({**json.loads(one), "timing": 0, "command": 0} for one in (said, over.out))
    assert over.out == said


def test_the_versions_told_are_those_of_the_shards(small, shards, merged):
    """Not of what joins them."""
    folders = shards((*COMMANDS["evaluate"], "--limit", "8"), 2)
    for path in (small / one / "run.json" for one in folders):
        run = json.loads(path.read_bytes())
        path.write_text(json.dumps(run | {"versions": {"camtool": "0.0.7"}}))
    merged(*folders, "-o", "out", code=0)
    assert json.loads((small / "out/report.json").read_bytes())["versions"] == {"camtool": "0.0.7"}
    assert json.loads((small / "out/run.json").read_bytes())["versions"] == {"camtool": "0.0.7"}


def test_more_shards_than_batches(warm, small, shards, merged):
    command = (*COMMANDS["only"], "--limit", "5")
    warm(small, *command, "-o", "whole")
    merged(*shards(command, 3), "-o", "out", code=0)
    assert content(small / "out") == content(small / "whole")


def test_what_draws_random_numbers(warm, small, shards, merged):
    """Numbers are an image's own, whichever part it is in."""
    command = ("explain", "in", *MODEL, "--method", "rise:masks=20", "--save", "raw", "--sample", "15")
    warm(small, *command, "-o", "whole")
    merged(*shards(command, 2), "-o", "out", code=FAILED)
    assert content(small / "out") == content(small / "whole")


def test_a_shard_that_was_cut_off(warm, small, merged, unbroken):
    """It is refused until it is complete; then all is as if nothing had happened."""
    command = COMMANDS["localize"]
    assert warm(small, *command, "-o", "1", "--shard", "1/2", kill_at_line=20).code == -9
    warm(small, *command, "-o", "2", "--shard", "2/2")
    assert "error[ShardUnfit]: 1 (shard 1/2) is not finished; complete it with --resume" in merged("1", "2", code=3).err
    assert warm(small, *command, "-o", "1", "--shard", "1/2", "--resume").code in (0, FAILED)
    merged("1", "2", "-o", "out")
    assert content(small / "out") == content(unbroken("localize"))


def test_what_does_not_belong_together(warm, small, shards, merged):
    plain = ("gradcam", "in", *MODEL, "--save", "raw")
    shards(plain, 2)
    (small / "other").mkdir()
    for index, more in {"class": ("-c", "top2"), "third": (), "images": ("--limit", "9"), "batch": ()}.items():
        part = "1/3" if index == "third" else "2/2"
        size = ("--batch-size", "2") if index == "batch" else ()
        warm(small, *plain, *more, *size, "-o", index, "--shard", part)
    warm(small, *plain, "-o", "run")
    cases = {
        ("part1",): "shard 2/2 is missing; name the folders of all 2",
        ("part1", "part1", "part2"): "are both shard 1/2; name one of them",
        ("part1", "third"): "part1 (shard 1/2) and third (shard 1/3) are of different divisions",
        ("part1", "class"): "not of the same run as part1 (shard 1/2): --class: top2 in class, top in part1",
        ("part1", "images"): "--limit: 9 in images, not given in part1",
        ("part1", "batch"): "--batch-size: 2 in batch, 4 in part1",
        ("part1", "run"): "run holds no shard; name output folders of runs with --shard I/N",
        ("part1", "other"): "other holds no shard",
    }
    for folders, words in cases.items():
        assert words in merged(*folders, "-o", "out", code=3).err.splitlines()[-1]
        assert not (small / "out").exists()
    assert "nowhere: no such folder" in merged("part1", "nowhere", code=3).err
    assert "-o part2 is shard 2/2 itself" in merged("part1", "part2", "-o", "part2", code=6).err


def test_a_shards_file_is_gone(small, shards, merged):
    """A merge stops there; what is joined by then is no result, and is refused as one."""
    folders = shards(COMMANDS["localize"], 2)
    (small / "part2/008.cam.1.npy").unlink()
    assert "008.cam.1.npy is gone; complete shard 2/2 with --resume" in merged(*folders, "-o", "out", code=3).err
    assert not json.loads((small / "out/run.json").read_bytes())["finished"]


def test_joining_again(small, shards, merged, unbroken):
    """Over what an earlier one left, which is gone before."""
    folders = shards(COMMANDS["localize"], 2)
    (small / "out").mkdir()
    (small / "out/mine.txt").write_text("mine")
    merged(*folders, "-o", "out")
    shutil.copy(small / "out/003.cam.1.png", small / "kept.png")
    assert "holds another run's results" in merged(*folders, "-o", "out", code=6).err
    merged(*folders, "-o", "out", "--overwrite")
    assert content(small / "out") == content(unbroken("localize")) | {"mine.txt": b"mine"}


@pytest.mark.parametrize("value", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", " 1/2", "１/２"])
def test_values_of_shard(warm, small, value):
    over = warm(small, "gradcam", "in", "--shard", value)
    assert (over.code, over.err) == (
        2, f"camtool: error[UsageError]: --shard takes I/N with I from 1 to N (such as 2/4), not {value!r}\n",
    )  # fmt: skip
