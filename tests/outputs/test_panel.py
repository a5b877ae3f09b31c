"""What a panel says, and that it shows no map twice."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from cam_cli.maps import heatmap
from cam_cli.outputs.kind import Drawn, Style
from cam_cli.outputs.panel import Panel, role, verdict
from cam_cli.specs import OutputSpec
from cam_cli.types import ClassMap, Explanation, Geometry, ImageItem, MapLabel, Prediction

CUP, HAY = Prediction(968, "cup", None, 4.0, 0.7), Prediction(958, "hay", None, 1.0, 0.2)
RAW = np.array([[1.0, -2], [0.5, 0]], np.float32)
GEOMETRY = Geometry(40, 30, 8, 8, (8 / 40, 8 / 30), (0.0, 0.0), "squash")


def explained(*maps: tuple[Prediction, str], truth: Prediction | None = None) -> Explanation:
    made = tuple(ClassMap(one, "cam", ("bn2",), RAW, MapLabel("cam", "bn2", part)) for one, part in maps)
    pixels = np.zeros((30, 40, 3), np.uint8)
    correct = None if truth is None else truth == CUP
    item = ImageItem("a/b.png", "in/a/b.png", "a/b")
    return Explanation(item, GEOMETRY, (CUP, HAY), made, pixels, truth=truth, correct=correct)


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (None, ["a/b.png", "cup  70.0%"]),
        (CUP, ["right: cup  70.0%", "a/b.png"]),
        (HAY, ["wrong: cup  70.0%, true: hay  20.0%", "a/b.png"]),
    ],
)
def test_the_pictures_caption_is_the_verdict(truth, words):
    assert verdict(explained(truth=truth)) == words


def test_captions_tell_predicted_and_true_and_what_is_negated():
    found = explained((CUP, "1"), (HAY, "truth"), truth=HAY)
    assert [role(found, one) for one in found.maps] == ["predicted: ", "true: "]
    assert role(replace(found, truth=CUP), found.maps[0]) == "predicted, true: "
    assert role(replace(found, truth=None), found.maps[0]) == ""
    negated = replace(found.maps[0], sign=-1)
    assert role(found, negated) == ""
    caption = lambda one: Drawn(one, heatmap(RAW, GEOMETRY, signed=one.signed)).caption  # noqa: E731
    assert caption(negated) == "not cup  70.0%"
    assert caption(replace(found.maps[0], against=HAY)) == "cup  70.0%  against hay"


def test_the_best_class_that_is_the_true_one_is_one_row():
    def height(explanation: Explanation) -> int:
        panel = Panel(Style.of(OutputSpec()))
        parts = [panel.part(explanation, Drawn(one, heatmap(RAW, GEOMETRY))) for one in explanation.maps]
        return cv2.imdecode(np.frombuffer(panel.join(explanation, parts), np.uint8), cv2.IMREAD_COLOR).shape[0]

    one, two = height(explained((CUP, "1"))), height(explained((CUP, "1"), (HAY, "truth"), truth=HAY))
    assert height(explained((CUP, "1"), (CUP, "truth"), truth=CUP)) == one < two
