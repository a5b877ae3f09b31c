"""wsolevaluation's metadata folders, with boxes and with masks."""

import numpy as np
import pytest

from cam_cli.datasets.corners import CLIPPED
from cam_cli.datasets.dataset import Request
from cam_cli.datasets.masks import read_mask
from cam_cli.datasets.opening import open_dataset
from cam_cli.datasets.pictures import NO_MASK
from cam_cli.datasets.wsol import NO_SIZE, UNKNOWN
from cam_cli.errors import DatasetUnreadable, InputMissing, UsageError

from .samples import make_wsol, opened, picture, pictures, text, told

ID = "val/x/1.jpg"


def folder(tmp_path, **files: list[str]):
    """A split of one image, less or with other files."""
    whole = {"image_ids": [ID], "class_labels": [f"{ID},5"]} | files
    for name, rows in whole.items():
        text(tmp_path / f"m/{name}.txt", *rows)
    return tmp_path / "m"


def test_the_folder_of_one_split_or_of_all(tmp_path):
    sample = make_wsol(tmp_path)
    assert told(opened(sample.path / "test", images=True)) == sample.said
    assert told(opened(sample.path / "test", split="test")) == sample.said
    with pytest.raises(UsageError, match="is the folder of one split by itself"):
        opened(sample.path / "test", split="train")
    with pytest.raises(UsageError, match=r"which split\? Give --split \(splits in .*CUB: test, train\)"):
        opened(sample.path)
    assert opened(sample.path, split="test").spellings["1"] == ("name:1", "index:1")


def test_labels_alone(tmp_path):
    """As in the training splits."""
    (truth,) = opened(folder(tmp_path)).truths
    assert (truth.labels, truth.objects, truth.regions, truth.size) == (("5",), None, (), None)


def test_a_byte_order_mark_and_line_ends_of_windows(tmp_path):
    folder(tmp_path)
    for name, content in {"image_ids": ID, "class_labels": f"{ID},5"}.items():
        (tmp_path / f"m/{name}.txt").write_bytes(b"\xef\xbb\xbf" + content.encode() + b"\r\n\r\n")
    assert told(opened(tmp_path / "m")) == [(ID, ("5",), None)]


def test_boxes_are_inclusive_from_0(tmp_path):
    (truth,) = opened(folder(tmp_path, localization=[f"{ID},0,0,0,0", f"{ID},3,4,9,8"])).truths
    assert [one.xyxy for one in truth.objects] == [(0, 0, 1, 1), (3, 4, 10, 9)]
    assert {one.label for one in truth.objects} == {"5"}


def test_what_is_odd_and_read_all_the_same(tmp_path):
    other = "val/x/2.jpg"
    found = opened(
        folder(
            tmp_path,
            image_ids=[ID, other],
            class_labels=[f"{ID},5", f"{other},6", "z.jpg,1"],
            image_sizes=[f"{ID},10,10", "z.jpg,9,9"],
            localization=[f"{ID},3,3,10,10", "z.jpg,1,1,2,2"],
        )
    )
    assert told(found) == [(ID, ("5",), [(3, 3, 10, 10)]), (other, ("6",), [])]
    assert found.notes.counts == {UNKNOWN: 3, NO_SIZE: 1, CLIPPED: 1}
    assert found.notes.places[UNKNOWN][0] == f"{tmp_path}/m/class_labels.txt, row 3"


