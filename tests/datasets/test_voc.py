"""PASCAL VOC, as it is and as tools write it."""

import pytest

from cam_cli.datasets.annotation import NO_BOX, NO_SIZE, SIZE_0
from cam_cli.datasets.corners import CLIPPED, OUTSIDE, REVERSED
from cam_cli.datasets.dataset import Request
from cam_cli.datasets.opening import open_dataset
from cam_cli.datasets.voc import NO_XML, OTHER_NAME
from cam_cli.errors import DatasetUnreadable, UsageError
from tests.outputs.exports.records import box, export, record

from .samples import SIZE, drawn, make_voc, opened, picture, pictures, text, told, xml


def one(tmp_path, *objects: str, **more):
    """The truth of one image with these objects, and the notes."""
    pictures(tmp_path / "JPEGImages", ("a.jpg",))
    xml(tmp_path / "Annotations/a.xml", *objects, **more)
    found = opened(tmp_path)
    return found.truths[0], found.notes


def test_without_a_split_every_xml_and_then_the_images_that_have_none(tmp_path):
    sample = make_voc(tmp_path)
    found = opened(sample.path)
    assert [id for id, _, _ in told(found)] == ["a.jpg", "b.jpg", "c.jpg"]
    assert found.truths[0].size == SIZE
    assert dict(found.notes.counts) == {NO_XML: 1, "image without truth": 1}
    assert found.notes.places[NO_XML] == ["c.jpg"]
    assert found.spellings["dog"] == ("name:dog",)
    assert found.several


def test_pixels_from_1_both_inside(tmp_path):
    truth, notes = one(tmp_path, drawn("dog", 1, 1, 40, 30), drawn("dog", 7, 8, 7, 8), drawn("dog", 2.5, 3, 9.25, 10))
    assert [thing.xyxy for thing in truth.objects] == [(0, 0, 40, 30), (6, 7, 7, 8), (1.5, 2, 9.25, 10)]
    assert truth.labels == ("dog",)
    assert not notes.counts


def test_a_label_of_difficult_objects_only_is_uncertain(tmp_path):
    """VOC2012 devkit, 3.1: an image with difficult objects of a class only does not count for that class."""
    truth, _ = one(
        tmp_path,
        drawn("cat", 1, 1, 5, 5, difficult=1),
        drawn("dog", 2, 2, 6, 6, difficult=1),
        drawn("dog", 3, 3, 7, 7),
    )
    assert (truth.labels, truth.uncertain) == (("dog",), ("cat",))
    assert [(thing.label, thing.difficult) for thing in truth.objects] == [("cat", True), ("dog", True), ("dog", False)]


@pytest.mark.parametrize(
    ("size", "kind"), [(None, NO_SIZE), ((0, 0), SIZE_0), ((40, 0), SIZE_0), ((-1, 30), SIZE_0), (("", ""), NO_SIZE)]
)
def test_a_size_that_is_none(tmp_path, size, kind):
    truth, notes = one(tmp_path, drawn("dog", 1, 1, 900, 700), size=size)
    assert truth.size is None
    assert truth.objects[0].xyxy == (0, 0, 900, 700)
    assert dict(notes.counts) == {kind: 1}
    assert notes.places[kind] == [str(tmp_path / "Annotations/a.xml")]


def test_odd_boxes_are_put_right_or_left_out_and_said(tmp_path):
    truth, notes = one(
        tmp_path,
        drawn("dog", 9, 9, 5, 5),
        drawn("dog", 0, 0, 99, 99),
        drawn("dog", 50, 50, 60, 60),
        drawn("dog", 5.5, 5, 4.5, 9),
        "<object><name>cat</name></object>",
    )
    assert [thing.xyxy for thing in truth.objects] == [(4, 4, 9, 9), (0, 0, 40, 30), (3.5, 4, 5.5, 9)]
    assert truth.labels == ("dog", "cat")
    assert notes.counts == {REVERSED: 2, CLIPPED: 1, OUTSIDE: 1, NO_BOX: 1}
    assert notes.places[OUTSIDE] == [f"{tmp_path}/Annotations/a.xml, object 3"]


