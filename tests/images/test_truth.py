"""What an image's true class is called: folders, tables, one for all."""

import json
import os

import pytest

from cam_cli.errors import InputEmpty, InputMissing, InputUnreadable
from cam_cli.images.listing import Listing
from cam_cli.images.sources import list_images
from cam_cli.images.truth import read_truth

HERE = Listing(["cat/a.jpg", "dog/b.jpg", "dog/c.jpg"], ["in/cat/a.jpg", "in/dog/b.jpg", "in/dog/c.jpg"])


def called(text: str, listing: Listing = HERE) -> list[tuple[str, ...]]:
    truth = read_truth(text, listing)
    return [truth(id, path) for id, path in zip(listing.ids, listing.paths, strict=True)]


def test_one_class_for_all():
    assert called("red fox") == [("red fox",)] * 3


@pytest.mark.parametrize(
    ("id", "path", "names"),
    [
        ("cat/a.jpg", "in/cat/a.jpg", ("name:cat", "name:in")),
        ("a.jpg", "in/cat/a.jpg", ("name:cat",)),
        ("cat/2024/a.jpg", "x/in/cat/2024/a.jpg", ("name:2024", "name:cat", "name:in")),
        ("n02123045/a.jpg", "n02123045/a.jpg", ("wnid:n02123045", "name:n02123045")),
        ("n02123045-tabby/a.jpg", "n02123045-tabby/a.jpg", ("wnid:n02123045", "name:n02123045-tabby")),
        ("n021230456/a.jpg", "n021230456/a.jpg", ("name:n021230456",)),
        ("stdin", "-", ()),
    ],
)
def test_the_nearest_folder_first_up_to_the_input(id, path, names, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_truth("folder", HERE)(id, path)[: len(names)] == names
    assert len(read_truth("folder", HERE)(id, path)) <= len(names) + 1


ROWS = {
    "by id": ["cat/a.jpg", "dog/b.jpg"],
    "by path as typed": ["in/cat/a.jpg", "in/dog/b.jpg"],
    "by file name": ["a.jpg", "elsewhere/b.jpg"],
    "by absolute path": ["{cwd}/in/cat/a.jpg", "{cwd}/in/dog/b.jpg"],
}


@pytest.mark.parametrize("way", ROWS)
@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
@pytest.mark.parametrize(("path", "name"), [("path", "class"), ("id", "truth"), ("image", "label"), ("file", "class")])
def test_tables(tmp_path, monkeypatch, way, suffix, path, name):
    monkeypatch.chdir(tmp_path)
    rows = [(row.format(cwd=tmp_path), index) for row, index in zip(ROWS[way], ("cat", 208), strict=True)]
    if suffix == "csv":
        text = f"width,{path},{name}\n" + "".join(f"9,{row},{one}\n" for row, one in rows)
    else:
        text = "".join(json.dumps({path: row, name: one}) + "\n" for row, one in rows)
    (tmp_path / "t").mkdir()
    (tmp_path / f"t/t.{suffix}").write_text(text)
    assert called(f"t/t.{suffix}") == [("cat",), ("208",), ()]


def test_paths_of_a_table_are_below_its_folder_and_it_may_be_the_input_itself(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in/t.csv").write_text("path,class\ncat/a.jpg,cat\ndog/a.jpg,dog\nfox/a.jpg,\n")
    listing = list_images(["in/t.csv"])
    assert called("in/t.csv", listing) == called(os.path.abspath("in/t.csv"), listing) == [("cat",), ("dog",), ()]


def test_a_file_name_counts_only_where_it_is_there_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("path,class\nx/a.jpg,cat\nx/b.jpg,dog\ny/b.jpg,cat\nx/c.jpg,owl\n")
    twice = Listing(["1/a.jpg", "1/b.jpg", "1/c.jpg", "2/c.jpg"], ["1/a.jpg", "1/b.jpg", "1/c.jpg", "2/c.jpg"])
    assert called("t.csv", twice) == [("cat",), (), (), ()]


@pytest.mark.parametrize(
    ("name", "text", "error", "says"),
    [
        ("t.csv", "path,size\na.jpg,3\n", InputUnreadable, r"one column 'class' \(or truth, label\) .*path, size"),
        ("t.csv", "class\ncat\n", InputUnreadable, r"one column 'path' \(or id, image, file\)"),
        ("t.csv", "path,class\n", InputEmpty, "its first row: no row; the first image: in/cat/a.jpg"),
        ("t.csv", "path,class\nz.jpg,cat\n", InputEmpty, "its first row: z.jpg"),
        ("t.csv", "path,class\na.jpg,\n", InputEmpty, "gives no class"),
        ("t.csv", "path,class\na.jpg,cat\na.jpg,dog\n", InputUnreadable, "a.jpg has two classes, 'cat' and 'dog'"),
        ("t.jsonl", '{"class": "cat"}\n', InputUnreadable, r"row 1: no 'path' \(or id, image, file\)"),
        ("t.jsonl", '{"path": "a.jpg", "class": true}\n', InputEmpty, "gives no class"),
        ("gone.csv", None, InputMissing, "no such file"),
    ],
)
def test_tables_that_do_not_serve(tmp_path, monkeypatch, name, text, error, says):
    monkeypatch.chdir(tmp_path)
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(error, match=says):
        read_truth(name, HERE)
