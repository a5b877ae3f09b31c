"""CUB-200-2011."""

import pytest

from cam_cli.datasets.cub import UNKNOWN
from cam_cli.errors import DatasetUnreadable, InputMissing

from .samples import make_cub, opened, text, told


def test_splits(tmp_path):
    sample = make_cub(tmp_path)
    assert [id for id, _, _ in told(opened(sample.path, split="test"))] == ["002.Owl/b c.jpg"]
    assert [id for id, _, _ in told(opened(sample.path))] == ["001.Auk/a.jpg", "002.Owl/b c.jpg", "002.Owl/d.jpg"]
    (tmp_path / "train_test_split.txt").unlink()
    assert len(opened(sample.path).truths) == 3
    with pytest.raises(InputMissing, match=r"train_test_split\.txt: no such file; .*drop --split"):
        opened(sample.path, split="train")


def test_names_with_and_without_the_number(tmp_path):
    found = opened(make_cub(tmp_path).path)
    assert found.spellings["001.Auk"] == ("name:001.Auk", "name:Auk")
    assert found.truths[0].size is None
    assert not found.several


def test_without_boxes(tmp_path):
    sample = make_cub(tmp_path)
    (tmp_path / "bounding_boxes.txt").unlink()
    assert {boxes for _, _, boxes in told(opened(sample.path))} == {None}


def test_ids_that_are_no_numbers(tmp_path):
    """NABirds has hexadecimal ones with dashes."""
    text(tmp_path / "images.txt", "0000-a7 0817/a.jpg")
    text(tmp_path / "image_class_labels.txt", "0000-a7 817")
    text(tmp_path / "classes.txt", "817 Oak Titmouse")
    text(tmp_path / "bounding_boxes.txt", "0000-a7 83 59 128 228")
    assert told(opened(tmp_path)) == [("0817/a.jpg", ("Oak Titmouse",), [(83, 59, 211, 287)])]


BROKEN = {
    "images.txt": ("2", r"images\.txt, row 4: 1 cells where 2 are wanted; a row is number path"),
    "images.txt ": ("2 x/y.jpg", r"images\.txt, row 4: 2 was there before, in .*images\.txt, row 2"),
    "images.txt  ": ("9 001.Auk/a.jpg", r"images\.txt, row 4: 001\.Auk/a\.jpg was there before, in .*row 1"),
    "images.txt   ": ("9 003.Tit/a.jpg", r"images\.txt, row 4: 9 has no row in image_class_labels\.txt"),
    "image_class_labels.txt": ("2", "row 4: 1 cells where 2"),
    "image_class_labels.txt ": ("2 7", r"row 4: classes\.txt names no class '7'"),
    "image_class_labels.txt  ": ("2 1", r"row 4: 2 is 002\.Owl already"),
    "classes.txt": ("2 003.Tit", r"classes\.txt, row 3: class 2 is 002\.Owl already"),
    "bounding_boxes.txt": ("2 1 2 3", r"bounding_boxes\.txt, row 4: 4 cells where 5 are wanted; a row is number x y w"),
    "bounding_boxes.txt ": ("2 1 2 x 3", "row 4: a side of the box is 'x'; a number is wanted"),
    "train_test_split.txt": ("2 2", r"row 4: '2' is neither 1 \(train\) nor 0 \(test\)"),
    "train_test_split.txt ": ("2 1", "row 4: 2 is for test already"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rows(tmp_path, name):
    row, says = BROKEN[name]
    sample = make_cub(tmp_path)
    with (tmp_path / name.strip()).open("a") as file:
        file.write(f"{row}\n")
    with pytest.raises(DatasetUnreadable, match=says):
        opened(sample.path, split=sample.split if "split" in name else None)


def test_rows_of_images_that_are_not_listed(tmp_path):
    sample = make_cub(tmp_path)
    for name, row in (("bounding_boxes.txt", "9 1 1 2 2"), ("image_class_labels.txt", "9 1")):
        with (tmp_path / name).open("a") as file:
            file.write(f"{row}\n")
    assert opened(sample.path).notes.counts == {UNKNOWN: 2}
