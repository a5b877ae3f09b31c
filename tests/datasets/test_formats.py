"""What every format of FORMATS holds to."""

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from cam_cli.datasets import FORMATS
from cam_cli.datasets.dataset import Notes, Request
from cam_cli.datasets.opening import detect, open_dataset
from cam_cli.errors import CamtoolError, DatasetUnreadable, InputEmpty, InputMissing, UsageError
from cam_cli.images.listing import Listing
from cam_cli.images.naming import whole_stems

from .samples import SAMPLES, Sample, opened, pictures, told

NO_XML = {"voc": 1, "imagenet": 1}  # images of the samples
every = pytest.mark.parametrize("name", FORMATS)


def refusal(sample: Sample, name: str) -> CamtoolError | None:
    """The error of opening it, if there is one."""
    try:
        opened(sample.path, name, split=sample.split)
    except CamtoolError as error:
        return error
    return None


def test_every_format_has_a_sample():
    assert list(SAMPLES) == list(FORMATS)


@every
def test_it_says_what_the_sample_says_in_its_order(name, tmp_path):
    sample = SAMPLES[name](tmp_path)
    found = opened(sample.path, split=sample.split, images=True)
    assert found.format == name
    assert told(found) == sample.said
    assert found.path == str(sample.path)
    assert set(found.spellings) == set(found.classes) == {label for _, labels, _ in sample.said for label in labels}
    assert all(os.path.isfile(one.item.path) for one in found.truths)
    assert found.notes.counts["image without truth"] == sum(
        not labels and boxes is None for _, labels, boxes in sample.said
    )


@every
def test_only_its_own_sample_is_of_the_format(name, tmp_path):
    for other, make in SAMPLES.items():
        path = str(make(tmp_path / other).path)
        assert FORMATS.load(name).detects(path) == (name == other), other


@every
def test_nothing_that_is_no_dataset_is_of_the_format(name, tmp_path):
    pictures(tmp_path / "flat", ("a.jpg", "b.jpg"))
    pictures(tmp_path / "alone/images", ("a.jpg", "b.jpg"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.txt").write_text("path,class\n")
    (tmp_path / "list.json").write_text("[1, 2]")
    (tmp_path / "bytes.csv").write_bytes(bytes(range(256)))
    for path in ("flat", "alone", "empty", "a.txt", "list.json", "bytes.csv", "gone", "flat/a.jpg"):
        assert not FORMATS.load(name).detects(str(tmp_path / path)), path


@every
def test_ids_are_safe_and_stems_those_of_a_listing(name, tmp_path):
    sample = SAMPLES[name](tmp_path)
    truths = opened(sample.path, split=sample.split).truths
    ids = [one.item.id for one in truths]
    assert len(set(ids)) == len(ids)
    for id in ids:
        assert not PurePosixPath(id).is_absolute()
        assert ".." not in PurePosixPath(id).parts
        assert str(PurePosixPath(id)) == id
    listing = Listing(ids, [one.item.path for one in truths], whole_stems(ids))
    assert [one.item for one in truths] == list(listing)


@every
def test_a_split_that_is_not_there_is_told_with_those_that_are(name, tmp_path):
    sample = SAMPLES[name](tmp_path)
    if name == "imagenet":  # its splits are folders of folders: what was looked for is said
        with pytest.raises(InputMissing, match=r"looked for Data/CLS-LOC/vall.*Annotations/CLS-LOC/vall"):
            opened(sample.path, name, split="vall")
    elif sample.split:
        with pytest.raises(UsageError, match=rf"--split {sample.other}.*did you mean {sample.split}"):
            opened(sample.path, name, split=sample.other)
    else:
        with pytest.raises(UsageError, match="--split nowhere"):
            opened(sample.path, name, split="nowhere")


@every
def test_a_column_that_is_not_there_is_refused(name, tmp_path):
    sample = SAMPLES[name](tmp_path)
    with pytest.raises(UsageError, match="no column 'lens'"):
        opened(sample.path, split=sample.split, columns=("lens",))


@every
def test_a_file_that_is_missing_is_named(name, tmp_path):
    needed = SAMPLES[name](tmp_path / "0").needed
    for number, file in enumerate(needed, 1):
        top = tmp_path / str(number)
        sample = SAMPLES[name](top)
        (top / file.relative_to(tmp_path / "0")).unlink()
        error = refusal(sample, name)
        if file.suffix == ".xml":  # one of many: its image has no truth
            left = opened(sample.path, name, split=sample.split).notes.counts["image without an XML file"]
            assert (error, left) == (None, NO_XML[name] + 1)
        else:
            assert isinstance(error, InputMissing | UsageError), file
            assert file.name in error.message or "no annotations/instances_*.json" in error.message


@every
def test_an_empty_dataset_is_no_dataset(name, tmp_path):
    """All files there, and empty."""
    sample = SAMPLES[name](tmp_path)
    for file in tmp_path.rglob("*"):
        if file.suffix in (".txt", ".csv"):
            file.write_text("")
        elif file.suffix in (".jpg", ".png", ".JPEG", ".xml"):
            file.unlink()
        elif file.suffix == ".json":
            file.write_text('{"images": [], "annotations": [], "categories": []}')
    with pytest.raises((InputEmpty, InputMissing)):
        opened(sample.path, name, split=sample.split)


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("folder", "imagenet")])
def test_images_that_are_nowhere_are_told_before_anything_runs(name, tmp_path):
    """Of the formats that list images; those of the other two are what is there."""
    sample = SAMPLES[name](tmp_path)
    for file in tmp_path.rglob("*"):
        if file.suffix in (".jpg", ".png"):
            file.unlink()
    with pytest.raises(InputMissing, match=r"none of its . images is there.*--images"):
        opened(sample.path, name, split=sample.split, images=True)
    assert len(opened(sample.path, name, split=sample.split).truths) == len(sample.said)


