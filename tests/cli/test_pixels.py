"""Whole commands on deep and grey files, and the options that say what a network is shown."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.conftest import SAMPLES

RAW = ("--class", "espresso", "--save", "raw", "--overwrite", "-o", "out", "--json")


def grey(width: int, height: int) -> np.ndarray:
    """uint8 (height, width): a photograph, from 0 to 255."""
    picture = cv2.imread(str(SAMPLES / "coffee.png"), cv2.IMREAD_GRAYSCALE)
    picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.normalize(picture, None, 0, 255, cv2.NORM_MINMAX)


def deepened(picture: np.ndarray, bits: int) -> np.ndarray:
    """The same in `bits` bits, full range, in a uint16."""
    return np.round(picture / 255 * (2**bits - 1)).astype(np.uint16)


def raw(record: dict) -> np.ndarray:
    return np.load(Path("out") / record["maps"][0]["files"]["raw"])


def run_json() -> dict:
    return json.loads(Path("out/run.json").read_text())


def explained(camtool, *arguments: object) -> list[tuple[dict, np.ndarray]]:
    """The record and the raw map of each picture."""
    ran = camtool("gradcam", *arguments, *RAW)
    assert ran.code == 0, ran.err
    return [(record, raw(record)) for record in ran.records]


# Depth


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize(
    ("size", "bits", "within"),
    [
        # No resize: 16 bits hold the 8 exactly; 12 bits round by 1/32 of a level (measured: 0.07 % of the maximum).
        ((224, 224), 16, 1e-5),
        ((224, 224), 12, 2e-3),
        # With one, 8-bit pictures are resized as 8 bits, and that rounds twice (measured: 1.6 % for both depths).
        ((600, 400), 16, 3e-2),
        ((600, 400), 12, 3e-2),
    ],
)
def test_a_deep_grey_file_is_its_8_bit_twin(camtool, size, bits, within, suffix):
    cv2.imwrite(f"a{suffix}", grey(*size))
    cv2.imwrite(f"b{suffix}", deepened(grey(*size), bits))
    fit = ("--fit", "squash") if size == (224, 224) else ()
    (twin, wanted), (deep, found) = explained(camtool, f"a{suffix}", f"b{suffix}", *fit)
    assert twin["predictions"][0]["name"] == deep["predictions"][0]["name"] == "espresso"
    assert deep["predictions"][0]["logit"] == pytest.approx(twin["predictions"][0]["logit"], rel=within)
    assert np.abs(found - wanted).max() <= within * np.abs(wanted).max()
    assert (twin["flags"], deep["flags"]) == ([], ["depth_guessed"] if bits == 12 else [])


@pytest.mark.parametrize(("top", "flags"), [(16383, ["depth_guessed"]), (16384, []), (65535, [])])
def test_depth_is_guessed_where_two_bits_are_free(camtool, top, flags):
    picture = grey(64, 64).astype(np.uint16)
    picture[0, 0] = top
    cv2.imwrite("a.png", picture)
    ran = camtool("gradcam", "a.png", "--save", "none", "--json")
    assert ran.records[0]["flags"] == flags
    assert ("depth_guessed" in ran.err) == bool(flags)


def test_intensity_of_a_12_bit_file(camtool):
    deep = deepened(grey(224, 224), 12)
    deep[0, 0] = 4095
    cv2.imwrite("a.png", deep)
    options = ("--fit", "squash", "--intensity")
    found = {text: explained(camtool, "a.png", *options, text)[0] for text in ("auto", "0:4095", "minmax", "dtype")}
    assert run_json()["spec"]["geometry"]["intensity"] == "dtype"
    auto = found["auto"][0]
    for text in ("0:4095", "minmax"):  # its least is 0
        record, map_ = found[text]
        assert record == auto | {"flags": []}
        np.testing.assert_array_equal(map_, found["auto"][1])
    assert auto["flags"] == ["depth_guessed"]
    dark, map_ = found["dtype"]
    assert dark["flags"] == []
    assert dark["maps"][0]["class"]["probability"] < auto["maps"][0]["class"]["probability"] / 2
    assert np.corrcoef(map_.ravel(), found["auto"][1].ravel())[0, 1] < 0.99


@pytest.mark.parametrize(
    ("intensity", "low", "high"),
    [("auto", 0, 4095), ("dtype", 0, 65535), ("100:1000", 100, 1000), ("-1000:3000", -1000, 3000)],
)
def test_the_drawn_picture_has_the_same_range(camtool, intensity, low, high):
    deep = deepened(grey(96, 64), 12)
    cv2.imwrite("a.png", deep)
    assert (
        camtool("gradcam", "a.png", "--intensity", intensity, "--fit", "squash", "--alpha", "0", "-o", "b.png").code
        == 0
    )
    wanted = np.clip((deep - float(low)) / (high - low), 0, 1) * 255
    assert np.abs(cv2.imread("b.png", cv2.IMREAD_GRAYSCALE) - wanted).max() <= 1


def test_intensity_of_8_bits_is_in_their_own_units(camtool):
    picture = grey(224, 224)
    cv2.imwrite("a.png", picture)
    cv2.imwrite("b.png", np.round(np.clip((picture - 50.0) / 100, 0, 1) * 65535).astype(np.uint16))
    ((_, stretched),) = explained(camtool, "a.png", "--fit", "squash", "--intensity", "50:150")
    ((_, by_hand),) = explained(camtool, "b.png", "--fit", "squash")
    assert np.abs(stretched - by_hand).max() <= 1e-3 * np.abs(by_hand).max()
    (auto, one), (dtype, other) = (explained(camtool, "a.png", "--intensity", text)[0] for text in ("auto", "dtype"))
    assert auto == dtype
    np.testing.assert_array_equal(one, other)


# The recipe


def test_the_recipes_own_numbers_as_options_change_nothing(camtool):
    photo = SAMPLES / "coffee.png"
    ((plain, wanted),) = explained(camtool, photo)
    own = run_json()["models"][0]["preprocessing"]
    ((asked, found),) = explained(camtool, photo, "--mean", "0.5", "--std", "0.5,0.5,0.5", "--interpolation", "bicubic")
    assert asked == plain
    np.testing.assert_array_equal(found, wanted)
    assert run_json()["models"][0]["preprocessing"] == own | {
        "source": "options", "mean_asked": [0.5], "std_asked": [0.5, 0.5, 0.5], "interpolation_asked": "bicubic",
    }  # fmt: skip
    assert own["source"] == "weights"


def test_options_are_what_the_network_is_shown_by(camtool):
    """(x − m) / s of a picture is (x' − 0.5) / 0.5 of another: x' = (x − m) / 2s + 0.5."""
    picture = grey(224, 224)[..., None] * np.array([0.8, 0.9, 1.0]) / 255  # BGR
    mean, std = np.array([0.2, 0.3, 0.4]), np.array([1.0, 0.8, 0.9])  # RGB
    other = (picture - mean[::-1]) / (2 * std[::-1]) + 0.5
    for name, values in (("a.png", picture), ("b.png", other)):
        cv2.imwrite(name, np.round(values * 65535).astype(np.uint16))
    given = ("--mean", "0.2,0.3,0.4", "--std", "1,0.8,0.9", "--fit", "squash", "--intensity", "dtype")
    ((_, found),) = explained(camtool, "a.png", *given)
    assert run_json()["models"][0]["preprocessing"]["mean"] == [0.2, 0.3, 0.4]
    ((_, wanted),) = explained(camtool, "b.png", "--fit", "squash", "--intensity", "dtype")
    assert np.abs(found - wanted).max() <= 1e-3 * np.abs(wanted).max()  # of rounding to 16 bits


def test_size_and_interpolation_are_recorded_as_they_were_used(camtool):
    explained(camtool, SAMPLES / "coffee.png", "--size", "112", "--interpolation", "bilinear")
    used = run_json()["models"][0]["preprocessing"]
    assert (used["size"], used["resize"], used["interpolation"], used["source"]) == (112, 128, "bilinear", "options")
    assert (used["size_asked"], used["interpolation_asked"]) == (112, "bilinear")
    assert "mean_asked" not in used


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--intensity", "full"], "auto, dtype, minmax, LO:HI"),
        (["--intensity", "9:1"], "LO < HI"),
        (["--intensity", "percentile:1:200"], "percentile:LO:HI"),
        (["--mean", "123.7,116.3,103.5"], "--mean takes numbers from 0 to 1, for pixels from 0 to 1"),
        (["--mean", "0.5,0.5"], "--mean has 2 numbers, the network's input 3 channels"),
        (["--std", "0"], "--std takes numbers above 0"),
        (["--interpolation", "nearest"], "--interpolation"),
    ],
)
def test_values_that_are_none(camtool, photo, tmp_path, arguments, says):
    photo("x.png")
    ran = camtool("gradcam", "x.png", *arguments)
    assert (ran.code, ran.out) == (2, b"")
    last = ran.err.splitlines()[-1]
    assert last.startswith("camtool: error[UsageError]: ")
    assert says in last
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"], "nothing was written"


def test_max_pixels_says_both_numbers_in_pixels(camtool, photo):
    photo("a.png", 30, 20)
    ran = camtool("gradcam", "a.png", "--max-pixels", "599", "--save", "none", "--json")
    assert (
        "30 x 20 is 600 pixels, the limit is 599; raise it with --max-pixels 600" in ran.records[0]["error"]["message"]
    )


def test_a_transparent_grey_is_flattened_and_said(camtool):
    Image.fromarray(grey(64, 64)).save("a.png", transparency=0)
    (record,) = camtool("gradcam", "a.png", "--save", "none", "--json").records
    assert record["flags"] == ["alpha_flattened"]
