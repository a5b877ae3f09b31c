"""The parts of an evaluation's plan that names and sizes decide."""

import pytest

from cam_cli.datasets.dataset import Dataset, Notes
from cam_cli.errors import InputEmpty, InputMissing
from cam_cli.images.header import Header
from cam_cli.tasks.bench import upright
from cam_cli.tasks.evaluation import excluding, listed, spellings
from cam_cli.types import ImageItem, Truth


def dataset(*ids: str) -> Dataset:
    truths = tuple(Truth(ImageItem(id, id, id), ("cat",)) for id in ids)
    return Dataset("csv", "data.csv", truths, {"cat": ("cat",)}, Notes())


@pytest.mark.parametrize(
    ("line", "ids"),
    [
        ("b/ILSVRC2012_val_00000042.JPEG", ["b/ILSVRC2012_val_00000042.JPEG"]),
        ("ILSVRC2012_val_00000042.JPEG", ["b/ILSVRC2012_val_00000042.JPEG"]),
        ("ILSVRC2012_val_00000042", ["b/ILSVRC2012_val_00000042.JPEG"]),
        ("42", ["b/ILSVRC2012_val_00000042.JPEG"]),
        ("  7 ", ["7.png"]),
        ("007", []),
        ("142", []),
        ("b", []),
        ("cat", ["cat.jpg", "c/cat.jpg"]),
    ],
)
def test_which_images_a_line_leaves_out(tmp_path, line, ids):
    """ILSVRC's list of images left out gives places, from 1."""
    whole = dataset(
        "b/ILSVRC2012_val_00000042.JPEG", "b/ILSVRC2012_val_00000421.JPEG", "7.png", "cat.jpg", "c/cat.jpg", "cat1.jpg"
    )
    (tmp_path / "out.txt").write_text(f"\ufeff{line}\n\nnothing\n")
    if not ids:
        with pytest.raises(InputEmpty, match="none of its 2 lines is the id of an image"):
            excluding(whole, str(tmp_path / "out.txt"))
        return
    less, count = excluding(whole, str(tmp_path / "out.txt"))
    assert count == len(ids)
    assert {one.item.id for one in whole.truths} - {one.item.id for one in less.truths} == set(ids)
    assert less.spellings == whole.spellings


def test_nothing_is_left_out_without_a_file():
    whole = dataset("a.jpg")
    assert excluding(whole, None) == (whole, 0)


@pytest.mark.parametrize("data", [None, b"\xff\xfe\x00"])
def test_a_list_that_cannot_be_read(tmp_path, data):
    if data is not None:
        (tmp_path / "out.txt").write_bytes(data)
    with pytest.raises(InputMissing, match=r"--exclude .*out.txt: "):
        excluding(dataset("a.jpg"), str(tmp_path / "out.txt"))


def test_spellings_of_an_image():
    assert set(spellings("a/b_0012.tar.png")) == {"a/b_0012.tar.png", "b_0012.tar.png", "b_0012.tar"}
    assert set(spellings("a/b_0012.png")) == {"a/b_0012.png", "b_0012.png", "b_0012", "12"}


def test_few_names_are_listed():
    assert listed("abcde") == "a, b, c, d, e"
    assert listed(iter("abcdef")) == "a, b, c, d, e, …"


@pytest.mark.parametrize(
    ("header", "size", "found"),
    [
        (Header(40, 30, 1, 1, "PNG"), None, (40, 30, 1)),
        (Header(40, 30, 3, 1, "JPEG"), (9, 9), (40, 30, 3)),
        (Header(40, 30, 6, 1, "JPEG"), (40, 30), (30, 40, 6)),
        (Header(40, 30, 5, 1, "JPEG"), None, (30, 40, 5)),
        (None, (40, 30), (40, 30, 1)),
    ],
)
def test_the_size_of_an_upright_picture(header, size, found):
    assert upright(header, Truth(ImageItem("a", "a", "a"), (), size=size)) == found
