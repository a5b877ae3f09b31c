"""COCO's instances, against pycocotools' own reading where it has one."""

import json

import pytest

from cam_cli.datasets.annotation import NO_BOX, NO_SIZE, SIZE_0
from cam_cli.datasets.coco import files
from cam_cli.datasets.corners import CLIPPED, OUTSIDE, REVERSED
from cam_cli.datasets.dataset import Request
from cam_cli.datasets.opening import open_dataset
from cam_cli.errors import DatasetUnreadable, InputMissing, UsageError
from tests.outputs.exports.records import box, export, record

from .samples import coco, make_coco, opened, picture, pictures, text, told

IMAGE = {"id": 1, "file_name": "a.jpg", "width": 40, "height": 30}
DOG = {"id": 2, "name": "dog"}
ONE = {"id": 9, "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4]}


def told_of(tmp_path, *annotations, image=IMAGE):
    found = opened(coco(tmp_path / "instances_x.json", [image], list(annotations), [DOG]))
    return found.truths[0], found.notes


def test_crowds_are_difficult_and_true(tmp_path):
    sample = make_coco(tmp_path)
    dog = opened(sample.path).truths[1]
    assert [thing.difficult for thing in dog.objects] == [False, True]
    assert (dog.labels, dog.uncertain, dog.size) == (("dog",), (), (40, 30))
    truth, _ = told_of(tmp_path, ONE | {"iscrowd": 1})
    assert (truth.labels, truth.uncertain) == (("dog",), ())


def test_an_image_that_nothing_is_said_of(tmp_path):
    """In a list of images alone, as of COCO's test set, it is without truth; among annotated ones it shows nothing."""
    alone = coco(tmp_path / "image_info_test.json", [IMAGE], None, [DOG])
    assert told(opened(alone)) == [("a.jpg", (), None)]
    assert told(opened(coco(tmp_path / "x.json", [IMAGE], [], [DOG]))) == [("a.jpg", (), [])]


@pytest.mark.parametrize(
    ("bbox", "kept", "kinds"),
    [
        ([0, 0, 40, 30], (0, 0, 40, 30), ()),
        ([10, 10, -4, -5], (6, 5, 10, 10), (REVERSED,)),
        ([30.5, 2, 99, 4], (30.5, 2, 40, 6), (CLIPPED,)),
        ([40, 0, 3, 3], None, (OUTSIDE,)),
        ([], None, (NO_BOX,)),
        (None, None, (NO_BOX,)),
    ],
)
def test_boxes(tmp_path, bbox, kept, kinds):
    truth, notes = told_of(tmp_path, ONE | {"bbox": bbox})
    assert [thing.xyxy for thing in truth.objects] == [kept] * (kept is not None)
    assert truth.labels == ("dog",)
    assert tuple(notes.counts) == kinds
    assert all(places == [f"{tmp_path}/instances_x.json, annotations[0] (id 9)"] for places in notes.places.values())


@pytest.mark.parametrize(("sides", "kind"), [({"width": 0}, SIZE_0), ({"width": None, "height": None}, NO_SIZE)])
def test_images_without_a_size(tmp_path, sides, kind):
    truth, notes = told_of(tmp_path, ONE | {"bbox": [0, 0, 99, 99]}, image=IMAGE | sides)
    assert (truth.size, truth.objects[0].xyxy) == (None, (0, 0, 99, 99))
    assert notes.places == {kind: ["a.jpg"]}


def test_segmentations_become_regions(tmp_path):
    polygons = [[1, 1, 5, 1, 5, 5], [7, 7, 9, 7, 9, 9, 7, 9]]
    runs = {"size": [30, 40], "counts": [5, 10, 1185]}
    truth, _ = told_of(
        tmp_path,
        ONE | {"segmentation": polygons},
        ONE | {"segmentation": runs, "iscrowd": 1},
        ONE | {"segmentation": []},
    )
    assert [(one.label, one.source, one.size, one.ignored) for one in truth.regions] == [
        ("dog", polygons, (40, 30), False), ("dog", runs, (40, 30), False),
    ]  # fmt: skip


BROKEN = {
    "an image twice": (
        {"images": [IMAGE, IMAGE | {"file_name": "b.jpg"}]}, r"\[1\] \(id 1\): image id 1 was there before, in .*s\[0\]"
    ),
    "a name twice": ({"images": [IMAGE, IMAGE | {"id": 2}]}, r"images\[1\] \(id 2\): a\.jpg was there before"),
    "an image without name": ({"images": [{"id": 1}]}, r"images\[0\] \(id 1\): an image needs an id and a file_name"),
    "an image of no id": ({"images": [IMAGE | {"id": [1]}]}, r"images\[0\] \(id \[1\]\): an image needs an id"),
    "a side of text": ({"images": [IMAGE | {"width": "40"}]}, r"images\[0\] \(id 1\): '40' stands where a number"),
    "half a size": ({"images": [IMAGE | {"height": None}]}, r"images\[0\] \(id 1\): None stands where a number"),
    "half a pixel": ({"images": [IMAGE | {"width": 40.5}]}, "width and height are 40.5 and 30.0; whole numbers"),
    "a huge side": ({"images": [IMAGE | {"width": 10**400}]}, "stands where a number is wanted"),
    "an image that is none": ({"images": ["a.jpg"]}, r"images\[0\]: no object"),
    "images that are no list": ({"images": {"a": 1}}, "'images' is no list"),
    "no images": ({"images": None}, None),
    "a category twice": ({"categories": [DOG, DOG]}, r"categories\[1\] \(id 2\): another category has this id"),
    "a category without name": ({"categories": [{"id": 2}]}, r"categories\[0\] \(id 2\): a category needs"),
    "a missing image": ({"annotations": [ONE | {"image_id": 8}]}, r"annotations\[0\] \(id 9\): image_id 8 is the"),
    "a missing category": ({"annotations": [ONE, ONE | {"category_id": 3}]}, r"annotations\[1\] .*category_id 3 is"),
    "a caption": ({"annotations": [{"image_id": 1, "caption": "a dog"}]}, "category_id None is the id of no category"),
    "an unhashable id": ({"annotations": [ONE | {"image_id": {}}]}, r"image_id {} is the id of no image"),
    "true is no id": ({"annotations": [ONE | {"image_id": True}]}, r"image_id True is the id of no image"),
    "a short box": ({"annotations": [ONE | {"bbox": [1, 2, 3]}]}, r"bbox is \[1, 2, 3\]; x, y, width, height"),
    "a box of text": ({"annotations": [ONE | {"bbox": [1, 2, "3", 4]}]}, "'3' stands where a number is wanted"),
    "a box that is none": ({"annotations": [ONE | {"bbox": "1234"}]}, "bbox is '1234'"),
    "half a corner": ({"annotations": [ONE | {"segmentation": [[1, 2, 3]]}]}, "neither polygons"),
    "flat polygons": ({"annotations": [ONE | {"segmentation": [1, 2, 3, 4]}]}, "neither polygons"),
    "runs of no size": ({"annotations": [ONE | {"segmentation": {"counts": [1200]}}]}, "no run lengths"),
    "runs of another size": (
        {"annotations": [ONE | {"segmentation": {"size": [40, 30], "counts": 1}}]}, "is 30 x 40 and its image 40 x 30"
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_broken_entries_are_told_by_list_number_and_id(tmp_path, what):
    change, says = BROKEN[what]
    content = {"images": [IMAGE], "annotations": [ONE], "categories": [DOG]} | change
    file = text(tmp_path / "instances_x.json", json.dumps(content))
    with pytest.raises(DatasetUnreadable, match=says) as raised:
        opened(file)
    assert raised.value.message.startswith(str(file))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "not JSON, or torn"),
        ('{"images": [' + "[" * 100_000, "not JSON, or torn"),
        ('{"a": NaN}', "no 'images' at its top"),
        ('{"info": {}}', "no 'images' at its top"),
        ('{"images": [{"id": 1, "file_name": "a", "width": NaN, "height": 3}]}', "nan stands where"),
    ],
)
def test_broken_files(tmp_path, content, says):
    with pytest.raises(DatasetUnreadable, match=says):
        opened(text(tmp_path / "a.json", content), "coco")


