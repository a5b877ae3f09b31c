"""ILSVRC in the layouts that people have it in."""

import pytest

from cam_cli.datasets.dataset import Request
from cam_cli.datasets.imagenet import OTHER_CLASS
from cam_cli.datasets.opening import detect, open_dataset
from cam_cli.datasets.voc import NO_XML
from cam_cli.errors import DatasetUnreadable, InputMissing

from .samples import drawn, make_imagenet, opened, pictures, text, told, xml

TENCH, DOG = "n01440764", "n02085620"
VAL = "ILSVRC2012_val_00000001"


@pytest.mark.parametrize(
    ("images", "boxes", "path"),
    [
        ("Data/CLS-LOC/val", "Annotations/CLS-LOC/val", "."),
        ("Data/CLS-LOC/val", "Annotations/CLS-LOC/val", "Data/CLS-LOC/val"),
        ("ILSVRC2012_img_val", "ILSVRC2012_bbox_val_v3/val", "."),
        ("ILSVRC2012_img_val", "ILSVRC2012_bbox_val_v3/val", "ILSVRC2012_img_val"),
        ("ILSVRC2012_img_val", "val", "."),
        ("images", "Annotations", "."),
        ("val", "ILSVRC2012_bbox_val_v3", "val"),
        (".", "Annotations/val", "."),
        (".", ".", "."),
        ("any/folder", "any/Annotations", "any/folder"),
    ],
)
def test_layouts(tmp_path, images, boxes, path):
    pictures(tmp_path / images, (f"{VAL}.JPEG",))
    xml(tmp_path / boxes / f"{VAL}.xml", drawn(TENCH, 0, 1, 2, 3), source="ILSVRC_2012")
    found = opened(tmp_path / path, images=True)
    assert (found.format, told(found)) == ("imagenet", [(f"{VAL}.JPEG", (TENCH,), [(0, 1, 3, 4)])])
    assert found.truths[0].size == (40, 30)
    assert found.spellings == {TENCH: (f"wnid:{TENCH}", f"name:{TENCH}")}


def test_class_folders_with_flat_boxes(tmp_path):
    """As torchvision sorts the validation images. The folder says the class, also where XML lacks or disagrees."""
    pictures(tmp_path / "val", (f"{TENCH}/{VAL}.JPEG", f"{TENCH}/x.JPEG", f"{DOG}-Chihuahua/y.JPEG"))
    boxes = tmp_path / "ILSVRC2012_bbox_val_v3/val"
    xml(boxes / f"{VAL}.xml", drawn(TENCH, 1, 1, 2, 2), source="ILSVRC_2012")
    xml(boxes / "y.xml", drawn(TENCH, 1, 1, 2, 2), source="ILSVRC_2012")
    found = opened(tmp_path / "val")
    assert told(found) == [
        (f"{TENCH}/{VAL}.JPEG", (TENCH,), [(1, 1, 3, 3)]),
        (f"{TENCH}/x.JPEG", (TENCH,), None),
        (f"{DOG}-Chihuahua/y.JPEG", (DOG,), [(1, 1, 3, 3)]),
    ]
    assert found.truths[2].objects[0].label == TENCH
    assert found.notes.counts == {NO_XML: 1, OTHER_CLASS: 1}


def test_training_images_with_boxes_by_class(tmp_path):
    pictures(tmp_path / "Data/CLS-LOC/train", (f"{TENCH}/{TENCH}_96.JPEG",))
    pictures(tmp_path / "Data/CLS-LOC/val", (f"{VAL}.JPEG",))
    xml(tmp_path / f"Annotations/CLS-LOC/train/{TENCH}/{TENCH}_96.xml", drawn(TENCH, 5, 5, 9, 9), source="ILSVRC_2012")
    wanted = [(f"{TENCH}/{TENCH}_96.JPEG", (TENCH,), [(5, 5, 10, 10)])]
    assert told(opened(tmp_path, "imagenet", split="train")) == wanted
    assert told(opened(tmp_path / "Data/CLS-LOC/train")) == wanted


def test_training_images_in_one_folder(tmp_path):
    pictures(tmp_path / "photos", (f"{TENCH}_96.JPEG",))
    xml(tmp_path / f"Annotations/{TENCH}/{TENCH}_96.xml", drawn(TENCH, 5, 5, 9, 9), source="ILSVRC_2012")
    assert told(opened(tmp_path / "photos")) == [(f"{TENCH}_96.JPEG", (TENCH,), [(5, 5, 10, 10)])]


def test_a_size_that_an_image_does_not_have_is_cut_to(tmp_path):
    sample = make_imagenet(tmp_path)
    xml(
        sample.path / f"Annotations/CLS-LOC/val/{VAL}.xml", drawn(TENCH, 0, 0, 40, 30), source="ILSVRC_2012"
    )  # a pixel too many
    found = opened(sample.path)
    assert found.truths[0].objects[0].xyxy == (0, 0, 40, 30)
    assert sum(found.notes.counts.values()) - found.notes.counts["image without truth"] == 2  # and one without XML


def test_images_elsewhere(tmp_path):
    pictures(tmp_path / "disk/photos", (f"{VAL}.JPEG",))
    xml(tmp_path / f"devkit/Annotations/val/{VAL}.xml", drawn(TENCH, 0, 1, 2, 3), source="ILSVRC_2012")
    with pytest.raises(InputMissing, match="not both images"):
        opened(tmp_path / "devkit", "imagenet")
    found = open_dataset(Request(str(tmp_path / "devkit"), images=str(tmp_path / "disk/photos")), "imagenet")
    assert told(found) == [(f"{VAL}.JPEG", (TENCH,), [(0, 1, 3, 4)])]


def test_a_torn_file_does_not_make_it_another_format(tmp_path):
    sample = make_imagenet(tmp_path)
    text(sample.path / f"Annotations/CLS-LOC/val/{VAL}.xml", "<annotation>")
    with pytest.raises(DatasetUnreadable, match=rf"{VAL}\.xml: not XML, or torn"):
        opened(sample.path)


def test_somebody_insists(tmp_path):
    """On pixels from 0 for boxes of their own classes."""
    pictures(tmp_path / "images", ("a.jpg",))
    xml(tmp_path / "Annotations/a.xml", drawn("dog", 0, 0, 39, 29))
    assert opened(tmp_path).format == "voc"
    assert told(opened(tmp_path, "imagenet")) == [("a.jpg", ("dog",), [(0, 0, 40, 30)])]


def test_photographs_in_a_folder_beside_somebodys_boxes_are_not_ilsvrc(tmp_path):
    pictures(tmp_path / "holiday/2024", ("a.jpg",))
    xml(tmp_path / f"Annotations/val/{VAL}.xml", drawn(TENCH, 0, 1, 2, 3), source="ILSVRC_2012")
    text(tmp_path / "holiday/2024/notes.txt", "sea")
    assert detect(str(tmp_path / "holiday")) == "folder"
