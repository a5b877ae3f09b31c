"""metrics.json, curves/*.csv, per_image.csv: their bytes."""

import csv
import io
import json
import math

import pytest

from cam_cli.outputs.report.curves import curves, safe
from cam_cli.outputs.report.flat import flat
from cam_cli.outputs.report.per_image import per_image

from .examples import HOSTILE, run, small


def test_numbers_of_several_runs_have_the_run_in_front():
    assert (
        flat(small())
        == b"""\
{
 "cam.gt_known_loc": 0.75,
 "cam.deletion_auc": 0.25,
 "gradcam.gt_known_loc": 0.625,
 "gradcam.deletion_auc": null
}
"""
    )


def test_numbers_of_one_run_have_their_names_alone():
    report = small()
    del report["runs"][1]
    report["runs"][0]["metrics"][1]["value"] = math.nan
    assert json.loads(flat(report)) == {"gt_known_loc": 0.75, "deletion_auc": None}
    report["runs"] = []
    assert flat(report) == b"{}\n"


def test_a_curve_is_a_table_with_named_columns():
    assert dict(curves(small())) == {"curves/cam.gt_known_loc.csv": b"threshold,accuracy\n0,0.5\n0.5,0.75\n1,\n"}


def test_names_of_curve_files_are_safe_and_unique():
    report = small()
    (curve,) = report["runs"][0]["curves"]
    names = ["../../etc/passwd", "a/b", "A_b", "a_b", HOSTILE, "x" * 300, "Ä"]
    report["runs"] = [run(name, [], curves=[curve | {"curve": ".hidden"}]) for name in names]
    made = [name for name, _ in curves(report)]
    assert made[:4] == [
        "curves/_._.._etc_passwd._hidden.csv",
        "curves/a_b._hidden.csv",
        "curves/A_b._hidden~2.csv",
        "curves/a_b._hidden~3.csv",
    ]
    assert len({name.casefold() for name in made}) == len(made)
    assert all(name.count("/") == 1 and len(name) < 200 and name.isascii() for name in made)


@pytest.mark.parametrize(
    ("name", "is_safe"), [("resnet50.gradcam++", True), ("a b", False), ("..", False), ("", False)]
)
def test_ordinary_names_stay_as_they_are(name, is_safe):
    assert (safe(name) == name) is is_safe
    assert safe(name)


ROWS = [
    {"id": "a.jpg", "run": "cam", "iou": 1 / 3, "right": True},
    {"id": 'b,"c"\nd.jpg', "run": "cam", "area": 7, "class": "tabby", "iou": math.nan},
    {"run": "cam", "id": "ü\udcff.jpg", "error": "ImageUnreadable", "right": None},
]


def test_a_row_an_image_with_the_columns_of_all():
    assert b"".join(per_image(ROWS)) == (
        "id,run,class,error,area,iou,right\n"
        "a.jpg,cam,,,,0.333333,True\n"
        '"b,""c""\nd.jpg",cam,tabby,,7,,\n'
        "ü\udcff.jpg,cam,,ImageUnreadable,,,\n"
    ).encode("utf-8", "surrogateescape")


def test_the_columns_do_not_depend_on_the_order_of_rows():
    backwards = list(csv.reader(io.StringIO(b"".join(per_image(ROWS[::-1])).decode(errors="surrogateescape"))))
    forwards = list(csv.reader(io.StringIO(b"".join(per_image(ROWS)).decode(errors="surrogateescape"))))
    assert backwards == [forwards[0], *forwards[:0:-1]]


def test_without_rows_there_is_a_header():
    assert b"".join(per_image([])) == b"id,run\n"


def test_rows_come_one_by_one_and_are_never_gone_through_once_only():
    class Many:
        """A thousand rows, and how many were asked for."""

        asked = 0

        def __iter__(self):
            for index in range(1000):
                self.asked += 1
                yield {"id": str(index), "run": "cam"}

    many = Many()
    lines = per_image(many)
    assert many.asked == 1000  # for the columns
    assert [next(lines), next(lines)] == [b"id,run\n", b"0,cam\n"]
    assert many.asked == 1001
    with pytest.raises(TypeError, match="twice"):
        per_image(iter(ROWS))
