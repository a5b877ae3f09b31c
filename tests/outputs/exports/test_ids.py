"""`--ids-from`: the truth's own ids, or an error that counts what it does not know."""

import json

import pytest

from cam_cli.errors import ClassUnknown, InputMissing, InputUnreadable
from cam_cli.outputs.exports.categories import categories
from cam_cli.outputs.exports.ids import Ids

from .records import LABELS, box, export, record


@pytest.fixture
def truth(tmp_path):
    def write(images: dict[str, int], names: dict[int, str]):
        path = tmp_path / "instances.json"
        whole = {
            "images": [{"id": id, "file_name": name} for name, id in images.items()],
            "categories": [{"id": id, "name": name} for id, name in names.items()],
            "annotations": [],
        }
        path.write_text(json.dumps(whole))
        return str(path)

    return write


def test_results_carry_the_truths_ids(truth, tmp_path):
    path = truth({"val/a.jpg": 700, "sub/b.jpg": 9}, {90: "Tabby", 5: "n02012849", 1: "unicorn"})
    records = [
        record("a.jpg", {0: [box(0, 0, 8, 8)]}),
        record("sub/b.jpg", {1: [box(0, 0, 4, 4)], 4: [box(0, 0, 1, 1)]}),
    ]
    export(tmp_path / "out", records, "coco", "yolo", ids_from=path, classes_only=("tabby", "index:1"))
    results = json.loads((tmp_path / "out/coco_results.json").read_text())
    assert [(one["image_id"], one["category_id"]) for one in results] == [(700, 90), (9, 5)]
    whole = json.loads((tmp_path / "out/coco.json").read_text())
    assert whole["categories"] == [{"id": 90, "name": "Tabby"}, {"id": 5, "name": "n02012849"}]
    assert [one["id"] for one in whole["images"]] == [700, 9]
    assert (tmp_path / "out/yolo/labels/train/sub/b.txt").read_text().startswith("1 "), "YOLO keeps its own"


def test_unknown_and_ambiguous_images_are_counted(truth):
    known = Ids.read(truth({"x/a.jpg": 1, "y/a.jpg": 2, "b.jpg": 3}, {}))
    known.check_images(["x/a.jpg", "y/a.jpg", "z/b.jpg"])
    with pytest.raises(InputMissing, match=r"4 of 5 images .* \(a\.jpg, c\.jpg, q/b\.jpg, …\)"):
        known.check_images(["b.jpg", "a.jpg", "c.jpg", "q/b.jpg", "d.jpg"])


def test_unknown_and_ambiguous_classes_are_counted(truth):
    known = Ids.read(truth({}, {1: "tabby", 2: "crane"}))
    with pytest.raises(ClassUnknown, match=r"3 of 5 classes are not among its 2 categories.*\(a \"quoted"):
        known.category_ids(categories(LABELS))
    assert known.category_ids(categories(LABELS, ["tabby", "index:3"])) == {0: 1, 3: 2}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"images": [{"id": 1}], "categories": []}', '{"images": 3}', "\xff", "[" * 99999]
)
def test_no_coco_file(text, tmp_path):
    path = tmp_path / "t.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputUnreadable, match="no COCO file"):
        Ids.read(str(path))


def test_no_file(tmp_path):
    with pytest.raises(InputMissing, match="no such file"):
        Ids.read(str(tmp_path / "t.json"))
    with pytest.raises(InputUnreadable, match="directory"):
        Ids.read(str(tmp_path))