def test_foreign_names_and_paths_do_not_matter(tmp_path):
    """Each XML belongs to the picture that is called like it, whatever file of whatever machine stands in it."""
    pictures(tmp_path / "JPEGImages", ("fruit_1.jpg", "1.jpg"))
    xml(tmp_path / "Annotations/fruit_1.xml", drawn("apple", 1, 1, 2, 2), filename="1.jpg")
    xml(tmp_path / "Annotations/1.xml", drawn("pear", 1, 1, 2, 2), filename=r"C:\train\gone.jpg")
    assert {id: labels for id, labels, _ in told(opened(tmp_path))} == {"fruit_1.jpg": ("apple",), "1.jpg": ("pear",)}


def test_a_picture_called_otherwise_is_found_by_the_file_name(tmp_path):
    pictures(tmp_path / "JPEGImages", ("sub/IMG 1.png", "b.jpg"))
    xml(tmp_path / "Annotations/0001.xml", filename=r"D:\photos\IMG 1.png")
    xml(tmp_path / "Annotations/b.xml")
    xml(tmp_path / "Annotations/c.xml", filename="b.jpg")  # that has an XML of its own
    found = opened(tmp_path)
    assert [id for id, _, _ in told(found)] == ["sub/IMG 1.png", "b.jpg", "c.jpg"]
    assert found.notes.places[OTHER_NAME] == [str(tmp_path / "Annotations/0001.xml")]


def test_a_file_name_that_two_pictures_have_finds_neither(tmp_path):
    pictures(tmp_path / "JPEGImages", ("x/1.jpg", "y/1.jpg"))
    xml(tmp_path / "Annotations/a.xml", drawn("dog", 1, 1, 2, 2), filename="1.jpg")
    assert {id: labels for id, labels, _ in told(opened(tmp_path))} == {
        "a.jpg": ("dog",), "x/1.jpg": (), "y/1.jpg": (),
    }  # fmt: skip


def test_two_xml_files_of_one_picture(tmp_path):
    pictures(tmp_path / "JPEGImages", ("x.jpg",))
    for name in ("a", "b"):
        xml(tmp_path / f"Annotations/{name}.xml", filename="x.jpg")
    with pytest.raises(DatasetUnreadable, match=r"b\.xml: x\.jpg was there before, in .*a\.xml"):
        opened(tmp_path)


def test_of_two_pictures_called_alike_the_xml_means_the_one_it_names(tmp_path):
    pictures(tmp_path / "JPEGImages", ("a.jpg", "a.png"))
    xml(tmp_path / "Annotations/a.xml", drawn("dog", 1, 1, 2, 2), filename="/x/y/a.png")
    found = opened(tmp_path)
    assert [(id, labels) for id, labels, _ in told(found)] == [("a.png", ("dog",)), ("a.jpg", ())]
    assert [one.item.stem for one in found.truths] == ["a.png", "a.jpg"]


def test_a_torn_file_does_not_make_it_another_format(tmp_path):
    sample = make_voc(tmp_path)
    text(sample.path / "Annotations/a.xml", "<annotation>")
    with pytest.raises(DatasetUnreadable, match=r"a\.xml: not XML, or torn"):
        opened(sample.path)


def test_an_image_that_is_missing_is_listed_all_the_same(tmp_path):
    sample = make_voc(tmp_path)
    (sample.path / "JPEGImages/a.jpg").unlink()
    assert ("a.jpg", ("dog", "cat")) in [(id, labels) for id, labels, _ in told(opened(sample.path, images=True))]


def test_lists_of_one_class_are_no_splits(tmp_path):
    sample = make_voc(tmp_path)
    with pytest.raises(UsageError, match=r"which images show one class .* \(splits there: train, val\)"):
        opened(sample.path, split="dog_train")
    with pytest.raises(UsageError, match=r"no .*ImageSets/Main/tset\.txt \(splits there: train, val\)"):
        opened(sample.path, split="tset")
    assert [id for id, _, _ in told(opened(sample.path, split="val"))] == ["a.jpg"]


