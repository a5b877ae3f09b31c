"""Class maps."""

import csv

import pytest

from cam_cli.datasets.classmap import SHIPPED, read_class_map
from cam_cli.errors import DatasetUnreadable, InputMissing
from cam_cli.models.labels import imagenet1k

from .samples import text

VOC = [
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
]


def test_pairs_in_their_order(tmp_path):
    file = text(
        tmp_path / "m.csv",
        "# for people",
        "note,Model,class",
        ",tabby,cat",
        '"striped, mostly",n02123159,cat',
        "",
        "# more",
        ',"pot, flowerpot",plant',
        ",208 , cat",
    )
    found = read_class_map(str(file))
    assert found == {"cat": ("tabby", "n02123159", "208"), "plant": ("pot, flowerpot",)}
    assert list(found) == ["cat", "plant"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], r"must name one column 'class' \(columns found: none\)"),
        (["class,index", "cat,281"], r"must name one column 'model' \(columns found: class, index\)"),
        (["class,model,class", "cat,281,dog"], "must name one column 'class'"),
        (["class,model", "cat"], "row 2: 1 cells where the header has 2"),
        (["class,model", "", "cat,pot, flowerpot"], "row 3: 3 cells where the header has 2; quote"),
        (["class,model", "cat,"], "row 2: model is empty; a row is a pair of both"),
        (["class,model", " ,281"], "row 2: class is empty"),
        (["class,model", "cat,281", "cat,281"], "row 3: cat has 281 already"),
        (["class,model", '"cat,281'], "row 2: unexpected end of data"),
        (["class,model", "# nothing"], "no pairs"),
    ],
)
def test_broken_maps(tmp_path, rows, says):
    with pytest.raises(DatasetUnreadable, match=says) as raised:
        read_class_map(str(text(tmp_path / "m.csv", *rows)))
    assert raised.value.message.startswith(f"{tmp_path}/m.csv")


def test_a_map_that_is_not_there():
    with pytest.raises(InputMissing, match=r"did you mean voc-from-imagenet\? \(a CSV file, or shipped: voc-from"):
        read_class_map("voc-from-imagenett")


def test_the_shipped_map_has_vocs_classes_and_imagenets_own_words():
    labels = imagenet1k()
    found = read_class_map("voc-from-imagenet")
    assert list(found) == VOC
    with SHIPPED["voc-from-imagenet"].open(newline="") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for row in rows:
        index = labels.find(row["model"])
        assert (labels.wnids[index], labels.names[index]) == (row["wnid"], row["name"])
    taken = [model for models in found.values() for model in models]
    assert len(set(taken)) == len(taken), "a class of ImageNet stands for one of VOC's"


def test_the_shipped_map_by_ranges():
    """ILSVRC lists its dogs and birds in runs."""
    found = {label: {int(model) for model in models} for label, models in read_class_map("voc-from-imagenet").items()}
    assert found["dog"] == set(range(151, 269))
    assert found["cat"] == set(range(281, 286))
    assert found["bird"] == {*range(7, 25), *range(80, 101), *range(127, 147)}
    names = imagenet1k().names
    assert {names[index] for index in found["person"]} == {"ballplayer", "groom", "scuba diver"}
    left_out = {
        "ambulance",
        "police van",
        "laptop",
        "streetcar",
        "park bench",
        "timber wolf",
        "lion",
        "ibex",
        "go-kart",
    }
    assert not left_out & {names[index] for models in found.values() for index in models}
