"""What exports leave in the folder: pictures, names, whole files or none, what the next run clears, memory."""

import errno
import json
import os
import subprocess
import sys
import tracemalloc
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cam_cli.errors import OutputFailed, OutputRefused, UsageError
from cam_cli.outputs.exports import EXPORTS
from cam_cli.outputs.folder import Folder
from tests.cli.test_explain import environment

from .records import box, export, failed, record, tree


@pytest.fixture
def shots(tmp_path):
    """`shots("a.jpg", …)`: records of files that are there."""

    def make(*ids: str) -> list[dict]:
        records = []
        for id in ids:
            path = tmp_path / "photos" / id
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.fsencode(id))
            records.append(record(id, {0: [box(0, 0, 8, 8)]}, image=str(path)))
        return records

    return make


def test_pictures_are_linked_copied_or_left(shots, tmp_path):
    records = shots("a.jpg", "sub/b.png")
    original = tmp_path / "photos/sub/b.png"
    for images in ("link", "copy", "none"):
        export(tmp_path / images, records, "yolo", "voc", images=images)
        for name in ("yolo/images/train", "voc/JPEGImages"):
            put = tmp_path / images / name / "sub/b.png"
            assert put.exists() == (images != "none")
            if put.exists():
                assert put.read_bytes() == b"sub/b.png"
                assert put.samefile(original) == (images == "link")
    assert len(list((tmp_path / "link").rglob("*.part"))) == 0