def test_no_splits_at_all(tmp_path):
    pictures(tmp_path / "JPEGImages", ("a.jpg",))
    xml(tmp_path / "Annotations/a.xml")
    with pytest.raises(UsageError, match=r"there is no split in .*Main; drop --split"):
        opened(tmp_path, split="train")


def test_names_in_a_split(tmp_path):
    """With a suffix, with spaces and digits in them, of no file, twice."""
    sample = make_voc(tmp_path)
    pictures(sample.path / "JPEGImages", ("photo 1.jpg", "img.v2.jpg"))
    xml(sample.path / "Annotations/img.v2.xml", drawn("owl", 1, 1, 2, 2))
    text(sample.path / "ImageSets/Main/odd.txt", "photo 1", "a.jpg", "", "img.v2", "gone")
    found = opened(sample.path, split="odd")
    assert [(id, labels) for id, labels, _ in told(found)] == [
        ("photo 1.jpg", ()), ("a.jpg", ("dog", "cat")), ("img.v2.jpg", ("owl",)), ("gone.jpg", ()),
    ]  # fmt: skip
    text(sample.path / "ImageSets/Main/numbered.txt", "photo 1")  # no list of a class `photo`
    assert [id for id, _, _ in told(opened(sample.path, split="numbered"))] == ["photo 1.jpg"]
    text(sample.path / "ImageSets/Main/twice.txt", "a", "b", "", "a.jpg")
    with pytest.raises(DatasetUnreadable, match=r"twice\.txt, row 4: a was there before, in .*twice\.txt, row 1"):
        opened(sample.path, split="twice")


@pytest.mark.parametrize(
    ("boxes", "images"), [("annotations", "images"), ("Annotations", "Images"), ("Annotations", "."), (".", "images")]
)
def test_folders_as_tools_call_them(tmp_path, boxes, images):
    pictures(tmp_path / images, ("a.jpg",))
    xml(tmp_path / boxes / "a.xml", drawn("dog", 1, 1, 2, 2))
    found = opened(tmp_path, images=True)
    assert (found.format, told(found)) == ("voc", [("a.jpg", ("dog",), [(0, 0, 2, 2)])])


def test_a_folder_of_xml_files_beside_the_images_or_apart(tmp_path):
    pictures(tmp_path / "both", ("a.jpg", "b.jpg"))
    xml(tmp_path / "both/a.xml", drawn("dog", 1, 1, 2, 2))
    pictures(tmp_path / "photos", ("a.png",))
    xml(tmp_path / "boxes/a.xml", drawn("dog", 1, 1, 2, 2))
    assert told(opened(tmp_path / "both")) == [("a.jpg", ("dog",), [(0, 0, 2, 2)]), ("b.jpg", (), None)]
    apart = open_dataset(Request(str(tmp_path / "boxes"), images=str(tmp_path / "photos")))
    assert (apart.format, told(apart)) == ("voc", [("a.png", ("dog",), [(0, 0, 2, 2)])])


def test_what_the_exporter_writes_is_read_back(tmp_path):
    for name in ("a.jpg", "sub/b.jpg"):
        picture(tmp_path / "photos" / name, size=(64, 48))
    records = [
        record(name, {0: [box(3, 4, 30, 40)], 3: [box(0, 0, 64, 48)]}, image=str(tmp_path / "photos" / name))
        for name in ("a.jpg", "sub/b.jpg")
    ]
    export(tmp_path / "out", records, "voc", images="link")
    found = opened(tmp_path / "out/voc", split="train", images=True)
    boxes = [(3, 4, 30, 40), (0, 0, 64, 48)]
    assert told(found) == [(id, ("tabby", "crane (3)"), boxes) for id in ("a.jpg", "sub/b.jpg")]
    assert found.truths[1].size == (64, 48)
    assert not found.notes.counts