BROKEN = {
    "image_ids": ([ID, "", ID], r"image_ids\.txt, row 3: val/x/1\.jpg was there before, in .*row 1"),
    "class_labels": ([f"{ID}"], r"class_labels\.txt, row 1: 1 cells where 2 are wanted; a row is id,class"),
    "class_labels ": ([f"{ID},five"], r"class_labels\.txt, row 1: the class is 'five'; a number is wanted"),
    "class_labels  ": ([f"{ID},5", f"{ID},6"], r"row 2: val/x/1\.jpg has the class 5 already"),
    "class_labels   ": (["y.jpg,5"], r"image_ids\.txt, row 1: val/x/1\.jpg has no row in class_labels\.txt"),
    "class_labels    ": ([",5"], r"class_labels\.txt, row 1: the id is empty"),
    "image_sizes": ([f"{ID},10"], r"image_sizes\.txt, row 1: 2 cells where 3 are wanted; a row is id,width,height"),
    "image_sizes ": ([f"{ID},10,0"], r"image_sizes\.txt, row 1: a size of 10 x 0"),
    "image_sizes  ": ([f"{ID},10,x"], r"image_sizes\.txt, row 1: a side is 'x'"),
    "localization": ([f"{ID},1,2,3"], r"localization\.txt, row 1: 4 cells where 5 are wanted; a row is id,x0,y0,x1,y1"),
    "localization ": ([f"{ID},1,2,3,4", f"{ID},1,2,3,4,5"], r"localization\.txt, row 2: 6 cells where 5"),
    "localization  ": ([f"{ID},1,2,3,4.5"], r"localization\.txt, row 1: a corner is '4\.5'; a whole number"),
    "localization   ": (
        [f"{ID},m.png,", f"{ID},1,2,3,4"],
        r"row 2: 5 cells where 3 are wanted; a row is id,mask",
    ),
    "localization    ": ([f"{ID},,i.png"], r"localization\.txt, row 1: no mask"),
    "localization     ": (
        [f"{ID},m.png,i.png", f"{ID},n.png,j.png"],
        r"row 2: .* has i\.png to be ignored; it may",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_rows(tmp_path, name):
    rows, says = BROKEN[name]
    with pytest.raises(DatasetUnreadable, match=says):
        opened(folder(tmp_path, **{name.strip(): rows}))


def masked(tmp_path, *rows: str):
    """A split with masks below `root`, m0.png, m1.png and i.png of 6 x 4 pixels: left, top, all."""
    for name, part in {"m0": np.s_[:, :2], "m1": np.s_[:1], "i": np.s_[:]}.items():
        values = np.zeros((4, 6), np.uint8)
        values[part] = 255
        picture(tmp_path / f"root/val/x/{name}.png", values)
    pictures(tmp_path / "root", (ID,))
    return open_dataset(Request(str(folder(tmp_path, localization=list(rows))), images=str(tmp_path / "root")))


def test_masks_are_joined_and_what_is_ignored_is_no_more_than_the_rest(tmp_path):
    found = masked(tmp_path, f"{ID},val/x/m0.png,val/x/i.png", f"{ID},val/x/m1.png,")
    (truth,) = found.truths
    assert (truth.labels, truth.objects, truth.size) == (("5",), None, None)
    assert [(one.source.rpartition("/")[2], one.ignored) for one in truth.regions] == [
        ("m0.png", False), ("i.png", True), ("m1.png", False),
    ]  # fmt: skip
    wanted = np.full((4, 6), 255)
    wanted[:, :2] = wanted[:1] = 1
    np.testing.assert_array_equal(read_mask(truth, "5"), wanted)


def test_masks_that_are_missing(tmp_path):
    """Half a truth is none: an image that lacks one of its pictures counts as one without masks."""
    found = masked(tmp_path, f"{ID},val/x/m0.png,", f"{ID},val/x/gone.png,")
    assert found.truths[0].regions == ()
    assert found.notes.counts[NO_MASK] == 1
    assert found.notes.places[NO_MASK] == [f"{tmp_path}/m/localization.txt, row 2: {tmp_path}/root/val/x/gone.png"]
    with pytest.raises(InputMissing, match=r"row 1: no mask picture is below .*root; name their root with --images"):
        masked(tmp_path, f"{ID},val/gone.png,val/gone_too.png")


def test_the_layout_of_its_readme(tmp_path):
    """Images below dataset/NAME, beside metadata."""
    pictures(tmp_path / "dataset/ILSVRC", ("val2/0/0.jpeg",))
    text(tmp_path / "metadata/ILSVRC/val/image_ids.txt", "val2/0/0.jpeg")
    text(tmp_path / "metadata/ILSVRC/val/class_labels.txt", "val2/0/0.jpeg,0")
    (truth,) = opened(tmp_path / "metadata/ILSVRC", images=True).truths
    assert (truth.item.id, truth.labels) == ("val2/0/0.jpeg", ("0",))
    assert truth.item.path == str(tmp_path / "dataset/ILSVRC/val2/0/0.jpeg")