@pytest.mark.parametrize("number", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_where_there_can_be_no_link_there_is_a_copy_and_it_is_said(number, shots, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    told = export(tmp_path / "out", shots("a.jpg", "b.jpg"), "yolo", images="link")
    assert told[-1] == "2 pictures are copies: hard links cannot be made to where they are"
    assert (tmp_path / "out/yolo/images/train/a.jpg").read_bytes() == b"a.jpg"


def test_a_link_to_a_picture_is_followed(shots, tmp_path):
    (one,) = shots("a.jpg")
    (tmp_path / "photos/b.jpg").symlink_to("a.jpg")
    export(tmp_path / "out", [record("b.jpg", {}, image=str(tmp_path / "photos/b.jpg"))], "yolo", images="link")
    put = tmp_path / "out/yolo/images/train/b.jpg"
    assert not put.is_symlink()
    assert put.samefile(one["image"])


def test_clearing_and_overwriting_leave_the_originals(shots, tmp_path):
    records = shots("a.jpg", "sub/b.jpg")
    export(tmp_path / "out", records, *EXPORTS, images="link")
    mine = tmp_path / "out/yolo/mine.txt"
    mine.write_text("mine")
    export(tmp_path / "out", records[:1], "yolo", images="copy", overwrite=True)
    assert tree(tmp_path / "out") == [
        f"yolo/{name}" for name in ("data.yaml", "images/train/a.jpg", "labels/train/a.txt", "mine.txt", "train.txt")
    ]
    (tmp_path / "out/yolo/images/train/a.jpg").write_bytes(b"changed")
    assert [Path(one["image"]).read_bytes() for one in records] == [b"a.jpg", b"sub/b.jpg"]


def test_overwriting_a_strange_link_to_the_original_leaves_the_original(shots, tmp_path):
    """os.replace does nothing between two links of one file: no draft may stay."""
    (one,) = shots("a.jpg")
    put = tmp_path / "out/yolo/images/train/a.jpg"
    put.parent.mkdir(parents=True)
    os.link(one["image"], put)
    with pytest.raises(OutputRefused, match="no run recorded it"):
        export(tmp_path / "out", [one], "yolo", images="link")
    export(tmp_path / "out", [one], "yolo", images="link", overwrite=True)
    assert put.samefile(one["image"])
    assert not list((tmp_path / "out").rglob("*.part"))


def test_a_forged_list_of_exports_deletes_nothing_outside(tmp_path):
    export(tmp_path / "out", [record("a.jpg", {})], "voc")
    (tmp_path / "mine.txt").write_text("mine")
    lines = ["../mine.txt", str(tmp_path / "mine.txt"), "voc/../../mine.txt", 3, None, ["x"]]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '"torn'
    (tmp_path / "out/exports.jsonl").write_text(text)
    Folder.check(str(tmp_path / "out"), True, False).open()
    assert (tmp_path / "mine.txt").exists()


def test_a_folder_called_images_does_not_lead_trainers_astray(shots, tmp_path):
    ids = ["images/a.jpg", "images_/a.jpg", "x/images/images/b.jpg", "images.jpg", "labels/a.jpg"]
    export(tmp_path / "out", shots(*ids), "yolo", images="copy", ids=ids)
    lines = (tmp_path / "out/yolo/train.txt").read_text().splitlines()
    put = [str(tmp_path / "out/yolo" / line[2:]) for line in lines]
    assert [Path(one).read_bytes().decode() for one in put] == ids
    labels = {"/labels/".join(one.rsplit("/images/", 1)).rsplit(".", 1)[0] + ".txt" for one in put}
    assert labels == {str(path) for path in (tmp_path / "out/yolo/labels").rglob("*.txt")}
    assert len(labels) == 5


def test_images_of_one_stem_keep_apart(shots, tmp_path):
    ids = ["a.jpg", "a.png", "sub/a.jpg", "b.jpg"]
    export(tmp_path / "out", shots(*ids), "yolo", "voc", images="copy", ids=ids)
    top = tmp_path / "out"
    names = {"a.jpg": b"a.jpg.jpg", "a.png": b"a.png.png", "sub/a.jpg": b"sub/a.jpg", "b.jpg": b"b.jpg"}
    for id, name in names.items():
        put = top / "yolo/images/train" / name.decode()
        assert put.read_bytes() == id.encode()
        label = "/labels/".join(str(put).rsplit("/images/", 1)).rsplit(".", 1)[0] + ".txt"
        assert Path(label).exists(), "where trainers look"
        xml = (top / "voc/Annotations" / name.decode()).with_suffix(".xml")
        assert ElementTree.parse(xml).getroot().findtext("filename") == name.decode()
    assert len(tree(top / "yolo/labels")) == len(tree(top / "voc/Annotations")) == 4


STRANGE = ["q\"u&o<t>e'.jpg", "con: a?.jpg", "żółw 🐢.jpg", os.fsdecode(b"latin\xe9.jpg"), " lead", ".jpg"]


@pytest.mark.parametrize("name", EXPORTS)
def test_strange_names(name, shots, tmp_path):
    told = export(tmp_path / "out", shots(*STRANGE), name, images="link", ids=STRANGE)
    assert told[0].startswith(f"{name}: {len(STRANGE)} images, {len(STRANGE)} boxes: ")
    for path in (tmp_path / "out").rglob("*.xml"):
        ElementTree.parse(path)
    for path in (tmp_path / "out").glob("*.json"):
        json.loads(path.read_bytes())
    if name == "coco":
        whole = json.loads((tmp_path / "out/coco.json").read_bytes())
        assert [one["file_name"] for one in whole["images"]] == STRANGE
    if name == "yolo":
        lines = os.fsdecode((tmp_path / "out/yolo/train.txt").read_bytes()).splitlines()
        assert all((tmp_path / "out/yolo" / line).exists() for line in lines)
    if name == "labelstudio":
        tasks = json.loads((tmp_path / "out/labelstudio.json").read_bytes())
        assert tasks[3]["data"]["image"].endswith("/photos/latin%E9.jpg")


@pytest.mark.parametrize(("name", "images"), [("yolo", 1), ("voc", 1), ("coco", 3), ("csv", 3)])
def test_a_name_that_a_list_cannot_hold_is_left_out_and_counted(name, images, shots, tmp_path):
    (told,) = export(tmp_path / "out", [*shots("a\nb.jpg", "c\u2028d.jpg", "e.jpg"), failed("f")], name)
    left = "" if images == 3 else ", 2 of a name that cannot be written left out"
    assert told.startswith(f"{name}: {images} images, {images} boxes")
    assert "1 failed left out" in told
    assert left in told


def test_a_name_that_is_too_long_for_a_dataset_is_left_out(shots, tmp_path):
    long = "x" * 251
    ids = [f"{long}.jpg", f"{long}.png"]
    (told,) = export(tmp_path / "out", [*shots(*ids), *shots("a.jpg")], "yolo", images="link", ids=ids)
    assert told == "yolo: 1 images, 1 boxes, 2 of a name that cannot be written left out: yolo/data.yaml"
    assert "images/train/a.jpg" in (tmp_path / "out/yolo/train.txt").read_text()


def test_a_picture_from_stdin_has_no_file(tmp_path):
    one = record("stdin", {}, image="-")
    with pytest.raises(UsageError, match="--images none"):
        export(tmp_path / "out", [one], "yolo", images="link")
    export(tmp_path / "new", [one], "yolo", images="none")


@pytest.mark.parametrize("name", ["csv", "coco", "labelstudio"])
def test_a_run_that_ends_early_leaves_no_half_of_a_file(name, tmp_path):
    def broken():
        yield record("a.jpg", {0: [box(0, 0, 8, 8)]})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(tmp_path / "out", broken(), name)
    assert tree(tmp_path / "out") == []


@pytest.mark.parametrize("name", EXPORTS)
def test_a_full_disk_ends_the_run_in_one_line_and_keeps_what_was_whole(name, tmp_path, monkeypatch):
    records = [record("a.jpg", {0: [box(0, 0, 8, 8)]})]
    export(tmp_path / "out", records, name)
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.suffix not in (".jsonl", "")}
    (tmp_path / "out/exports.jsonl").unlink()  # so that nothing is cleared

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputFailed, match="No space left"):
        export(tmp_path / "out", records, name, overwrite=True)
    monkeypatch.undo()
    assert not list((tmp_path / "out").rglob("*.part"))
    before.pop(tmp_path / "out/run.json")
    assert {path: path.read_bytes() for path in before} == before


