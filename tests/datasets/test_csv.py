"""Tables: one class, several in a cell, a column each."""

import numpy as np
import pytest

from cam_cli.datasets.annotation import SIZE_0
from cam_cli.datasets.corners import CLIPPED, EMPTY
from cam_cli.datasets.dataset import Request
from cam_cli.datasets.masks import read_mask
from cam_cli.datasets.opening import open_dataset
from cam_cli.datasets.pictures import NO_MASK
from cam_cli.errors import DatasetUnreadable, InputEmpty, UsageError

from .samples import make_csv, opened, picture, text, told


def table(tmp_path, *rows: str, **asked):
    return opened(text(tmp_path / "t.csv", *rows), **asked)


def test_columns_for_groups(tmp_path):
    found = opened(make_csv(tmp_path).path, columns=("camera", "class"))
    assert [dict(one.columns) for one in found.truths] == [
        {"camera": "x", "class": "dog"}, {"camera": "y", "class": "n02123045"}, {"camera": "", "class": ""},
    ]  # fmt: skip
    with pytest.raises(UsageError, match=r"no column 'kamera'; did you mean camera\? \(columns: path, class, width"):
        opened(tmp_path / "manifest.csv", columns=("kamera",))


def test_a_class_is_a_name_a_wnid_or_an_index(tmp_path):
    found = table(tmp_path, "path,label", "a.jpg,207", "b.jpg,n02123045", "c.jpg,red fox", "d.jpg,index:3")
    assert [one.labels for one in found.truths] == [("207",), ("n02123045",), ("red fox",), ("index:3",)]
    assert found.spellings["207"] == ("name:207", "207")
    assert not found.several


def test_an_id_may_have_a_column(tmp_path):
    found = table(tmp_path, "id,path,class", "one,x/a.jpg,dog", ",x/b.jpg,dog", "a/../c,x/c.jpg,dog")
    assert [one.item.id for one in found.truths] == ["one", "x/b.jpg", "a/_up/c"]
    assert found.truths[0].item.path == str(tmp_path / "x/a.jpg")
    assert [one.item.id for one in table(tmp_path, "id,class", "x/a.jpg,dog").truths] == ["x/a.jpg"]


def test_paths_are_below_the_table_or_the_images(tmp_path):
    file = text(tmp_path / "lists/t.csv", "Path,Class", f"{tmp_path}/pics/a.jpg,dog", "../pics/b.jpg,dog")
    first, second = opened(file).truths
    assert (first.item.path, second.item.path) == (f"{tmp_path}/pics/a.jpg", f"{tmp_path}/lists/../pics/b.jpg")
    assert second.item.id == "_up/pics/b.jpg"
    picture(tmp_path / "pics/a.jpg")
    truths = open_dataset(Request(str(file), images=str(tmp_path / "pics"))).truths
    assert truths[0].item.id == "a.jpg"


def test_several_labels_in_a_cell(tmp_path):
    rows = "path,labels,boxes", "a.jpg,dog;cat; dog,dog 1 2 3 4;cat 5 6 7 8", "b.jpg,,", "c.jpg,tabby cat,1 2 3 4"
    found = table(tmp_path, *rows)
    assert told(found) == [
        ("a.jpg", ("dog", "cat"), [(1, 2, 3, 4), (5, 6, 7, 8)]), ("b.jpg", (), []),
        ("c.jpg", ("tabby cat",), [(1, 2, 3, 4)]),
    ]  # fmt: skip
    assert [thing.label for thing in found.truths[0].objects] == ["dog", "cat"]
    assert found.several
    found = table(tmp_path, "path,labels", "a.jpg,dog|cat; tabby", separator="|")
    assert found.truths[0].labels == ("dog", "cat; tabby")
    with pytest.raises(UsageError, match="--separator is empty"):
        table(tmp_path, *rows, separator="")


CHEXPERT = (
    "Path,Sex,Age,Edema,Lung Opacity,Support Devices,Nothing",
    "a.jpg,Male,68,1.0,0.0,,",
    "b.jpg,Male,1,-1.0,1.0,1,",
    "c.jpg,Female,41,,-1.0,-1,",
)


