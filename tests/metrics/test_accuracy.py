"""How often the classifier is right."""

import numpy as np
import pytest

from cam_cli.types import ImageItem, Truth

from .made import found, metric, rows_of, squash, value, values


def said(*labels: str, uncertain: tuple[str, ...] = ()) -> Truth:
    return Truth(ImageItem("a", "", ""), labels, uncertain=uncertain)


def answered(*predictions: str):
    return found({}, squash(4, 4), predictions=predictions)


CASES = [
    (answered("cat", "dog", "elk"), said("cat")),
    (answered("dog", "elk", "fox", "gnu", "cat"), said("cat")),
    (answered("dog", "elk", "fox", "gnu", "ant"), said("cat")),
    (answered("dog", "cat"), said("cat", "dog")),
]


def test_top1_and_top5_by_hand():
    assert value("top1_accuracy", *CASES) == 2 / 4
    assert value("top5_accuracy", *CASES) == 3 / 4


def test_over_classes_it_is_the_mean_recall():
    """cat: first in one of four; dog: first in one of one."""
    assert value("top1_accuracy", *CASES, by_class=True) == (1 / 4 + 1) / 2
    assert value("top5_accuracy", *CASES, by_class=True) == (3 / 4 + 1) / 2


def test_a_guess_that_may_be_true_is_neither_right_nor_wrong():
    doubt = answered("dog", "cat"), said("cat", uncertain=("dog",))
    found_ = values("top1_accuracy", rows_of("top1_accuracy", [doubt, CASES[2]]))
    assert (found_["top1_accuracy"].values[0], found_["top1_accuracy"].n) == (0, 1)
    assert (found_["top5_accuracy"].values[0], found_["top5_accuracy"].n) == (0.5, 2), "cat is among the five"
    assert values("top1_accuracy", rows_of("top1_accuracy", [doubt]), by_class=True)["top1_accuracy"].n == 0
    beyond = answered("ant", "dog"), said("cat", uncertain=("dog",))
    found_ = values("top1_accuracy", rows_of("top1_accuracy", [beyond]))
    assert (found_["top1_accuracy"].values[0], found_["top1_accuracy"].n) == (0, 1)
    assert found_["top5_accuracy"].n == 0


def test_what_says_nothing_and_what_failed():
    silent = found({}, squash(4, 4))
    assert rows_of("top1_accuracy", [(silent, said("cat")), (answered("cat"), said()), (None, said())]) == [None] * 3
    rows = rows_of("top1_accuracy", [CASES[0], (None, said("cat"))])
    assert values("top1_accuracy", rows)["top5_accuracy"].values[0] == 0.5


@pytest.mark.parametrize(("case", "cells"), [*zip(CASES, [(1, 1), (0, 1), (0, 0), (1, 1)], strict=True)])
def test_cells(case, cells):
    told = metric("top1_accuracy").cells(metric("top1_accuracy").row(*case))
    assert told == {"top1_accuracy": bool(cells[0]), "top5_accuracy": bool(cells[1])}


def test_each_weighting_has_its_own_number():
    rows = rows_of("top1_accuracy", CASES)
    weights = np.array([[4, 0, 0, 0], [0, 4, 0, 0], [1, 0, 3, 0]], np.float32)
    shares = metric("top1_accuracy").reduce(rows, weights)["top1_accuracy"].values
    np.testing.assert_array_equal(shares, [1, 0, 0.25])