KILLED = """
import os, sys
from pathlib import Path
from tests.outputs.exports.records import box, export, record
def records():
    for number in range(50):
        yield record(f"{number}.jpg", {0: [box(0, 0, 8, 8)]})
    os.kill(os.getpid(), 9)
export(Path(sys.argv[1]), records(), "coco", "csv", "labelstudio", "yolo")
"""


def test_a_killed_run_leaves_whole_files_that_the_next_clears(tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "out")]
    where = environment() | {"PYTHONPATH": str(Path(__file__).parents[3])}
    assert subprocess.run(command, env=where).returncode == -9
    assert tree(tmp_path / "out") == sorted(f"yolo/labels/train/{number}.txt" for number in range(50))
    export(tmp_path / "out", [], "csv", overwrite=True)
    assert tree(tmp_path / "out") == ["boxes.csv"]
    assert not (tmp_path / "out/yolo").exists()


def test_memory_does_not_grow_with_the_records(tmp_path):
    """All but the datasets of small files, whose ten thousand would only measure the disk: they hold no more."""

    def peak(images: int, folder: Path) -> int:
        records = (record(f"{number}.jpg", {0: [box(1, 2, 30, 40)]}) for number in range(images))
        tracemalloc.start()
        export(folder, records, "csv", "coco", "labelstudio")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10, tmp_path / "warm")
    few, many = peak(500, tmp_path / "few"), peak(10_000, tmp_path / "many")
    whole = json.loads((tmp_path / "many/coco.json").read_text())
    assert (len(whole["images"]), len(whole["annotations"])) == (10_000, 10_000)
    written = sum(path.stat().st_size for path in (tmp_path / "many").iterdir())
    assert many - few < 2**18 < written / 20, f"{few} bytes for 500 images, {many} for 10 000, {written} written"


def test_ids_count_on_whatever_failed(tmp_path):
    number = count()
    records = [failed("x") if index % 2 else record(f"{next(number)}.jpg", {}) for index in range(6)]
    export(tmp_path / "out", records, "coco")
    whole = json.loads((tmp_path / "out/coco.json").read_text())
    assert [(one["id"], one["file_name"]) for one in whole["images"]] == [(1, "0.jpg"), (2, "1.jpg"), (3, "2.jpg")]
