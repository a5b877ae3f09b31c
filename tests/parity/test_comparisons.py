"""Every method against every peer that has it: the same formula is the same map, another one is told apart."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pytorch_grad_cam")
pytest.importorskip("torchcam.methods")
pytest.importorskip("captum.attr")

from cam_cli.methods import METHODS

from .comparisons import ALONE, COMPARISONS, differences
from .deviations import DEVIATIONS
from .networks import DIFFERENCE, assert_agree, distance
from .places import EVERY, MIXED, RECTIFIED, SMALL, SMALL_MIXED, SMALL_RECTIFIED

PAIRS = [(one, place) for one in COMPARISONS for place in one.where]


@pytest.mark.parametrize(
    ("one", "place"),
    PAIRS,
    ids=[f"{one.method}-{one.peer}-{place.name}-{place.layer}" for one, place in PAIRS],
)
def test_the_same_formula(one, place):
    mine, theirs = one.ours(place), one.theirs(place)
    if not one.damped:
        assert_agree(mine, theirs)
    correlation, difference = distance(mine, theirs)
    assert correlation >= 0.999
    assert difference <= 5e-3


@pytest.mark.parametrize("one", DEVIATIONS, ids=[f"{one.method}-{one.peer}" for one in DEVIATIONS])
def test_a_deviation_is_all_that_is_different(one):
    assert max(difference for _, _, difference in differences(one)) > DIFFERENCE
    for _, correlation, difference in differences(replace(one, ours=one.again)):
        assert correlation >= 0.9999
        assert difference <= 1e-3


def test_every_method_is_compared_or_stands_alone():
    compared = {one.method.partition(":")[0] for one in (*COMPARISONS, *DEVIATIONS)}
    assert not compared & set(ALONE)
    assert compared | set(ALONE) == set(METHODS)


def test_the_page_has_a_row_each():
    """Of figures it has those of the day it was made."""
    page = (Path(__file__).parents[2] / "docs" / "parity.md").read_text(encoding="utf-8")
    rows = Counter(re.findall(r"^\| `(\S+)` \| (\S+) \| [\d.-]+ \|", page, re.MULTILINE))
    assert rows == Counter((one.method, one.peer) for one in (*COMPARISONS, *DEVIATIONS)), "run docs/make/parity.py"


def test_layers_are_what_they_are_said_to_be():
    for place in (*EVERY, *RECTIFIED, *SMALL, *SMALL_RECTIFIED):
        assert (place.seen[0].activations.min() < 0) == (place in (*MIXED, *SMALL_MIXED)), place