def test_categories_of_one_name_count_as_one(tmp_path):
    file = coco(tmp_path / "a.json", [IMAGE], [ONE, ONE | {"category_id": 5}], [DOG, {"id": 5, "name": "dog"}])
    found = opened(file)
    assert told(found) == [("a.jpg", ("dog",), [(1, 2, 4, 6)] * 2)]
    assert found.notes.counts["category with the name of another; they count as one"] == 1


@pytest.mark.parametrize(
    ("file", "images"),
    [
        ("annotations/instances_val2017.json", "val2017"),
        ("annotations/instances_val2017.json", "images/val2017"),
        ("annotations/instances_val2017.json", "images"),
        ("annotations/instances_val2017.json", "."),
        ("instances_val2017.json", "."),
        ("instances_val2017.json", "val2017"),
        ("any.json", "images"),
        ("train/_annotations.coco.json", "train"),
    ],
)
def test_where_the_images_lie(tmp_path, file, images):
    pictures(tmp_path / images, ("a.jpg",))
    found = opened(coco(tmp_path / file, [IMAGE], [ONE], [DOG]), images=True)
    assert (tmp_path / images / "a.jpg").samefile(found.truths[0].item.path)


def test_a_folder_with_the_file_in_it(tmp_path):
    coco(tmp_path / "instances_val2017.json", [IMAGE], [ONE], [DOG])
    assert told(opened(tmp_path)) == [("a.jpg", ("dog",), [(1, 2, 4, 6)])]


