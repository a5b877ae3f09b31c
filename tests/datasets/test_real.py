"""Published data, where it is beside the project, with its flaws."""

import csv
import re
from pathlib import Path

import pytest

from cam_cli.datasets.annotation import SIZE_0
from cam_cli.datasets.placing import SCALED, place
from cam_cli.images.header import read_header

from .samples import drawn, opened, xml

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="reference data is not there")


def test_voc():
    """Against the text of the files."""
    found = opened(DATA / "voc", split="val", images=True)
    assert len(found.truths) == 53
    assert not found.notes.counts
    boxes = difficult = 0
    for truth in found.truths:
        content = (DATA / "voc/Annotations" / f"{truth.item.stem}.xml").read_text()
        corners = [int(value) for value in re.findall(r"<[xy]m(?:in|ax)>(\d+)<", content)]
        order = re.findall(r"<([xy]m(?:in|ax))>", content)
        for number, one in enumerate(truth.objects):
            box = dict(zip(order[4 * number : 4 * number + 4], corners[4 * number : 4 * number + 4], strict=True))
            assert one.xyxy == (box["xmin"] - 1, box["ymin"] - 1, box["xmax"], box["ymax"])
            difficult += one.difficult
        boxes += len(truth.objects)
        assert set(re.findall(r"<name>(\w+)</name>", content)) == {*truth.labels, *truth.uncertain}
        assert not set(truth.labels) & set(truth.uncertain)
    assert (boxes, difficult) == (147, 21)


def test_weak():
    """33 sizes of 0, foreign names and paths, and pictures that all lie there."""
    found = opened(DATA / "weak", images=True)
    assert len(found.truths) == 413
    assert found.notes.counts == {SIZE_0: 33}
    assert found.classes == ("apple", "banana", "kangaroo", "orange", "raccoon")
    kinds = {"raccoon": "raccoon", "kangaroo": "kangaroo", "fruit_apple": "apple", "fruit_banana": "banana"}
    for truth in found.truths:
        assert Path(truth.item.path).is_file()
        for start, label in kinds.items():
            if truth.item.id.startswith(start):
                assert truth.labels == (label,)
    train, val = (opened(DATA / "weak", split=name) for name in ("train", "val"))
    assert (len(train.truths), len(val.truths)) == (266, 147)
    assert set(train.by_id) | set(val.by_id) == set(found.by_id)


def test_every_box_of_weak_lies_on_its_picture():
    """The sizes that the XML gives are those of the pictures; where it gives 0, the boxes fit all the same."""
    for truth in opened(DATA / "weak").truths:
        header = read_header(Path(truth.item.path).read_bytes())
        width, height = (header.width, header.height) if header.orientation < 5 else (header.height, header.width)
        found = place(truth, width, height, header.orientation)
        assert found.notes == (), truth.item.id
        assert found.truth.objects == truth.objects


def test_ilsvrc_as_a_table_and_as_its_own_xml_are_the_same_boxes(tmp_path):
    """The table's boxes are of the pictures as stored, 227 x 227; those of the XML, written here from the published
    numbers, of the originals: pixels from 0, both inside."""
    table = opened(DATA / "ilsvrc/manifest.csv", images=True)
    assert len(table.truths) == 663
    with (DATA / "ilsvrc/original_sizes.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            boxes = [drawn(row["wnid"], *box.split()) for box in row["original_boxes_inclusive"].split(";")]
            size = row["original_width"], row["original_height"]
            xml(tmp_path / "Annotations" / f"{Path(row['path']).stem}.xml", *boxes, size=size, source="ILSVRC_2012")
    (tmp_path / "images").symlink_to((DATA / "ilsvrc/images").resolve())
    original = opened(tmp_path, images=True)
    assert original.format == "imagenet"
    assert [one.item.id for one in original.truths] == [Path(one.item.id).name for one in table.truths]
    labels = set()
    for before, truth in zip(original.truths, table.truths, strict=True):
        found = place(before, 227, 227)
        assert found.notes == ((SCALED,) if before.size != (227, 227) else ())
        for one, other in zip(found.truth.objects, truth.objects, strict=True):
            assert one.xyxy == pytest.approx(other.xyxy, abs=0.0051)  # the table has two decimals
        labels.add((before.labels, truth.labels))
    assert len(labels) == 488
    assert not original.notes.counts
