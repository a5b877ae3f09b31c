"""supervision reads the datasets that camtool exports."""

import cv2
import numpy as np
import pytest

from tests.outputs.exports.records import LABELS, box, export, record

supervision = pytest.importorskip("supervision")

BOXES = {0: [box(3, 4, 30, 40), box(0, 0, 64, 48)], 4: [box(10, 11, 12, 13)]}
XYXY = np.array([[3, 4, 30, 40], [0, 0, 64, 48], [10, 11, 12, 13]], float)


@pytest.fixture
def out(tmp_path):
    photo = tmp_path / "photos/a.jpg"
    photo.parent.mkdir()
    cv2.imwrite(str(photo), np.full((48, 64, 3), 99, np.uint8))
    export(tmp_path / "out", [record("a.jpg", BOXES, image=str(photo))], "coco", "voc", "yolo", images="link")
    return tmp_path / "out"


def only(dataset):
    ((_, _, found),) = dataset
    return found


def test_yolo(out):
    top = out / "yolo"
    dataset = supervision.DetectionDataset.from_yolo(
        str(top / "images/train"), str(top / "labels/train"), str(top / "data.yaml")
    )
    assert dataset.classes[0] == "tabby"
    assert list(only(dataset).class_id) == [0, 0, 4]
    assert np.allclose(only(dataset).xyxy, XYXY, atol=1e-4)


def test_coco(out):
    dataset = supervision.DetectionDataset.from_coco(str(out.parent / "photos"), str(out / "coco.json"))
    assert [dataset.classes[index] for index in only(dataset).class_id] == ["tabby", "tabby", LABELS.names[4]]
    assert np.allclose(only(dataset).xyxy, XYXY)


def test_voc(out):
    dataset = supervision.DetectionDataset.from_pascal_voc(str(out / "voc/JPEGImages"), str(out / "voc/Annotations"))
    assert [dataset.classes[index] for index in only(dataset).class_id] == ["tabby", "tabby", LABELS.names[4]]
    assert np.allclose(only(dataset).xyxy, XYXY)
