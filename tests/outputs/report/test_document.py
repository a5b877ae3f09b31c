"""report.json: its bytes, its order, valid by its schema, no NaN."""

import json
import math
import random

import jsonschema
import pytest

from cam_cli.metrics import METRICS
from cam_cli.outputs.report.document import canonical, document
from cam_cli.outputs.report.schema import report_schema

from .examples import minimal, realistic, small

REPORTS = {"minimal": minimal, "small": small, "realistic": realistic}


def shuffled(value, generator):
    """The same value with the keys of every object in another order."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], generator) for key in generator.sample(list(value), len(value))}
    return [shuffled(one, generator) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", REPORTS)
def test_reports_are_valid(name):
    jsonschema.Draft202012Validator.check_schema(report_schema())
    jsonschema.validate(json.loads(document(REPORTS[name]())), report_schema())


@pytest.mark.parametrize(
    "path", ["gates", "runs/0/metrics/0/ci95", "runs/0/curves/0/x", "dataset/failed/ids", "timing"]
)
def test_a_report_that_lacks_something_is_not_valid(path):
    report = small()
    *way, last = (int(part) if part.isdigit() else part for part in path.split("/"))
    there = report
    for part in way:
        there = there[part]
    del there[last]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(report, report_schema())


def test_the_metrics_of_the_report_are_those_of_the_table():
    assert {one["metric"] for one in realistic()["runs"][0]["metrics"]} <= set(METRICS)


def test_the_bytes_of_a_minimal_report():
    assert (
        document(minimal()).decode()
        == """\
{
 "schema": "camtool.report/1",
 "command": ["evaluate", "data"],
 "dataset": {
  "format": "folder",
  "path": "data",
  "split": null,
  "images": 0,
  "classes": 0,
  "with_labels": 0,
  "with_boxes": 0,
  "with_masks": 0,
  "failed": {
   "count": 0,
   "ids": []
  },
  "without_truth": {
   "count": 0,
   "ids": []
  },
  "missing_maps": {
   "count": 0,
   "ids": []
  },
  "unknown_classes": {
   "count": 0,
   "names": []
  },
  "notes": [],
  "class_map": null
 },
 "protocol": {
  "name": "camtool",
  "modified": [],
  "fit": "squash",
  "size": null,
  "threshold": null,
  "class": "top"
 },
 "runs": [],
 "comparisons": [],
 "changes": [],
 "gates": [],
 "settings": {
  "seed": 0,
  "resamples": 1000,
  "device": "cpu",
  "precision": "fp32"
 },
 "versions": {},
 "timing": {
  "written": null,
  "seconds": null
 }
}
"""
    )


def test_lists_of_numbers_stand_on_one_line():
    text = document(small()).decode()
    assert '\n     "x": [0, 0.5, 1],\n     "y": [0.5, 0.75, null],\n' in text
    assert '\n     "ci95": [0.5, 0.875],\n' in text


@pytest.mark.parametrize("seed", range(3))
def test_equal_reports_have_equal_bytes_whatever_the_order_of_their_keys(seed):
    free = ("computed_with", "baselines")  # what has no order of its own keeps the one it comes in
    report = realistic()
    for one in report["runs"]:
        for metric in one["metrics"]:
            metric |= {key: {} for key in free}
    report["versions"] = {}
    assert document(shuffled(report, random.Random(seed))) == document(report)


def test_what_is_not_reproducible_comes_last():
    one, other = small(), small()
    other["timing"] = {"written": "2030-01-01T00:00:00+00:00", "seconds": 9.0}
    one, other = document(one), document(other)
    assert one != other
    assert one[: one.index(b' "timing"')] == other[: other.index(b' "timing"')]


def test_numbers_that_are_not_finite_are_null_and_floats_are_short():
    report = small()
    metric = report["runs"][0]["metrics"][0]
    metric |= {"value": math.nan, "ci95": [-math.inf, math.inf], "n": 123456789}
    metric["baselines"]["centre"]["value"] = 1 / 3
    metric["computed_with"] = {"threshold": math.nan, "nested": [{"at": 0.1 + 0.2}]}
    written = document(report)
    assert b"NaN" not in written
    assert b"Infinity" not in written
    metric = json.loads(written)["runs"][0]["metrics"][0]
    assert (metric["value"], metric["ci95"], metric["n"]) == (None, [None, None], 123456789)
    assert metric["baselines"]["centre"]["value"] == 0.333333
    assert metric["computed_with"] == {"threshold": None, "nested": [{"at": 0.3}]}


def test_canonical_changes_nothing_that_it_is_given_and_twice_is_once():
    report, same = small(), small()
    once = canonical(report)
    assert report == same
    assert canonical(once) == once
    once["runs"][0]["metrics"].clear()
    assert report == same


def test_keys_that_the_schema_does_not_know_stay_behind_the_others():
    report = {"extra": {"b": 1, "a": 2}} | minimal()
    assert list(canonical(report))[-2:] == ["timing", "extra"]
    assert list(canonical(report)["extra"]) == ["b", "a"]


def test_names_that_are_not_utf_8_survive():
    report = minimal()
    report["dataset"]["failed"] = {"count": 2, "ids": ["b\udcff.jpg", "ü.jpg"]}
    written = document(report)
    assert written.isascii()
    assert json.loads(written)["dataset"]["failed"]["ids"] == ["b\udcff.jpg", "ü.jpg"]
    report["dataset"]["failed"]["ids"] = ["ü.jpg"]
    assert "ü.jpg".encode() in document(report)
