"""Every format by hand: the very bytes or values, for boxes whose coordinates can be worked out on paper."""

import csv
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from cam_cli.errors import UsageError
from cam_cli.outputs.exports import EXPORTS
from cam_cli.outputs.exports.voc import inclusive

from .records import LABELS, box, export, failed, record, tree

RECORDS = [
    record("a.jpg", {0: [box(16, 12, 48, 36, score=0.75), box(0, 0, 64, 48)], 3: [box(63, 47, 64, 48, score=0.25)]}),
    failed("b.jpg"),
    record("sub/c.png", {0: []}),
    record("sub/d.png", {4: [box(0.5, 1.25, 10.5, 3.75)]}, (32, 16)),
]


def test_csv(tmp_path):
    told = export(tmp_path / "out", RECORDS, "csv")
    assert told == ["csv: 3 images, 4 boxes, 1 failed left out: boxes.csv"]
    with (tmp_path / "out/boxes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["a.jpg"] * 3 + ["sub/d.png"]
    assert rows[2] == {
        "id": "a.jpg", "image": "photos/a.jpg", "class_index": "3", "class_name": "crane", "class_wnid": "n03126707",
        "score": "0.25", "x0": "63", "y0": "47", "x1": "64", "y1": "48", "width": "64", "height": "48",
        "model": "tiny", "method": "cam", "layers": "bn2", "threshold": "0.2",
    }  # fmt: skip
    assert [rows[3][key] for key in ("x0", "y0", "x1", "y1")] == ["0.5", "1.25", "10.5", "3.75"]


def test_coco(tmp_path):
    export(tmp_path / "out", RECORDS, "coco")
    whole = json.loads((tmp_path / "out/coco.json").read_text())
    assert list(whole) == ["info", "licenses", "categories", "images", "annotations"]
    assert whole["images"] == [
        {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48},
        {"id": 2, "file_name": "sub/c.png", "width": 64, "height": 48},
        {"id": 3, "file_name": "sub/d.png", "width": 32, "height": 16},
    ]
    assert [(one["id"], one["name"]) for one in whole["categories"]] == [
        (0, "tabby"), (1, "crane (1)"), (2, LABELS.names[2]), (3, "crane (3)"), (4, "żółw 🐢")
    ]  # fmt: skip
    first, _, corner, last = whole["annotations"]
    assert first == {
        "id": 1, "image_id": 1, "category_id": 0, "bbox": [16, 12, 32, 24], "score": 0.75, "area": 768, "iscrowd": 0
    }  # fmt: skip
    assert (corner["bbox"], corner["area"], corner["category_id"]) == ([63, 47, 1, 1], 1, 3)
    assert last["bbox"] == [0.5, 1.25, 10.0, 2.5]
    results = json.loads((tmp_path / "out/coco_results.json").read_text())
    assert results[0] == {"image_id": 1, "category_id": 0, "bbox": [16, 12, 32, 24], "score": 0.75}
    assert len(results) == 4


def test_voc(tmp_path):
    export(tmp_path / "out", RECORDS, "voc")
    assert tree(tmp_path / "out") == [
        *(f"voc/Annotations/{name}.xml" for name in ("a", "sub/c", "sub/d")), "voc/ImageSets/Main/train.txt"
    ]  # fmt: skip
    assert (tmp_path / "out/voc/ImageSets/Main/train.txt").read_text() == "a\nsub/c\nsub/d\n"
    root = ElementTree.parse(tmp_path / "out/voc/Annotations/a.xml").getroot()
    assert [one.tag for one in root][:5] == ["folder", "filename", "source", "size", "segmented"]
    assert root.findtext("filename") == "a.jpg"
    assert [one.text for one in root.find("size")] == ["64", "48", "3"]
    found = [[one.findtext("name"), *(int(edge.text) for edge in one.find("bndbox"))] for one in root.iter("object")]
    assert found == [["tabby", 17, 13, 48, 36], ["tabby", 1, 1, 64, 48], ["crane (3)", 64, 48, 64, 48]]
    assert {one.findtext("difficult") for one in root.iter("object")} == {"0"}
    assert not list(ElementTree.parse(tmp_path / "out/voc/Annotations/sub/c.xml").iter("object"))


@pytest.mark.parametrize(
    ("xyxy", "expected"),
    [
        ((0, 0, 1, 1), (1, 1, 1, 1)),  # the top left pixel
        ((0.5, 0.5, 0.75, 0.75), (1, 1, 1, 1)),  # within a pixel
        ((0.5, 1.25, 8.5, 3.75), (1, 2, 9, 4)),  # outwards
        ((9.999, 9.999, 10, 10), (10, 10, 10, 10)),
        ((-2, -0.1, 12, 10.2), (1, 1, 10, 10)),  # clamped
    ],
)
def test_voc_pixels(xyxy, expected):
    assert inclusive(xyxy, 10, 10) == expected


def test_yolo(tmp_path):
    export(tmp_path / "out", RECORDS, "yolo")
    top = tmp_path / "out/yolo"
    assert tree(top) == [
        "data.yaml",
        "labels/train/a.txt",
        "labels/train/sub/c.txt",
        "labels/train/sub/d.txt",
        "train.txt",
    ]
    assert (top / "labels/train/a.txt").read_text() == (
        "0 0.500000 0.500000 0.500000 0.500000\n"
        "0 0.500000 0.500000 1.000000 1.000000\n"
        "3 0.992188 0.989583 0.015625 0.020833\n"
    )
    assert (top / "labels/train/sub/c.txt").read_bytes() == b""
    assert (top / "train.txt").read_text().splitlines() == [
        f"./images/train/{name}" for name in ("a.jpg", "sub/c.png", "sub/d.png")
    ]
    data = yaml.safe_load((top / "data.yaml").read_text())
    assert data == {
        "path": str(top), "train": "train.txt", "nc": 5,
        "names": {0: "tabby", 1: "crane (1)", 2: LABELS.names[2], 3: "crane (3)", 4: "żółw 🐢"},
    }  # fmt: skip


def test_labelstudio(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    export(tmp_path / "out", [*RECORDS, record("e.jpg", {}, image="../away/é 1.jpg")], "labelstudio")
    tasks = json.loads((tmp_path / "out/labelstudio.json").read_text())
    assert [task["data"]["image"] for task in tasks] == [
        "/data/local-files/?d=photos/a.jpg",
        "/data/local-files/?d=photos/sub/c.png",
        "/data/local-files/?d=photos/sub/d.png",
        f"/data/local-files/?d={str(tmp_path.parent).lstrip('/')}/away/%C3%A9%201.jpg",
    ]
    (prediction,) = tasks[0]["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("tiny@01234567 cam bn2", 0.75)
    assert prediction["result"][0] == {
        "id": "camtool-1-1", "type": "rectanglelabels", "from_name": "label", "to_name": "image",
        "original_width": 64, "original_height": 48, "image_rotation": 0, "score": 0.75,
        "value": {"x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0, "rectanglelabels": ["tabby"]},
    }  # fmt: skip
    assert tasks[1]["predictions"] == []
    ids = [one["id"] for task in tasks for made in task["predictions"] for one in made["result"]]
    assert len(set(ids)) == 4
    view = ElementTree.parse(tmp_path / "out/labelstudio.xml").getroot()
    assert [one.get("value") for one in view.iter("Label")] == ["tabby", "crane (3)", "żółw 🐢"]


def test_classes_only_counts_ids_from_zero(tmp_path):
    export(tmp_path / "out", RECORDS, "yolo", "coco", "csv", classes_only=("index:4,tabby",))
    top = tmp_path / "out"
    assert (top / "yolo/labels/train/a.txt").read_text().split("\n")[0].startswith("1 ")
    assert (top / "yolo/labels/train/sub/d.txt").read_text().startswith("0 ")
    assert yaml.safe_load((top / "yolo/data.yaml").read_text())["names"] == {0: "żółw 🐢", 1: "tabby"}
    whole = json.loads((top / "coco.json").read_text())
    assert whole["categories"] == [{"id": 0, "name": "żółw 🐢"}, {"id": 1, "name": "tabby"}]
    assert [one["category_id"] for one in whole["annotations"]] == [1, 1, 0]
    assert len(whole["images"]) == 3, "images stay, without the boxes of other classes"
    assert [line.split(",")[2] for line in (top / "boxes.csv").read_text().splitlines()[1:]] == ["0", "0", "4"]


def test_a_class_that_was_selected_twice_counts_once(tmp_path):
    one = record("a.jpg", {0: [box(0, 0, 8, 8)]})
    one["maps"] *= 2
    assert export(tmp_path / "out", [one], "csv") == ["csv: 1 images, 1 boxes: boxes.csv"]


def test_methods_side_by_side(tmp_path):
    one = record("a.jpg", {0: [box(0, 0, 8, 8)]})
    one["maps"].append(one["maps"][0] | {"method": "gradcam", "boxes": [box(0, 0, 4, 4)]})
    export(tmp_path / "out", [one], "csv", "labelstudio", several=True)
    (task,) = json.loads((tmp_path / "out/labelstudio.json").read_text())
    assert [made["model_version"] for made in task["predictions"]] == [
        "tiny@01234567 cam bn2", "tiny@01234567 gradcam bn2"
    ]  # fmt: skip
    assert len((tmp_path / "out/boxes.csv").read_text().splitlines()) == 3
    for name in ("coco", "voc", "yolo"):
        with pytest.raises(UsageError, match="one method and layer; csv, labelstudio hold several"):
            export(tmp_path / "new", [one], name, several=True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", EXPORTS)
def test_records_without_boxes_are_refused(name, tmp_path):
    one = record("a.jpg", {0: []})
    one["maps"][0]["boxes"] = None
    with pytest.raises(UsageError, match="use camtool localize"):
        export(tmp_path / "out", [one], name)


@pytest.mark.parametrize("name", EXPORTS)
def test_a_score_that_is_not_finite_and_a_run_of_nothing(name, tmp_path):
    export(tmp_path / "one", [record("a.jpg", {0: [box(0, 0, 8, 8, score=None)]})], name)
    export(tmp_path / "none", [], name)
    for path in tmp_path.rglob("*.json"):
        json.loads(path.read_bytes())


def test_the_page_names_every_export_and_what_it_writes(tmp_path):
    page = (Path(__file__).parents[3] / "docs/exports.md").read_text()
    export(tmp_path / "out", RECORDS, *EXPORTS)
    for name in EXPORTS:
        assert f"| `{name}` |" in page
    for file in tree(tmp_path / "out"):
        places = [file, *(str(parent) for parent in Path(file).parents if len(parent.parts) > 1)]
        assert any(f"`{place}`" in page for place in places), file
