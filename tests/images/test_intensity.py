"""What is black and what is white: the forms of `--intensity`, and the range each finds in a picture."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cam_cli.errors import ImageUnreadable, UsageError
from cam_cli.images.intensity import Intensity, Range, value_range
from cam_cli.types import IMAGE_FLAGS

RULES = ("auto", "dtype", "minmax", "percentile:2:98", "percentile:0:50", "3:9")


def found(values: np.ndarray, text: str) -> Range:
    return value_range(values, Intensity.parse(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("auto", ("auto", 0, 0)),
        ("dtype", ("dtype", 0, 0)),
        ("minmax", ("minmax", 0, 0)),
        ("0:4095", ("values", 0, 4095)),
        ("-1000:400.5", ("values", -1000, 400.5)),
        ("percentile:1:99.5", ("percentile", 1, 99.5)),
    ],
)
def test_forms(text, wanted):
    one = Intensity.parse(text)
    assert (one.rule, one.low, one.high) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "Auto", "full", "5", "5:1", "5:5", "a:b", "1:2:3", ":", "0:", "0:inf", "nan:1", "0:1e39",
        "16777216:16777217", "percentile", "percentile:", "percentile:5", "percentile:-1:99", "percentile:1:101",
        "percentile:90:10", "minmax:1:2", "dtype:0:1",
    ],
)  # fmt: skip
def test_bad_forms(text):
    with pytest.raises(
        UsageError, match=r"auto, dtype, minmax, LO:HI .* percentile:LO:HI .* with LO < HI, not"
    ) as error:
        Intensity.parse(text)
    assert repr(text) in error.value.message


@pytest.mark.parametrize(
    ("top", "full", "guessed"),
    [
        (200, 255, True),
        (256, 1023, True),
        (1024, 4095, True),
        (4095, 4095, True),
        (4096, 16383, True),
        (16383, 16383, True),
        (16384, 65535, False),
        (65535, 65535, False),
        (0, 255, True),
    ],
)
def test_auto_takes_the_least_depth_that_holds_the_maximum(top, full, guessed):
    values = np.zeros((4, 5, 3), np.uint16)
    values[1, 2] = top
    assert found(values, "auto") == Range(0, full, guessed)
    assert found(values, "auto").flags == ("depth_guessed",) * guessed


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0.25, 1.0, Range(0, 1, False)),
        (0.0, 255.0, Range(0, 255, True)),
        (-5.0, 5.0, Range(-5, 5, True)),
        (100.0, 4000.0, Range(100, 4000, True)),
        (9000.0, 9000.0, Range(9000, 18000, True)),
    ],
)
def test_auto_of_floats(low, high, wanted):
    values = np.full((4, 5, 3), low, np.float32)
    values[2, 3] = high
    assert found(values, "auto") == wanted
    assert set(wanted.flags) <= set(IMAGE_FLAGS)


@pytest.mark.parametrize(("dtype", "top"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_dtype_is_what_the_dtype_holds_whatever_the_values(dtype, top):
    for value in (0, 1, 200):
        assert found(np.full((2, 3, 3), value, dtype), "dtype") == Range(0, top, False)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_the_other_rules_by_hand(dtype):
    values = np.arange(1, 101).astype(dtype)  # the k-th of a hundred values is k
    np.random.default_rng(0).shuffle(values)
    assert found(values, "minmax") == (1, 100, False)
    assert found(values, "7:90") == (7, 90, False)
    assert found(values, "percentile:0:100") == (1, 100, False)
    assert found(values, "percentile:2:98") == (2, 98, False)
    assert found(values, "percentile:2.5:97.5") == (3, 98, False)


@given(
    values=st.sampled_from([np.uint8, np.uint16, np.float32]).flatmap(
        lambda dtype: arrays.arrays(
            dtype,
            (3, 4, 1),
            elements=st.floats(-(2.0**100), 2.0**100, width=32) if dtype is np.float32 else None,
        )
    ),
    text=st.sampled_from(RULES),
)
def test_every_range_has_two_ends_and_is_the_same_for_a_picture_whose_channels_are_equal(values, text):
    one = found(values, text)
    assert np.float32(one.low) < np.float32(one.high)
    assert np.isfinite([one.low, one.high]).all()
    assert found(values.repeat(3, 2), text) == one
    assert not one.guessed or text == "auto"


@pytest.mark.parametrize("text", RULES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_not_finite_are_refused(bad, text):
    values = np.zeros((4, 5, 3), np.float32)
    values[1, 1, 1] = bad
    with pytest.raises(ImageUnreadable, match="NaN or infinite"):
        found(values, text)


@pytest.mark.parametrize(
    ("dtype", "text"), [("uint8", "auto"), ("uint8", "dtype"), ("uint16", "dtype"), ("uint16", "0:9")]
)
def test_a_range_that_does_not_depend_on_the_values_reads_none(dtype, text):
    class Unread(np.ndarray):
        def min(self, *_, **__):
            pytest.fail("scanned")

        max = __array_function__ = min

    assert found(np.zeros((4, 4, 3), dtype).view(Unread), text).high > 0