@pytest.mark.parametrize(
    ("uncertain", "labels", "doubtful"),
    [
        (
            "ignore",
            [("Edema",), ("Lung Opacity", "Support Devices"), ()],
            [(), ("Edema",), ("Lung Opacity", "Support Devices")],
        ),
        (
            "positive",
            [("Edema",), ("Edema", "Lung Opacity", "Support Devices"), ("Lung Opacity", "Support Devices")],
            [(), (), ()],
        ),
        ("negative", [("Edema",), ("Lung Opacity", "Support Devices"), ()], [(), (), ()]),
    ],
)
def test_a_column_a_class(tmp_path, uncertain, labels, doubtful):
    found = table(tmp_path, *CHEXPERT, uncertain=uncertain, columns=("Sex",))
    assert [one.labels for one in found.truths] == labels
    assert [one.uncertain for one in found.truths] == doubtful
    assert [one.columns["Sex"] for one in found.truths] == ["Male", "Male", "Female"]
    assert found.classes == ("Edema", "Lung Opacity", "Support Devices")


def test_of_several_classes_none_is_an_answer_of_one_it_is_not(tmp_path):
    found = table(tmp_path, "path,dog", "a.jpg,-1", "b.jpg,0", "c.jpg,1")
    assert told(found) == [("a.jpg", (), None), ("b.jpg", (), []), ("c.jpg", ("dog",), None)]
    assert not found.notes.counts
    found = table(tmp_path, "path,class", "a.jpg,", "b.jpg,dog")
    assert told(found) == [("a.jpg", (), None), ("b.jpg", ("dog",), None)]
    assert found.notes.places == {"image without truth": ["a.jpg"]}


def test_a_cell_that_is_no_answer_is_told_not_taken_for_another_kind_of_column(tmp_path):
    with pytest.raises(DatasetUnreadable, match=r"t\.csv, row 4: Edema is 'yes'; a class has 1, 0, -1 or nothing"):
        table(tmp_path, "path,Edema", "a.jpg,1", "b.jpg,0", "c.jpg,yes")


def test_columns_named_for_groups_are_no_classes(tmp_path):
    rows = "path,fold,dog", "a.jpg,1,1", "b.jpg,0,0"
    assert table(tmp_path, *rows).classes == ("dog", "fold")
    assert table(tmp_path, *rows, columns=("fold",)).classes == ("dog",)


def test_sizes(tmp_path):
    found = table(tmp_path, "path,class,width,height,boxes", "a.jpg,dog,0,0,1 2 99 99", "b.jpg,dog,,,1 2 99 99")
    assert [one.size for one in found.truths] == [None, None]
    assert found.notes.places == {SIZE_0: [f"{tmp_path}/t.csv, row 2"]}
    found = table(tmp_path, "path,class,width,height,boxes", "a.jpg,dog,40,30.0,1 2 99 99;3 3 3 9;;")
    assert told(found) == [("a.jpg", ("dog",), [(1, 2, 40, 30)])]
    assert found.notes.counts == {CLIPPED: 1, EMPTY: 1}


