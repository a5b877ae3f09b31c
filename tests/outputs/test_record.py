"""The record: fixed keys, valid by its schema, no NaN, every flag and kind in the closed lists."""

import json

import jsonschema
import numpy as np
import pytest

from cam_cli.boxes import locate
from cam_cli.maps import heatmap
from cam_cli.outputs.kind import Drawn, parse_range
from cam_cli.outputs.record import COLUMNS, failed, json_line, map_rows, number, result
from cam_cli.outputs.schema import result_schema
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import ClassMap, Explanation, Failure, Geometry, ImageItem, MapLabel, Prediction

ITEM = ImageItem("a/b.jpg", "photos/a/b.jpg", "a/b", model="lite")
GEOMETRY = Geometry(640, 480, 224, 224, (256 / 480, 256 / 480), (-58.0, -16.0), "model")
TABBY = Prediction(281, "tabby", "n02123045", 9.1, 0.62)


def explained(raw, boxes: BoxSpec | None = None) -> dict:
    raw = np.array(raw, np.float32)
    one = ClassMap(TABBY, "gradcam", ("bn2", "blocks.4"), raw, MapLabel("gradcam", "x", "1"))
    explanation = Explanation(ITEM, GEOMETRY, (TABBY,), (one,), flags=("depth_guessed",))
    found = heatmap(raw, GEOMETRY)
    regions = boxes and locate(found.heat, TABBY.probability, boxes)
    return result(explanation, (Drawn(one, found, regions),), [{"overlay": "a/b.gradcam.png"}])


@pytest.mark.parametrize(
    "raw", [[[1.0, 2], [-1, 0.5]], [[np.nan, 1], [0, 0]], [[np.inf, -np.inf]], [[0.0, 0]], [[-1.0, -2]], [[3.0]]]
)
def test_records_are_valid_and_hold_no_nan(raw):
    record = explained(raw)
    line = json_line(record)
    jsonschema.validate(json.loads(line), result_schema())
    assert b"NaN" not in line
    assert b"Infinity" not in line
    assert line.count(b"\n") == 1


def test_the_values_of_a_record():
    record = explained([[1.0, 2], [-1, 0.5]])
    assert record["seen"] == [108.75, 30, 528.75, 450]
    (one,) = record["maps"]
    assert one["class"] == {"index": 281, "name": "tabby", "wnid": "n02123045", "logit": 9.1, "probability": 0.62}
    assert one["raw_range"] == [-1, 2]
    assert one["layers"] == ["bn2", "blocks.4"]
    assert one["flags"] == []
    assert map_rows(record) == [
        ("a/b.jpg", "photos/a/b.jpg", 640, 480, 281, "tabby", "n02123045", 9.1, 0.62, "gradcam", "bn2+blocks.4",
         2, 2, -1, 2, *one["peak"], "", "a/b.gradcam.png", None, None, None, 1, None, None, "lite"),
    ]  # fmt: skip
    assert len(map_rows(record)[0]) == len(COLUMNS)


def test_the_truth_and_what_a_map_is_held_against():
    raw = np.array([[1.0, -2]], np.float32)
    tiger = Prediction(282, "tiger cat", None, 8.0, 0.2)
    one = ClassMap(TABBY, "cam", ("bn2",), raw, MapLabel("cam", "x", "not-1"), -1, tiger)
    explanation = Explanation(ITEM, GEOMETRY, (TABBY,), (one,), truth=tiger, correct=False)
    record = result(explanation, (Drawn(one, heatmap(raw, GEOMETRY, signed=True)),), [{}])
    jsonschema.validate(json.loads(json_line(record)), result_schema())
    assert (record["truth"]["index"], record["correct"]) == (282, False)
    assert (record["maps"][0]["sign"], record["maps"][0]["against"]["name"]) == (-1, "tiger cat")
    (row,) = map_rows(record)
    table = dict(zip(COLUMNS, row, strict=True))
    names = ("truth_index", "truth_name", "correct", "sign", "against_index", "against_name")
    assert [table[name] for name in names] == [282, "tiger cat", False, -1, 282, "tiger cat"]


def test_boxes_of_a_record():
    assert explained([[1.0, 2], [-1, 0.5]])["maps"][0]["boxes"] is None, "not asked for"
    (one,) = explained([[0.0, 0, 0], [0, 2, 0], [0, 0, 0]], BoxSpec("0.5"))["maps"]
    (box,) = one["boxes"]
    # Seen are 420 by 420 pixels from 108.75, 30: cells of 140, of which the middle is above half from cell to cell.
    assert list(box) == ["xyxy", "score", "area"]
    np.testing.assert_allclose(box["xyxy"], [248.75, 170, 388.75, 310], atol=1)
    assert box["score"] == TABBY.probability
    x0, y0, x1, y1 = box["xyxy"]
    assert (x1 - x0) * (y1 - y0) / 2 < box["area"] < (x1 - x0) * (y1 - y0)


@pytest.mark.parametrize(
    ("raw", "flag"),
    [
        ([[0.0, 0]], "all_zero"),
        ([[-1.0, -2]], "all_negative"),
        ([[5.0, 5]], "constant"),
        ([[np.nan, 1]], "not_finite"),
        ([[3.0]], "one_cell"),
        ([[0.0, 0], [0, 2]], "no_box"),
    ],
)
def test_a_map_without_a_box_says_why(raw, flag):
    record = explained(raw, BoxSpec(min_area="90%"))
    jsonschema.validate(json.loads(json_line(record)), result_schema())
    (one,) = record["maps"]
    assert (one["boxes"], one["flags"]) == ([], [flag])


def test_a_failed_image_has_the_same_keys():
    record = failed(Failure(ITEM, "ImageUnreadable", "it is empty"))
    jsonschema.validate(record, result_schema())
    assert list(record) == list(explained([[1.0, 0]]))
    assert record["maps"] == []


def test_an_unknown_flag_or_kind_is_not_valid():
    for break_it in (
        lambda record: record["flags"].append("nice"),
        lambda record: record["maps"][0]["flags"].append("nice"),
        lambda record: record.update(error={"kind": "Oops", "message": ""}),
        lambda record: record.pop("seen"),
    ):
        record = explained([[1.0, 0]])
        break_it(record)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(record, result_schema())


def test_numbers_keep_what_float32_holds():
    assert number(float(np.float32(0.1))) == 0.1
    assert number(1234567.0) == 1234570.0
    assert number(float("nan")) is None
    assert repr(number(4.0)) == "4"
    assert number(-0.0) == 0


def test_names_that_are_not_utf8_survive():
    record = failed(Failure(ImageItem("\udcff", "\udcff", "\udcff"), "ImageUnreadable", "no"))
    assert json.loads(json_line(record))["id"] == "\udcff"


@pytest.mark.parametrize(("text", "value"), [("per-map", "per-map"), ("shared", "shared"), ("-1:2.5", (-1.0, 2.5))])
def test_ranges(text, value):
    assert parse_range(text) == value
