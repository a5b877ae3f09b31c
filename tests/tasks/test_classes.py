"""What the options of classes become once the model is known."""

import pytest

from cam_cli.errors import UsageError
from cam_cli.images.listing import Listing
from cam_cli.models.labels import Labels
from cam_cli.models.network import Network
from cam_cli.specs import ClassSpec
from cam_cli.tasks.classes import Classes, make_classes
from cam_cli.types import Recipe
from tests.nets import OneLogit

RECIPE = Recipe(16, 16, (0.5,) * 3, (0.5,) * 3, "bilinear", "assumed")


def made(activation: str, *labels: str, **options) -> Classes:
    network = Network("net", "factory", OneLogit(), RECIPE, Labels(labels), "", "", activation=activation)
    return make_classes(ClassSpec(**options), network, Listing(["a"], ["a"]), None)


def test_the_decision_is_a_sigmoids():
    assert made("sigmoid", "negative", "positive").reading.decision == 0.5
    assert made("sigmoid", "negative", "positive", decision=0.0).reading.decision == 0
    assert made("sigmoid", "a", "b", "c", decision=0.8).reading.decision == 0.8
    with pytest.raises(UsageError, match="no meaning for net"):
        made("softmax", "a", "b", decision=0.5)


def test_two_classes_under_a_sigmoid_are_a_single_logit():
    assert made("sigmoid", "benign", "tumour").selections[0].indices == (1,)
    assert made("sigmoid", "a", "b", "c").selections[0].indices == ()
    assert made("softmax", "a", "b").selections[0].indices == ()


def test_what_was_understood_is_told():
    told = []
    listener = type("", (), {"note": lambda self, *words: told.append(words)})()
    made("softmax", "cat", "red fox", classes=("not:Red_Fox", "top"), against="CAT").tell(listener)
    assert told == [("class", "not:Red_Fox: red fox (1)"), ("against", "CAT: cat (0)")]
