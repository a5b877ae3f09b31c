"""The JSON Schema of `camtool.report/1`, as `camtool schema report` prints it; its order is the document's."""

from __future__ import annotations

from typing import Any

from cam_cli.outputs.schema import INTEGER, NUMBER, STRING, array, closed, or_null

SCHEMA = "camtool.report/1"
GROUPS = ("localisation", "classification", "faithfulness", "sanity")
BOOLEAN = {"type": "boolean"}
FREE: dict[str, Any] = {"type": "object"}
VALUE = or_null(NUMBER)
"""A number; null where it could not be computed."""
INTERVAL = or_null(array(NUMBER, 2))
"""Low and high of the 95 % interval, in the number's own unit."""


def report_schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": SCHEMA,
        **closed(
            {
                "schema": {"const": SCHEMA},
                "command": array(STRING),
                "dataset": dataset(),
                "protocol": protocol(),
                "runs": array(run()),
                "comparisons": array(comparison()),
                "changes": array(change()),
                "gates": array(gate()),
                "settings": closed({"seed": INTEGER, "resamples": INTEGER, "device": STRING, "precision": STRING}),
                "versions": {"type": "object", "additionalProperties": STRING},
                "timing": closed({"written": or_null(STRING), "seconds": VALUE}),  # last: all before it is reproducible
            }
        ),
    }


def dataset() -> dict[str, Any]:
    """What was read, and what of it was left out; `ids` and `names` are complete."""
    listed = closed({"count": INTEGER, "ids": array(STRING)})
    return closed(
        {
            "format": STRING,
            "path": STRING,
            "split": or_null(STRING),
            "images": INTEGER,
            "classes": INTEGER,
            "with_labels": INTEGER,
            "with_boxes": INTEGER,
            "with_masks": INTEGER,
            "failed": listed,
            "without_truth": listed,
            "missing_maps": listed,
            "unknown_classes": closed({"count": INTEGER, "names": array(STRING)}),
            "notes": array(closed({"what": STRING, "count": INTEGER, "where": array(STRING)})),
            "class_map": {"type": ["string", "object", "null"]},
        }
    )


def protocol() -> dict[str, Any]:
    """modified: the parts that are not as the publication has them."""
    return closed(
        {
            "name": STRING,
            "modified": array(STRING),
            "fit": STRING,
            "size": or_null(INTEGER),
            "threshold": {"type": ["number", "string", "null"]},
            "class": STRING,
        }
    )


def run() -> dict[str, Any]:
    """run: the name that is used for it elsewhere in the report."""
    return closed(
        {
            "run": STRING,
            "model": STRING,
            "network": STRING,
            "weights": or_null(STRING),
            "sha256": or_null(STRING),
            "method": STRING,
            "layers": array(STRING),
            "metrics": array(metric()),
            "curves": array(curve()),
            "groups": array(group()),
        }
    )


def metric() -> dict[str, Any]:
    """n: of images, or of image and class pairs. oracle: something of it was chosen in hindsight on the same images.
    baselines: the same number of maps that know nothing of the image. why: what keeps a null value from being one."""
    one = closed(
        {
            "metric": STRING,
            "group": {"enum": list(GROUPS)},
            "value": VALUE,
            "ci95": INTERVAL,
            "n": INTEGER,
            "higher_is_better": BOOLEAN,
            "oracle": BOOLEAN,
            "computed_with": FREE,
            "baselines": {"type": "object", "additionalProperties": closed({"value": VALUE, "ci95": INTERVAL})},
        }
    )
    one["properties"]["why"] = or_null(STRING)
    return one


def curve() -> dict[str, Any]:
    """x ascending, y as long; null is a gap."""
    return closed({"curve": STRING, "x": array(NUMBER), "y": array(VALUE), "x_name": STRING, "y_name": STRING})


def group() -> dict[str, Any]:
    """The images that have one value in a column of the dataset."""
    number = closed({"metric": STRING, "value": VALUE, "ci95": INTERVAL, "n": INTEGER})
    return closed({"column": STRING, "value": STRING, "images": INTEGER, "metrics": array(number)})


def comparison() -> dict[str, Any]:
    """Two runs on the same images: `difference` is a − b."""
    return closed({"metric": STRING, "a": STRING, "b": STRING, "difference": VALUE, "ci95": INTERVAL, "n": INTEGER})


def change() -> dict[str, Any]:
    """A run against the same run of an earlier report, on the same images: `difference` is after − before."""
    return closed(
        {
            "run": STRING,
            "metric": STRING,
            "before": VALUE,
            "after": VALUE,
            "difference": VALUE,
            "ci95": INTERVAL,
            "n": INTEGER,
            "baseline": STRING,
        }
    )


def gate() -> dict[str, Any]:
    """A bar that a number has to pass, in the words of the command line, and why it did or did not."""
    return closed(
        {
            "gate": STRING,
            "run": STRING,
            "metric": STRING,
            "value": VALUE,
            "bar": NUMBER,
            "passed": BOOLEAN,
            "why": STRING,
        }
    )
