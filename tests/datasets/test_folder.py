"""A folder a class."""

import pytest

from cam_cli.datasets.folder import NO_CLASS
from cam_cli.errors import InputEmpty, InputMissing, UsageError

from .samples import make_folder, opened, pictures, told


def test_names_and_wnids(tmp_path):
    found = opened(make_folder(tmp_path).path)
    assert found.spellings["n02123045-tabby"] == ("wnid:n02123045", "name:n02123045-tabby")
    assert found.spellings["cat"] == ("name:cat",)
    assert found.notes.places[NO_CLASS] == ["stray.jpg"]


def test_splits_are_folders_above(tmp_path):
    pictures(tmp_path, ("train/cat/a.jpg", "val/cat/b.jpg", "val/dog/c.jpg"))
    assert told(opened(tmp_path, split="val")) == [("cat/b.jpg", ("cat",), None), ("dog/c.jpg", ("dog",), None)]
    assert opened(tmp_path, split="val").truths[0].item.path == str(tmp_path / "val/cat/b.jpg")
    with pytest.raises(UsageError, match=r"as splits, not classes \(train, val\); name one with --split"):
        opened(tmp_path)
    with pytest.raises(UsageError, match=r"--split vale: no such folder .*did you mean val\? \(there: train, val\)"):
        opened(tmp_path, split="vale")


def test_a_class_may_be_called_as_a_split_beside_others(tmp_path):
    pictures(tmp_path, ("train/a.jpg", "bus/b.jpg"))
    assert opened(tmp_path).classes == ("bus", "train")


def test_nothing_to_be_read(tmp_path):
    pictures(tmp_path / "flat", ("a.jpg",))
    with pytest.raises(InputEmpty, match="a class is a folder of images"):
        opened(tmp_path / "flat", "folder")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputMissing, match="no such folder of images"):
        opened(tmp_path / "file", "folder")
