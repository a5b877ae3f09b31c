"""docs/datasets.md says what the code does."""

import re
from pathlib import Path

from cam_cli.datasets import FORMATS
from cam_cli.datasets.classmap import SHIPPED, read_class_map
from cam_cli.datasets.imagenet import BOXES, IMAGES

from .samples import SAMPLES, opened

PAGE = (Path(__file__).resolve().parents[2] / "docs/datasets.md").read_text()


def test_the_table_has_the_formats_in_the_order_of_detection():
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(FORMATS)
    assert re.findall(r"^\*\*(\w+)\.\*\*", PAGE, re.MULTILINE) == list(FORMATS)


def test_the_boxes_of_the_table(tmp_path):
    """The formula of each row, worked on the numbers of the samples."""
    written = {  # as the samples have them, by the names in the formulas
        "voc": {"xmin": 5, "ymin": 6, "xmax": 7, "ymax": 8},
        "coco": {"x": 1.5, "y": 2, "width": 10, "height": 4.25},
        "wsol": {"x0": 3, "y0": 4, "x1": 5, "y1": 6},
        "imagenet": {"xmin": 3, "ymin": 4, "xmax": 5, "ymax": 6},
        "cub": {"x": 6, "y": 7, "width": 20.5, "height": 10},
    }
    formulas = dict(re.findall(r"^\| `(\w+)` \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE))
    for name, numbers in written.items():
        sample = SAMPLES[name](tmp_path / name)
        boxes = [one.xyxy for truth in opened(sample.path, split=sample.split).truths for one in truth.objects or ()]
        assert eval(formulas[name].replace("−", "-"), {}, numbers) in boxes, name


def test_layouts_and_maps():
    for layout in (*IMAGES[:2], BOXES[0], BOXES[3]):
        assert f"`{layout.format(split='val')}`" in PAGE
    for name in SHIPPED:
        assert f"`--class-map {name}`" in PAGE
    sizes = {label: len(models) for label, models in read_class_map("voc-from-imagenet").items()}
    assert f"`dog` is all {sizes['dog']} breeds, `cat` all {sizes['cat']}, `bird` all {sizes['bird']}" in PAGE
    for label in ("cow", "horse", "pottedplant", "sofa", "diningtable"):
        assert sizes[label] == 1
