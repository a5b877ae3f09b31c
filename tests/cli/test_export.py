"""`camtool localize --export`: the whole command."""

import json

import jsonschema
import numpy as np
import pytest
from pycocotools.coco import COCO

from cam_cli.outputs.schema import result_schema
from tests.conftest import SAMPLES


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools, NumPy 2
def test_masks_are_those_of_their_boxes(camtool, tmp_path):
    ran = camtool(
        "localize", SAMPLES, "-o", "out", "--save", "mask", "--export", "coco", "--masks", "--boxes", "all",
        "--class", "top2", "--threshold", "0.5", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert "export coco: 6 images, " in ran.err
    for record in ran.records:
        jsonschema.validate(record, result_schema())
    coco = COCO(tmp_path / "out/coco.json")
    names = {one["file_name"]: one["id"] for one in coco.dataset["images"]}
    assert sum(len(one["boxes"]) for record in ran.records for one in record["maps"]) == len(coco.anns) >= 12
    for record in ran.records:
        for one in record["maps"]:
            found = coco.loadAnns(coco.getAnnIds(names[record["id"]], one["class"]["index"]))
            masks = [coco.annToMask(made).astype(bool) for made in found]
            for made, mask in zip(found, masks, strict=True):
                rows, columns = np.nonzero(mask)
                x, y, width, height = made["bbox"]
                assert (x, y, x + width, y + height) == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
                assert made["area"] == mask.sum()
            x, y = one["peak"]
            assert sum(mask[y, x] for mask in masks) == 1
            assert np.sum(masks, 0).max() == 1, "components do not overlap"


def test_the_issues_line(camtool, tmp_path):
    ran = camtool("localize", SAMPLES, "-o", "out", "--export", "coco,voc,yolo")
    assert ran.code == 0
    assert [line.split(":")[0] for line in ran.err.splitlines() if line.startswith("export")] == [
        "export coco", "export voc", "export yolo"
    ]  # fmt: skip
    assert (tmp_path / "out/yolo/images/train/coffee.png").read_bytes() == (SAMPLES / "coffee.png").read_bytes()
    plain = json.loads((tmp_path / "out/results.jsonl").read_text().splitlines()[0])
    assert list(plain["maps"][0]["boxes"][0]) == ["xyxy", "score", "area"]


def test_a_picture_from_stdin(camtool):
    data = (SAMPLES / "coffee.png").read_bytes()
    ran = camtool("localize", "-", "-o", "out", "--export", "yolo", stdin=data)
    assert ran.code == 2
    assert "--images none" in ran.err
    assert (
        camtool("localize", "-", "-o", "out", "--overwrite", "--export", "yolo", "--images", "none", stdin=data).code
        == 0
    )