def test_file_names_that_lead_elsewhere(tmp_path):
    absolute = picture(tmp_path / "x/y.jpg")
    names = [str(absolute), "../../up.jpg", "./a//b.jpg"]
    found = opened(
        coco(tmp_path / "x.json", [IMAGE | {"id": n, "file_name": name} for n, name in enumerate(names)], [], [])
    )
    assert [one.item.id for one in found.truths] == [str(absolute)[1:], "_up/_up/up.jpg", "a/b.jpg"]
    assert found.truths[0].item.path == str(absolute)


def test_several_splits(tmp_path):
    sample = make_coco(tmp_path)
    coco(tmp_path / "annotations/instances_train2017.json", [IMAGE], [ONE], [DOG])
    assert list(files(str(tmp_path))) == ["train2017", "val2017"]
    with pytest.raises(UsageError, match=r"which split\? Give --split \(splits in .*: train2017, val2017\)"):
        opened(tmp_path)
    assert told(opened(tmp_path, split="val2017")) == sample.said
    file = tmp_path / "annotations/instances_val2017.json"
    assert told(opened(file, split="val2017")) == sample.said
    with pytest.raises(UsageError, match="is one split by itself"):
        opened(file, split="train2017")
    with pytest.raises(InputMissing, match="name the JSON file itself"):
        opened(tmp_path / "val2017", "coco")


def test_what_the_exporter_writes_is_read_back(tmp_path):
    export(tmp_path, [record("a.jpg", {0: [box(3.25, 4, 30, 40)], 3: [box(0, 0, 64, 48)]})], "coco")
    found = opened(tmp_path / "coco.json")
    assert told(found) == [("a.jpg", ("tabby", "crane (3)"), [(3.25, 4, 30, 40), (0, 0, 64, 48)])]
    assert found.truths[0].size == (64, 48)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools, NumPy 2
def test_as_pycocotools_reads_it(tmp_path):
    api = pytest.importorskip("pycocotools.coco")
    make_coco(tmp_path)
    file = tmp_path / "annotations/instances_val2017.json"
    theirs = api.COCO(str(file))
    for truth in open_dataset(Request(str(file))).truths:
        (id,) = [one["id"] for one in theirs.imgs.values() if one["file_name"] == truth.item.id]
        boxes = [one["bbox"] for one in theirs.loadAnns(theirs.getAnnIds(imgIds=[id]))]
        assert [[x0, y0, x1 - x0, y1 - y0] for x0, y0, x1, y1 in (thing.xyxy for thing in truth.objects)] == boxes