@every
def test_the_images_may_be_elsewhere(name, tmp_path):
    sample = SAMPLES[name](tmp_path)
    if name == "folder":
        with pytest.raises(UsageError, match="--images"):
            open_dataset(Request(str(sample.path), images=str(tmp_path)))
        return
    before = opened(sample.path, split=sample.split)
    root = Path(before.truths[0].item.path.removesuffix(before.truths[0].item.id))
    moved = tmp_path.with_name(f"{tmp_path.name}-moved")
    shutil.copytree(root, moved)
    after = open_dataset(Request(str(sample.path), split=sample.split, images=str(moved)))
    assert told(after) == told(before)
    assert [one.item.path for one in after.truths] == [str(moved / one.item.id) for one in after.truths]


@every
def test_torn_and_garbled_files_are_read_or_refused_never_a_crash(name, tmp_path):
    """Each file of annotations cut off somewhere, or with some bytes changed."""
    dice = random.Random(7)
    sample = SAMPLES[name](tmp_path)
    files = [file for file in tmp_path.rglob("*") if file.suffix in (".txt", ".csv", ".json", ".xml")]
    refused = 0
    for file in files:
        whole = file.read_bytes()
        for _ in range(30):
            place = dice.randrange(len(whole))
            some = bytes(dice.choice(b'\0\xff,;<>"{}[]-e0 \n') for _ in range(dice.randrange(4)))
            file.write_bytes(whole[:place] if dice.random() < 0.3 else whole[:place] + some + whole[place + 1 :])
            for detects in (one for one in map(FORMATS.load, FORMATS)):
                detects.detects(str(sample.path))
            error = refusal(sample, name)
            if error is not None:
                refused += 1
                assert isinstance(error, DatasetUnreadable | InputEmpty | InputMissing | UsageError)
                assert str(tmp_path) in error.message
        file.write_bytes(whole)
    assert refused or name == "folder"


def test_reading_needs_no_torch(tmp_path):
    paths = [(str(SAMPLES[name](tmp_path / name).path), SAMPLES[name](tmp_path / name).split) for name in SAMPLES]
    code = (
        "import sys\nfrom cam_cli.datasets.opening import open_dataset\nfrom cam_cli.datasets.dataset import Request\n"
        f"for path, split in {paths!r}:\n    assert open_dataset(Request(path, split)).truths\n"
        "print(sorted({'torch', 'torchvision', 'cv2'} & set(sys.modules)))\n"
        "import cam_cli.datasets.masks, cam_cli.datasets.placing, cam_cli.datasets.classmap\n"
        "print(sorted({'torch', 'torchvision'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr, ran.stdout) == (0, "", "[]\n[]\n")


def test_an_unknown_path_is_told_what_was_looked_for(tmp_path):
    with pytest.raises(DatasetUnreadable) as raised:
        detect(str(tmp_path))
    for name, entry in FORMATS.items():
        assert f"{name} ({entry.summary})" in raised.value.message
    with pytest.raises(InputMissing, match="no such file or folder"):
        opened(tmp_path / "gone")
    with pytest.raises(InputMissing, match="no such file or folder"):
        open_dataset(Request(str(tmp_path), images=str(tmp_path / "gone")))


def test_an_unknown_format_is_told_those_there_are(tmp_path):
    with pytest.raises(UsageError, match=r"'cocoa'; did you mean coco\? \(known: voc, coco"):
        opened(tmp_path, "cocoa")


def test_a_format_may_be_insisted_on(tmp_path):
    """VOC's folders are class folders, if a person says so."""
    sample = SAMPLES["voc"](tmp_path)
    assert {one.labels for one in opened(sample.path, "folder").truths} == {("JPEGImages",)}


def test_images_that_share_a_stem_keep_their_suffix(tmp_path):
    pictures(tmp_path, ("cat/a.jpg", "cat/a.png", "cat/b.jpg"))
    assert [one.item.stem for one in opened(tmp_path).truths] == ["cat/a.jpg", "cat/a.png", "cat/b"]


def test_an_id_twice_is_refused_whatever_the_format(tmp_path, monkeypatch):
    sample = SAMPLES["folder"](tmp_path)
    member = FORMATS.load("folder")
    twice = type(member)(member.detects, lambda request, notes: [*member.read(request, notes)] * 2, member.spellings)
    monkeypatch.setattr("cam_cli.datasets.folder.format", twice)
    with pytest.raises(DatasetUnreadable, match=re.escape("cat/2024/b.jpg is there twice")):
        opened(sample.path)


def test_readers_hand_out_one_image_at_a_time(tmp_path):
    sample = SAMPLES["voc"](tmp_path)
    reading = FORMATS.load("voc").read(Request(str(sample.path)), Notes())
    assert next(reading).item.id == "a.jpg"
    (sample.path / "Annotations/b.xml").write_text("torn")
    with pytest.raises(DatasetUnreadable, match=r"b\.xml"):
        next(reading)