BROKEN = {
    "a cell too many": (["path,class", "a.jpg,dog", "b.jpg,dog,cat"], r"row 3: 3 cells where the header has 2; quote"),
    "a cell too few": (["path,class,boxes", "a.jpg,dog"], r"row 2: 2 cells where the header has 3"),
    "an open quote": (["path,class", 'a.jpg,"dog'], r"row 2: unexpected end of data"),
    "text after a quote": (["path,class", "a.jpg,dog", 'a.jpg,"dog"s'], r"row 3: .*expected after"),
    "no path": (["file name,class", "a.jpg,dog"], r"no column 'path' \(or image, file, filename, id\) .*: file name"),
    "two paths": (["path,Path,class", "a.jpg,b.jpg,dog"], "two columns are called 'path'"),
    "an empty path": (["path,class", " ,dog"], "row 2: the path is empty"),
    "an image twice": (["path,class", "a.jpg,dog", "", "./a.jpg,cat"], r"row 4: a\.jpg was there before, in .*row 2"),
    "no class": (["path,boxes,where", "a.jpg,1 2 3 4,home"], r"no column tells the class; .*columns: path, boxes"),
    "a class of no name": (["path,,dog", "a.jpg,1,1"], "column 2 is a class ''; give it its own name"),
    "a class twice": (["path,dog,dog", "a.jpg,1,1"], "column 3 is a class 'dog'; give it its own name"),
    "a side of text": (["path,class,width,height", "a.jpg,dog,x,3"], "row 2: width is 'x'; a number is wanted"),
    "half a size": (["path,class,width,height", "a.jpg,dog,3,"], "row 2: height is ''; a number is wanted"),
    "half a pixel": (["path,class,width,height", "a.jpg,dog,3.5,3"], r"row 2: width is '3\.5'; a whole number"),
    "a short box": (["path,class,boxes", "a.jpg,dog,1 2 3 4;1 2 3"], r"row 2: the box '1 2 3' has 3 numbers; x0"),
    "a box of text": (["path,class,boxes", "a.jpg,dog,1 2 x 4"], "row 2: a corner of a box is 'x'"),
    "an endless box": (["path,class,boxes", "a.jpg,dog,1 2 inf 4"], "row 2: a corner of a box is 'inf'"),
    "a box of nobody": (["path,labels,boxes", "a.jpg,dog;cat,1 2 3 4"], "names no class, and the row has dog, cat"),
    "a box of no class": (["path,class,boxes", "a.jpg,,1 2 3 4"], "names no class, and the row has none"),
    "a box of another": (["path,class,boxes", "a.jpg,dog,cat 1 2 3 4"], "is of 'cat', and the row has dog"),
    "a mask of two": (["path,labels,mask", "a.jpg,dog;cat,m.png"], "a mask is of one class, and the row has dog, cat"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_broken_tables(tmp_path, what):
    rows, says = BROKEN[what]
    with pytest.raises(DatasetUnreadable, match=says) as raised:
        opened(text(tmp_path / "t.csv", *rows), "csv")
    assert raised.value.message.startswith(f"{tmp_path}/t.csv")


def test_empty_tables(tmp_path):
    for rows in ([], ["path,class"], ["path,class", "", ""]):
        with pytest.raises(InputEmpty, match=r"t\.csv: no rows"):
            opened(text(tmp_path / "t.csv", *rows), "csv")


def test_options_that_are_not_of_their_kind(tmp_path):
    with pytest.raises(UsageError, match="--uncertain takes ignore, positive, negative, not 'maybe'"):
        table(tmp_path, "path,class", "a.jpg,dog", uncertain="maybe")
    with pytest.raises(UsageError, match="--split val: a table is one split"):
        table(tmp_path, "path,class", "a.jpg,dog", split="val")


def test_masks(tmp_path):
    """Not black is inside, whatever the value: 255 is not `ignored` here."""
    values = np.zeros((3, 4), np.uint8)
    values[0] = 255
    values[1, 1] = 1
    picture(tmp_path / "masks/m.png", values)
    found = table(tmp_path, "path,class,mask", "a.jpg,dog,masks/m.png", "b.jpg,dog,", "c.jpg,dog,masks/gone.png")
    np.testing.assert_array_equal(read_mask(found.truths[0], "dog"), values != 0)
    assert [one.regions for one in found.truths[1:]] == [(), ()]
    assert found.notes.places == {NO_MASK: [f"{tmp_path}/t.csv, row 4: {tmp_path}/masks/gone.png"]}


def test_a_byte_order_mark_quotes_and_line_ends(tmp_path):
    (tmp_path / "t.csv").write_bytes(b'\xef\xbb\xbfpath,class\r\n"a, b.jpg",dog\r\n\r\nc.jpg, cat \r\n')
    assert told(opened(tmp_path / "t.csv")) == [("a, b.jpg", ("dog",), None), ("c.jpg", ("cat",), None)]
