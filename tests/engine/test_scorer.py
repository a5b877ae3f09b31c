"""One image judged, to the row that is kept of it."""

import json

import cv2
import jsonschema
import numpy as np
import pytest

from cam_cli.engine.judged import Judged
from cam_cli.engine.scorer import LARGEST, Scorer, small
from cam_cli.metrics import METRICS
from cam_cli.metrics.metric import Found, Rules
from cam_cli.types import Failure, Geometry, ImageItem, Object, Region, Truth
from tests.metrics.made import drawn, squash

MAP = drawn("xx.. xx.. .... ....")
NAMES = ("top1_accuracy", "top1_loc", "mean_iou", "classification_ap", "maxboxacc")


def item(id="a.jpg", model="m") -> ImageItem:
    return ImageItem(id, f"pics/{id}", id, model=model)


def truth(*boxes, labels=("cat",), **more) -> Truth:
    objects = tuple(Object(labels[0], box) for box in boxes) if boxes else more.pop("objects", None)
    return Truth(item(), labels, objects, **more)


def scorer(told: Truth, names=NAMES, runs=("run", "centre"), probable=False) -> Scorer:
    metrics = {name: METRICS.load(name)(Rules()) for name in names}
    return Scorer(dict.fromkeys(runs, metrics), {"m": {"a.jpg": told}}, {"m": runs}, frozenset(["run"]), probable)


def judged(geometry=None, maps=None, rows=None, flags=(), notes=(), **more) -> Judged:
    maps = {"cat": MAP} if maps is None else maps
    geometry = geometry or squash(4, 4)
    given = {"predictions": ("cat", "dog"), "probabilities": {"cat": 0.75, "dog": 0.25}, "explained": "cat", **more}
    found = {name: Found(geometry, maps, **given) for name in ("run", "centre")}
    return Judged(item(), geometry, found, rows or {}, flags, notes)


def test_what_is_kept():
    row = scorer(truth((0, 0, 2, 2), columns={"camera": "x"}))(judged(flags=("first_frame",), notes=("odd",)))
    kept = row["runs"]["run"]["rows"]
    assert list(row) == [
        "id", "image", "model", "labels", "columns", "boxes", "flags", "notes", "predictions", "geometry", "runs",
        "error",
    ]  # fmt: skip
    assert (row["id"], row["image"], row["model"], row["error"]) == ("a.jpg", "pics/a.jpg", "m", None)
    assert (row["labels"], row["columns"], row["boxes"]) == (["cat"], {"camera": "x"}, [["cat", 0, 0, 2, 2]])
    assert (row["flags"], row["notes"], row["predictions"]) == (["first_frame"], ["odd"], ["cat", "dog"])
    assert list(kept) == list(NAMES)
    assert kept["mean_iou"] == {"labels": ["cat"], "mean_iou": [1.0]}
    assert kept["top1_loc"]["box"] == [[0, 0, 2, 2]]
    assert Geometry(**row["geometry"] | {"scale": (1.0, 1.0), "offset": (0.0, 0.0)}).width == 4
    again = json.loads(json.dumps(row, allow_nan=False))
    assert again["runs"] == row["runs"]
    assert row["runs"]["centre"]["drawn"] is None  # of baselines nothing is drawn
    assert row["runs"]["run"]["drawn"]["raw"][0] == [1, 1, 0, 0]


def test_truth_is_moved_to_where_the_picture_is():
    """The annotation is of a picture twice as large, lying on its side: as stored, before EXIF turned it."""
    told = truth((0, 0, 8, 4), size=(16, 8))
    row = scorer(told)(judged(Geometry(4, 8, 4, 4, (1.0, 0.5), (0.0, 0.0), "squash", 6)))
    assert row["boxes"] == [["cat", 2, 0, 4, 4]]
    assert row["notes"] == [
        "annotation in pixels as stored; turned by the picture's EXIF orientation",
        "annotation of another size than its picture; scaled to it",
    ]


def test_rows_of_metrics_that_asked_the_network_are_taken_as_they_are():
    asked = {"run": {"average_drop": {"average_drop": 0.5}}, "centre": {"average_drop": None}}
    row = scorer(truth((0, 0, 2, 2)), (*NAMES, "average_drop"))(judged(rows=asked))
    assert row["runs"]["run"]["rows"]["average_drop"] == {"average_drop": 0.5}
    assert row["runs"]["centre"]["rows"]["average_drop"] is None
    assert row["runs"]["run"]["rows"]["mean_iou"]["mean_iou"] == [1.0]


