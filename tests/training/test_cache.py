"""Features on disk: what is read is what was written, whatever happened in between."""

import json

import pytest
import torch

from cam_cli.errors import OutputFailed, OutputRefused
from cam_cli.training.cache import CONTENTS, FeatureCache, gigabytes

ROWS, SHAPES = (5, 3), ((2, 3, 3), (2, 4, 4))
KEY = {"images": "abc", "views": [2, 0.5]}


def grids(view, rows):
    generator = torch.Generator().manual_seed(view)
    return list(torch.randn(rows, *SHAPES[view], generator=generator))


def opened(folder, key=KEY, rows=ROWS, shapes=SHAPES):
    return FeatureCache.open(folder, key, rows, shapes)


def filled(folder, steps=((0, 2), (2, 5))):
    cache = opened(folder)
    for start, end in steps:
        views = [[*grids(0, 5)[start:end]], [*grids(1, 3)[start:end], *[None] * (end - max(start, 3))][: end - start]]
        cache.append(views, {})
    return cache


def test_what_is_read_is_what_was_written(tmp_path):
    cache = filled(tmp_path / "f")
    assert cache.complete
    for view in (0, 1):
        rows = [2, 0]
        expected = torch.stack(grids(view, ROWS[view]))[rows].half().float()
        assert torch.equal(cache.read(view, rows), expected)
    assert cache.read(0, [4]).dtype == torch.float32
    sizes = [(tmp_path / f"f/view-{view}.f16").stat().st_size for view in (0, 1)]
    assert sizes == [5 * 18 * 2, 3 * 32 * 2]
    assert cache.bytes == sum(sizes)


def test_it_goes_on_where_it_was(tmp_path):
    filled(tmp_path, [(0, 2)])
    with (tmp_path / "view-0.f16").open("ab") as file:
        file.write(b"torn")  # written after the last note
    again = opened(tmp_path)
    assert (again.done, again.complete) == (2, False)
    again.append([grids(0, 5)[2:], [grids(1, 3)[2], None, None]], {})
    assert torch.equal(again.read(0, range(5)), torch.stack(grids(0, 5)).half().float())
    assert torch.equal(again.read(1, range(3)), torch.stack(grids(1, 3)).half().float())


def test_failed_images_keep_their_place(tmp_path):
    cache = opened(tmp_path)
    cache.append([[grids(0, 5)[0], None], [grids(1, 3)[0], None]], {1: ("ImageUnreadable", "torn")})
    again = opened(tmp_path)
    assert again.failed == {1: ("ImageUnreadable", "torn")}
    assert not (tmp_path / "view-0.f16").read_bytes()[36:].strip(b"\0")


@pytest.mark.parametrize(
    "change",
    [{"key": {"images": "other", "views": [2, 0.5]}}, {"rows": (5, 2)}, {"shapes": ((2, 3, 3), (2, 5, 5))}],
)
def test_of_something_else_it_begins_anew(tmp_path, change):
    filled(tmp_path)
    assert opened(tmp_path, **change).done == 0
    assert (tmp_path / "view-0.f16").stat().st_size == 0


@pytest.mark.parametrize("harm", ["short", "gone", "torn", "no number"])
def test_damaged_it_begins_anew(tmp_path, harm):
    filled(tmp_path)
    if harm == "short":
        (tmp_path / "view-1.f16").write_bytes(b"ab")
    elif harm == "gone":
        (tmp_path / "view-0.f16").unlink()
    elif harm == "torn":
        (tmp_path / CONTENTS).write_bytes((tmp_path / CONTENTS).read_bytes()[:40])
        (tmp_path / "view-0.f16").unlink()
        (tmp_path / "view-1.f16").unlink()
        (tmp_path / CONTENTS).unlink()
    else:
        told = json.loads((tmp_path / CONTENTS).read_bytes())
        (tmp_path / CONTENTS).write_text(json.dumps(told | {"done": "many"}))
    assert opened(tmp_path).done == 0


def test_what_is_too_large_for_half_precision_is_cut(tmp_path):
    cache = FeatureCache.open(tmp_path, KEY, (1,), ((1, 1, 2),))
    cache.append([[torch.tensor([[[1e6, -1e9]]])]], {})
    assert cache.read(0, [0]).flatten().tolist() == [65504, -65504]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputRefused, match=r"holds other things \(mine.txt\)"):
        opened(tmp_path)
    with pytest.raises(OutputRefused, match="is a file"):
        opened(tmp_path / "mine.txt")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_removing_takes_what_is_its_own(tmp_path):
    cache = filled(tmp_path / "f")
    (tmp_path / "f/mine.txt").write_text("mine")
    cache.read(0, [0])
    cache.remove()
    assert [one.name for one in (tmp_path / "f").iterdir()] == ["mine.txt"]
    other = filled(tmp_path / "g")
    other.remove()
    assert not (tmp_path / "g").exists()


def test_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr("cam_cli.training.cache.shutil.disk_usage", lambda path: type("Usage", (), {"free": 371}))
    with pytest.raises(OutputFailed, match=r"features take 0.0 MB, .* has 0.0 MB free"):
        opened(tmp_path / "f")
    assert not (tmp_path / "f").exists()
    monkeypatch.setattr("cam_cli.training.cache.shutil.disk_usage", lambda path: type("Usage", (), {"free": 372}))
    assert opened(tmp_path / "f").bytes == 372


def test_numbers_for_people():
    assert gigabytes(3.14e9) == "3.1 GB"
    assert gigabytes(4.2e6) == "4.2 MB"
