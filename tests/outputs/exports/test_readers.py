"""Round trips: what others read out of each format is where the boxes were, within that format's own precision.

Others are pycocotools (COCO), torchvision (VOC), PyYAML and the rules of Ultralytics' loader transcribed (YOLO), the
csv module; supervision reads all three datasets in tests/parity."""

import csv
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchvision.datasets import VOCDetection

from cam_cli.outputs.rle import rle

from .records import box, export, record

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools, NumPy 2


@st.composite
def pictures(draw):
    """A size, and boxes anywhere inside it, of any side from a hundredth of a pixel."""
    size = draw(st.integers(1, 6000)), draw(st.integers(1, 6000))

    def span(side: int) -> tuple[float, float]:
        ends = sorted(draw(st.lists(st.floats(0, side), min_size=2, max_size=2)))
        return (ends[0], ends[1]) if ends[1] - ends[0] >= 0.01 else (0.0, float(side))

    boxes = []
    for _ in range(draw(st.integers(1, 8))):
        (x0, x1), (y0, y1) = span(size[0]), span(size[1])
        boxes.append((x0, y0, x1, y1))
    return size, boxes


def read_csv(top: Path, size: tuple[int, int]) -> list[list[float]]:
    with (top / "boxes.csv").open(newline="") as file:
        return [[float(row[key]) for key in ("x0", "y0", "x1", "y1")] for row in csv.DictReader(file)]


def read_coco(top: Path, size: tuple[int, int]) -> list[list[float]]:
    coco = COCO(top / "coco.json")
    assert [(one["width"], one["height"]) for one in coco.loadImgs(coco.getImgIds())] == [size]
    both = [
        [[x, y, x + w, y + h] for x, y, w, h in (one["bbox"] for one in made.loadAnns(made.getAnnIds()))]
        for made in (coco, coco.loadRes(str(top / "coco_results.json")))
    ]
    assert both[0] == both[1]
    return both[0]


def read_voc(top: Path, size: tuple[int, int]) -> list[list[float]]:
    root = ElementTree.parse(top / "voc/Annotations/a.xml").getroot()
    objects = VOCDetection.parse_voc_xml(root)["annotation"]["object"]
    found = []
    for one in objects:
        x0, y0, x1, y1 = (int(one["bndbox"][key]) for key in ("xmin", "ymin", "xmax", "ymax"))
        assert 1 <= x0 <= x1 <= size[0]
        assert 1 <= y0 <= y1 <= size[1]
        found.append([x0 - 1, y0 - 1, x1, y1])
    return found


def read_yolo(top: Path, size: tuple[int, int]) -> list[list[float]]:
    """As Ultralytics' loader: the label beside the image, the last /images/ of its path being /labels/, five columns
    each, within [0, 1]."""
    data = yaml.safe_load((top / "yolo/data.yaml").read_text())
    root = Path(data["path"])
    (line,) = (root / data["train"]).read_text().strip().splitlines()
    image = line.replace("./", f"{root}/") if line.startswith("./") else line
    label = "/labels/".join(image.rsplit("/images/", 1)).rsplit(".", 1)[0] + ".txt"
    rows = np.array([row.split() for row in Path(label).read_text().strip().splitlines()], dtype=np.float64)
    assert rows.shape[1] == 5
    assert (rows[:, 1:] >= 0).all()
    assert (rows[:, 1:] <= 1).all()
    assert set(rows[:, 0].astype(int)) <= set(data["names"])
    _, x, y, w, h = rows.T
    return (np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 1) * [*size, *size]).tolist()


def read_labelstudio(top: Path, size: tuple[int, int]) -> list[list[float]]:
    (task,) = json.loads((top / "labelstudio.json").read_text())
    found = []
    for one in task["predictions"][0]["result"]:
        across, down = one["original_width"] / 100, one["original_height"] / 100
        x, y, w, h = (one["value"][key] for key in ("x", "y", "width", "height"))
        found.append([x * across, y * down, (x + w) * across, (y + h) * down])
    return found


BOUNDS = {  # pixels an edge may be off, for a side of so many pixels: the format's last digit
    "csv": (read_csv, lambda side: 0),
    "coco": (read_coco, lambda side: 0.51e-6),
    "yolo": (read_yolo, lambda side: 0.76e-6 * side),
    "labelstudio": (read_labelstudio, lambda side: 1.01e-8 * side),
}


@pytest.mark.parametrize("name", BOUNDS)
@settings(max_examples=40)
@given(picture=pictures())
def test_round_trip(name, picture):
    size, boxes = picture
    read, bound = BOUNDS[name]
    with TemporaryDirectory() as folder:
        export(Path(folder), [record("a.jpg", {0: [box(*xyxy) for xyxy in boxes]}, size)], name)
        found = np.array(read(Path(folder), size))
    off = np.abs(found - np.array(boxes))
    assert off[:, 0::2].max() <= bound(size[0])
    assert off[:, 1::2].max() <= bound(size[1])


@settings(max_examples=40)
@given(picture=pictures())
def test_voc_holds_the_box_and_less_than_a_pixel_more(picture):
    size, boxes = picture
    with TemporaryDirectory() as folder:
        export(Path(folder), [record("a.jpg", {0: [box(*xyxy) for xyxy in boxes]}, size)], "voc")
        found = np.array(read_voc(Path(folder), size))
    outwards = (np.array(boxes) - found) * [1, 1, -1, -1]
    assert outwards.min() >= 0
    assert outwards.max() < 1


def test_coco_judges_results_with_masks_by_the_same_file_as_perfect(tmp_path):
    mask = np.zeros((48, 64), bool)
    mask[10:30, 5:25] = True
    mask[30:35, 5:9] = True
    one = record(
        "a.jpg",
        {0: [box(5, 10, 25, 35, area=420, mask=rle(mask))], 1: [box(30, 0, 64, 48, area=2652, mask=rle(~mask))]},
    )
    export(tmp_path / "out", [one], "coco", masks=True)
    truth = COCO(tmp_path / "out/coco.json")
    assert (truth.annToMask(truth.anns[1]).astype(bool) == mask).all()
    assert truth.anns[1]["area"] == mask.sum() == 420
    results = truth.loadRes(str(tmp_path / "out/coco_results.json"))
    for kind in ("bbox", "segm"):
        judged = COCOeval(truth, results, kind)
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
        assert judged.stats[0] == pytest.approx(1), kind


def test_torchvision_opens_the_voc_folder(tmp_path):
    (tmp_path / "photos/sub").mkdir(parents=True)
    for name in ("a.jpg", "sub/b.jpg"):
        cv2.imwrite(str(tmp_path / "photos" / name), np.full((48, 64, 3), 99, np.uint8))
    records = [
        record(name, {0: [box(3, 4, 30, 40)], 3: [box(0, 0, 9, 9)] * 2}, image=str(tmp_path / "photos" / name))
        for name in ("a.jpg", "sub/b.jpg")
    ]
    export(tmp_path / "out", records, "voc", images="link")
    (tmp_path / "VOCdevkit").mkdir()
    (tmp_path / "VOCdevkit/VOC2012").symlink_to(tmp_path / "out/voc")
    found = VOCDetection(str(tmp_path), year="2012", image_set="train")
    assert len(found) == 2
    for picture, tree in found:
        assert picture.size == (64, 48)
        assert [one["name"] for one in tree["annotation"]["object"]] == ["tabby", "crane (3)", "crane (3)"]
        assert tree["annotation"]["object"][0]["bndbox"] == {"xmin": "4", "ymin": "5", "xmax": "30", "ymax": "40"}