def test_a_failed_image_keeps_the_rows_of_a_wrong_answer():
    told = truth((0, 0, 2, 2), columns={"camera": "x"})
    failure = Failure(item(), "ImageUnreadable", "gone")
    for row in (scorer(told)(failure), scorer(told, probable=True)(failure)):
        assert row["error"] == {"kind": "ImageUnreadable", "message": "gone"}
        assert (row["predictions"], row["geometry"], row["columns"]) == (None, None, {"camera": "x"})
        for run in row["runs"].values():
            assert run["drawn"] is None
            assert run["rows"]["mean_iou"] == {"labels": ["cat"], "mean_iou": [0.0]}
            assert run["rows"]["top1_accuracy"] == {"labels": ["cat"], "ranks": [None], "doubt": None}
            assert run["rows"]["classification_ap"]["scores"] is None
        jsonschema.validate(row, {"type": "object"})
    assert scorer(Truth(item(), ()))(failure)["runs"]["run"]["rows"] == dict.fromkeys(NAMES)


def test_probabilities_are_kept_where_maps_are():
    told = truth((0, 0, 2, 2))
    assert "probabilities" not in scorer(told)(judged())
    assert scorer(told, probable=True)(judged())["probabilities"] == {"cat": 0.75, "dog": 0.25}
    odd = judged(probabilities={"cat": float("nan"), "dog": float("inf")})
    assert scorer(told, probable=True)(odd)["probabilities"] == {"cat": None, "dog": None}
    assert scorer(told, probable=True)(judged(probabilities=None))["probabilities"] is None


def test_masks_are_read_where_a_metric_looks_at_them(tmp_path):
    mask = np.zeros((4, 4), np.uint8)
    mask[:2, :2] = 255
    (tmp_path / "m.png").write_bytes(cv2.imencode(".png", mask)[1].tobytes())
    regions = (Region("cat", str(tmp_path / "m.png")), Region("", str(tmp_path / "i.png"), ignored=True))
    told = Truth(item(), ("cat",), regions=regions[:1])
    row = scorer(told, ("pxap", "top1_accuracy"))(judged())
    assert row["runs"]["run"]["rows"]["pxap"]["labels"] == ["cat"]
    assert row["error"] is None
    (tmp_path / "m.png").write_bytes(b"")
    broken = scorer(told, ("pxap", "top1_accuracy"))(judged())
    assert broken["error"]["kind"] == "DatasetUnreadable"
    assert broken["runs"]["run"]["rows"]["top1_accuracy"]["ranks"] == [None]  # a failed image is wrong
    assert broken["runs"]["run"]["rows"]["pxap"] is None
    unasked = scorer(told, ("top1_accuracy",))(judged())
    assert unasked["error"] is None
    assert unasked["runs"]["run"]["rows"]["top1_accuracy"]["ranks"] == [1]


@pytest.mark.parametrize(
    ("labels", "maps", "explained", "label"),
    [
        (("cat", "dog"), ("dog", "cat", "elk"), "elk", "cat"),
        (("cat", "dog"), ("dog", "elk"), "elk", "dog"),
        (("cat",), ("elk",), "elk", "elk"),
        ((), ("elk",), "elk", "elk"),
        ((), ("elk",), None, None),
        (("cat",), (), "elk", None),
    ],
)
def test_which_map_is_drawn(labels, maps, explained, label):
    told = Truth(item(), labels)
    row = scorer(told, ("top1_accuracy",))(judged(maps=dict.fromkeys(maps, MAP), explained=explained))
    found = row["runs"]["run"]["drawn"]
    assert (found and found["label"]) == label


def test_a_map_to_draw_is_small_and_plain():
    assert small(np.array([[1.23456, np.nan], [-np.inf, 1e-9]], np.float32)) == [[1.235, None], [None, 1e-9]]
    large = np.zeros((100, 10), np.float32)
    large[:50] = 1
    found = np.array(small(large))
    assert found.shape == (LARGEST, 10)
    assert (found[:15] == 1).all()
    assert (found[17:] == 0).all()
    assert np.array(small(np.ones((3, 64)))).shape == (3, LARGEST)
    flags = scorer(truth((0, 0, 2, 2)))(judged(maps={"cat": -MAP - 1}))["runs"]["run"]["drawn"]["flags"]
    assert flags == ["all_negative"]
