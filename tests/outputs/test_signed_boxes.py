"""Boxes of maps that are signed: of `not:` and `--against`."""

import jsonschema
import numpy as np
import pytest

from cam_cli.outputs.destination import Destination
from cam_cli.outputs.finishing import Finisher
from cam_cli.outputs.kind import Drawn
from cam_cli.outputs.marks import marks
from cam_cli.outputs.naming import Naming
from cam_cli.outputs.record import result
from cam_cli.outputs.schema import result_schema
from cam_cli.specs.boxes import BoxSpec
from cam_cli.types import ClassMap, Explanation, Geometry, ImageItem, MapLabel, Prediction

WHOLE = Geometry(8, 4, 8, 4, (1.0, 1.0), (0.0, 0.0), "squash")
CUP, HAY = Prediction(967, "espresso", None, 8.0, 0.8), Prediction(958, "hay", None, 3.0, 0.1)
RAW = np.zeros((4, 8), np.float32)
RAW[1:3, 1:3], RAW[1:3, 5:7], RAW[0, 7] = -4, 1, 0.5  # a cell a pixel; most of it speaks against


def boxed(sign: int = 1, against: Prediction | None = None, scale=None, raw: np.ndarray = RAW) -> Drawn:
    one = ClassMap(CUP, "cam", ("bn2",), raw, MapLabel("cam", "x", "1"), sign, against)
    finisher = Finisher({}, Naming(frozenset(), None), "per-map", Destination(None), BoxSpec(boxes="all"))
    return finisher.draw(one, WHOLE, scale)


@pytest.mark.parametrize("scale", [None, (-8.0, 8.0)])
@pytest.mark.parametrize(("sign", "against", "probability"), [(1, HAY, 0.8), (-1, None, 0.2), (-1, HAY, 0.2)])
def test_they_are_where_the_heat_is_positive(sign, against, probability, scale):
    drawn = boxed(sign, against, scale)
    (one,) = drawn.regions.boxes
    assert (one.xyxy, one.area) == ((5, 0, 8, 3), 5), "threshold of the positive part's maximum, touching at a corner"
    assert one.score == pytest.approx(probability), "the peak's box scores all of it, though heat there is 1/4 or 1/8"
    assert drawn.heatmap.heat[1, 1] < drawn.heatmap.heat.max() == drawn.heatmap.heat[1, 5] < 0.3


def test_without_positive_heat_there_is_none_and_a_flag_says_so():
    drawn = boxed(-1, raw=-abs(RAW))
    assert (drawn.regions.boxes, drawn.heatmap.peak, drawn.flags) == ((), None, ("no_box",))
    explanation = Explanation(ImageItem("a.png", "a.png", "a"), WHOLE, (CUP,), (drawn.map,))
    record = result(explanation, (drawn,), [{}])
    jsonschema.validate(record, result_schema())
    assert record["maps"][0]["boxes"] == []


def test_marks_tell_class_sign_and_the_other_class_apart():
    found = marks([boxed(), boxed(-1), boxed(1, HAY), boxed(-1)])
    assert [one.labels for one in found] == [
        ["espresso  0.80"], ["not espresso  0.20"], ["espresso  0.80  against hay"], ["not espresso  0.20"]
    ]  # fmt: skip
    assert found[1].colour == found[3].colour
    assert len({one.colour for one in found}) == 3
