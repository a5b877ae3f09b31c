"""What INPUT lists: order, ids, stems, notes, and the error for each thing that is no input."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cam_cli.errors import InputEmpty, InputMissing, InputUnreadable
from cam_cli.images import walk
from cam_cli.images.sources import list_images
from cam_cli.types import Failure


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def ids(*inputs: object, **options: object) -> list[str]:
    return [
        entry.item.id if isinstance(entry, Failure) else entry.id
        for entry in list_images([*map(str, inputs)], **options)
    ]


def stems(*inputs: object) -> list[str]:
    return [item.stem for item in list_images([*map(str, inputs)])]


def stdin_ids(data: bytes, **options: object) -> list[str]:
    return ids("-", stdin=io.BytesIO(data), **options)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# Folders


def test_folder_is_listed_in_name_order_with_the_rest_counted(here):
    touch(here, "in/b.JPG", "in/a/z.png", "in/a/y.webp", "in/c.txt", "in/.hidden.jpg", "in/.dot/x.jpg", "in/notes.md")
    listing = list_images(["in"])
    assert [item.id for item in listing] == ["a/y.webp", "a/z.png", "b.JPG"]
    assert [item.path for item in listing] == ["in/a/y.webp", "in/a/z.png", "in/b.JPG"]  # a second time: re-iterable
    assert [item.stem for item in listing] == ["a/y", "a/z", "b"]
    assert len(listing) == 3
    assert listing.notes == ("2 other files skipped",)


def test_folders_go_under_their_names_and_more_of_the_path_where_names_repeat(here):
    touch(here, "x/train/1.jpg", "y/train/1.jpg", "val/1.jpg")
    assert ids("x/train", "val") == ["train/1.jpg", "val/1.jpg"]
    assert ids("x/train", "y/train", "val") == ["x/train/1.jpg", "y/train/1.jpg", "val/1.jpg"]


def test_the_same_path_twice_is_listed_once(here):
    touch(here, "in/a.jpg", "in/sub/b.jpg")
    listing = list_images(["in", "./in/", "in/sub/b.jpg", str(here / "in" / "a.jpg")])
    assert [item.id for item in listing] == ["a.jpg", "sub/b.jpg"]
    assert listing.notes == ("4 paths were listed twice",)


def test_empty_folder_says_what_else_was_there(here):
    touch(here, "in/a.txt", "in/b.csv")
    with pytest.raises(InputEmpty, match=r"^in: no image in this folder or below \(2 other files\)$"):
        list_images(["in"])


def test_symlinks_are_followed_but_loops_are_not(here):
    touch(here, "in/a.jpg", "elsewhere/b.jpg")
    (here / "in" / "link").symlink_to(here / "elsewhere")
    (here / "in" / "loop").symlink_to(here / "in")
    (here / "in" / "gone.jpg").symlink_to(here / "nowhere.jpg")
    listing = list_images(["in"])
    assert [item.id for item in listing] == ["a.jpg", "gone.jpg", "link/b.jpg"]
    assert listing.notes == ("did not enter in/loop: it links back to a folder it is in",)


def test_unreadable_folder_is_a_failure_not_a_gap(here, monkeypatch):
    touch(here, "in/a.jpg", "in/locked/b.jpg", "in/z.jpg")
    deny(monkeypatch, "in/locked")
    listing = list_images(["in"])
    entries = list(listing)
    assert [type(entry).__name__ for entry in entries] == ["ImageItem", "Failure", "ImageItem"]
    assert (entries[1].item.id, entries[1].kind) == ("locked", "ImageUnreadable")
    assert entries[1].message == "cannot list this folder: Permission denied"
    deny(monkeypatch, "in")
    with pytest.raises(InputUnreadable, match="in: Permission denied"):
        list_images(["in"])


def deny(monkeypatch, folder: str) -> None:
    scan = os.scandir

    def scandir(path):
        if path == folder:
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(walk.os, "scandir", scandir)


def test_output_folders_are_never_input(here):
    touch(here, "in/a.jpg", "in/old/a.cam.png", "in/now/a.cam.png", "in/other/b.jpg")
    (here / "in/old/run.json").write_text(json.dumps({"schema": "camtool.run/1", "command": "cam"}))
    (here / "in/other/run.json").write_text(json.dumps({"schema": "somebody.else/1"}))
    listing = list_images(["in"], output="in/now")
    assert [item.id for item in listing] == ["a.jpg", "other/b.jpg"]
    assert "skipped output folder in/old" in listing.notes
    assert "skipped output folder in/now" in listing.notes
    for folder, output in [("in/old", None), ("in/now", "in/now")]:
        with pytest.raises(InputUnreadable, match="holds results of camtool"):
            list_images([folder], output=output)


def test_deep_trees_do_not_meet_the_recursion_limit(here):
    deep = here / "in"
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "a.jpg").write_bytes(b"x")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(250)
    try:
        assert len(list_images(["in"])) == 1
    finally:
        sys.setrecursionlimit(limit)


# Files and stems


def test_files_are_flat_unless_they_share_a_name(here):
    touch(here, "p/a.jpg", "q/a.jpg", "q/b.jpg", "q/notes.txt")
    assert ids("p/a.jpg", "q/b.jpg", "q/notes.txt") == ["a.jpg", "b.jpg", "notes.txt"]
    assert ids("p/a.jpg", "q/a.jpg", "q/b.jpg") == ["p/a.jpg", "q/a.jpg", "b.jpg"]
    os.chdir(here / "p")
    assert ids("a.jpg", "../q/a.jpg", here / "q" / "b.jpg") == ["a.jpg", "_up/q/a.jpg", "b.jpg"]


def test_a_stem_shared_in_one_folder_keeps_its_suffix(here):
    touch(here, "in/a.jpg", "in/a.png", "in/A.webp", "in/b.jpg", "in/sub/a.jpg", "in/a.jpg.bmp")
    assert dict(zip(ids("in"), stems("in"), strict=True)) == {
        "A.webp": "A.webp",
        "a.jpg": "a.jpg",
        "a.jpg.bmp": "a.jpg.bmp",
        "a.png": "a.png",
        "b.jpg": "b",
        "sub/a.jpg": "sub/a",
    }


def test_odd_names_survive(here):
    names = ["in/ü é.jpg", "in/two\nlines.jpg", "in/ lead.jpg", os.fsdecode(b"in/\xff\xfe.jpg")]
    touch(here, *names)
    assert sorted(item.path for item in list_images(["in"])) == sorted(names)


@pytest.mark.parametrize("missing", ["nope.jpg", "in/nope", "in/a.jpg/x.jpg", "nul\0.jpg", ""])
def test_a_missing_path_is_named(here, missing):
    touch(here, "in/a.jpg")
    with pytest.raises(InputMissing) as caught:
        list_images(["in", missing])
    assert "no such file or folder" in caught.value.message


# Globs


def test_globs(here):
    touch(here, "in/a.jpg", "in/b.png", "in/s/c.jpg", "in/s/t/d.jpg", "in/n.txt", "in/x[1].jpg", "e.jpg", ".h/f.jpg")
    assert ids("in/*.jpg") == ["a.jpg", "x[1].jpg"]
    assert ids("in/**/*.jpg") == ["a.jpg", "s/c.jpg", "s/t/d.jpg", "x[1].jpg"]
    assert ids("in/*/*.jpg") == ["s/c.jpg"]
    assert ids("in/s*") == ["s/c.jpg", "s/t/d.jpg"]  # a matched folder stands for what is in it
    assert ids("**/d.jpg") == ["in/s/t/d.jpg"]
    assert ids("*.jpg") == ["e.jpg"]
    assert ids("in/x[1].jpg") == ["x[1].jpg"]  # a file of that very name comes first
    assert ids("in/*.jpg", "in/*.png") == ["a.jpg", "x[1].jpg", "b.png"]
    assert list_images(["in/*"]).notes == ("1 other file skipped",)
    with pytest.raises(InputEmpty, match=r"in/\*\.gif: matches no image"):
        list_images(["in/*.gif"])
    with pytest.raises(InputMissing, match="no folder nope/"):
        list_images(["nope/*.jpg"])


def test_a_glob_looks_only_where_it_may_match(here, monkeypatch):
    touch(here, "in/a.jpg", "in/big/b.jpg")
    deny(monkeypatch, "in/big")
    assert ids("in/*.jpg") == ["a.jpg"]


# Tables


def test_tables_are_relative_to_their_folder(here):
    touch(here, "data/i/a.jpg")
    (here / "data/t.csv").write_bytes(
        '\ufefflabel,path\r\ncat,i/a.jpg\r\ndog,"i/b, c.jpg"\r\n'.encode()
        + f"x,{here}/data/i/d.jpg\r\ny,../e.jpg\r\n".encode()
    )
    listing = list_images(["data/t.csv"])
    assert [item.id for item in listing] == ["i/a.jpg", "i/b, c.jpg", "i/d.jpg", "_up/e.jpg"]
    assert [item.path for item in listing][:2] == ["data/i/a.jpg", "data/i/b, c.jpg"]
    (here / "data/t.jsonl").write_text('{"path": "i/a.jpg"}\n\n{"path": "i/\\ud800\\u0000.jpg"}\n')
    assert ids("data/t.jsonl") == ["i/a.jpg", "i/?_.jpg"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "t.csv",
            "file,label\na,b\n",
            r"t\.csv: the first row must name one column 'path' \(columns found: file, label\)",
        ),
        ("t.csv", "path,label\na,b\nc\n", "t.csv, row 3: 1 cells where the header has 2"),
        ("t.csv", "path,label\na,b,c\n", "t.csv, row 2: 3 cells"),
        ("t.csv", "path,label\n,b\n", "t.csv, row 2: the path is empty"),
        ("t.csv", 'path\n"a\n', "t.csv, row 2: "),
        ("t.jsonl", '{"path": "a"}\n{"path"\n', "t.jsonl, row 2: not JSON"),
        ("t.jsonl", '{"image": "a"}\n', "t.jsonl, row 1: no 'path'"),
        ("t.jsonl", "[1]\n", "t.jsonl, row 1: no 'path'"),
        ("t.jsonl", '{"path": 3}\n', "t.jsonl, row 1: no 'path'"),
    ],
)
def test_broken_tables_name_file_and_row(here, name, content, message):
    (here / name).write_text(content)
    with pytest.raises(InputUnreadable, match=message):
        list_images([name])


def test_a_table_without_rows_is_empty(here):
    (here / "t.csv").write_text("path\n")
    with pytest.raises(InputEmpty, match="no rows"):
        list_images(["t.csv"])


# stdin


def test_stdin_lists_paths_missing_ones_too(here):
    touch(here, "a.jpg", "folder/x.jpg")
    data = (
        b"a.jpg\r\n\nBMW/1.jpg\n two words.jpg\n../up.jpg\nfolder\n/etc/deep/z.png\na.jpg\n"
        + os.fsencode(here)
        + b"/in/q.jpg"
    )
    listing = list_images(["-"], stdin=io.BytesIO(data))
    entries = list(listing)
    assert isinstance(entries[4], Failure)
    assert (entries[4].item.id, entries[4].kind, entries[4].item.path) == ("folder", "ImageUnreadable", "folder")
    assert [entry.id for entry in entries if not isinstance(entry, Failure)] == [
        "a.jpg", "BMW/1.jpg", " two words.jpg", "_up/up.jpg", "etc/deep/z.png", "in/q.jpg",
    ]  # fmt: skip
    assert listing.notes == ("1 path was listed twice",)


def test_stdin_separated_by_nul_may_begin_like_an_image():
    assert stdin_ids(b"BMW/1.jpg\0two\nlines.jpg\0\xff.jpg\0", nul=True) == [
        "BMW/1.jpg", "two\nlines.jpg", os.fsdecode(b"\xff.jpg"),
    ]  # fmt: skip
    assert stdin_ids(b"BMW/1.jpg\nBMW/2.jpg") == ["BMW/1.jpg", "BMW/2.jpg"]


def test_stdin_image_bytes():
    data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
    (item,) = list_images(["-"], stdin=io.BytesIO(data))
    assert (item.id, item.stem, item.path, item.data) == ("stdin", "stdin", "-", data)


@pytest.mark.parametrize("data", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_empty_stdin(data):
    with pytest.raises(InputEmpty, match="stdin is empty"):
        stdin_ids(data)


# Taking a part


def test_take_samples_in_order_then_limits(here):
    touch(here, *(f"in/{number:03}.jpg" for number in range(50)), "in/000.png")
    listing = list_images(["in"])
    sampled = [item.id for item in listing.take(None, 10, seed=1)]
    assert len(sampled) == 10
    assert sampled == sorted(sampled)
    assert sampled == [item.id for item in listing.take(None, 10, seed=1)]
    assert sampled != [item.id for item in listing.take(None, 10, seed=2)]
    assert [item.id for item in listing.take(3, 10, seed=1)] == sampled[:3]
    assert len(listing.take(None, 500, seed=0)) == 51
    assert len(listing.take(0, None, seed=0)) == 0
    assert [item.stem for item in listing.take(1, None, seed=0)] == ["000.jpg"]  # as in the whole listing


def test_listing_loads_nothing_heavy():
    code = (
        "import sys, cam_cli.images.sources; print([m for m in ('torch', 'cv2', 'numpy', 'PIL') if m in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
