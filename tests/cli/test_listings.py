"""Lists go to stdout: tab-separated in a pipe, JSON on request."""

import json

import jsonschema
import pytest

from cam_cli.methods import METHODS
from tests.conftest import SAMPLES


def table(ran) -> list[dict[str, str]]:
    assert (ran.code, ran.err) == (0, "")
    header, *rows = [line.split("\t") for line in ran.out.decode().removesuffix("\n").split("\n")]
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_layers(camtool):
    rows = table(camtool("layers"))
    stages = {row["stage"]: row for row in rows if row["stage"]}
    assert {stage: row["layer"] for stage, row in stages.items()} == {
        "layer1": "blocks.1", "layer2": "blocks.2", "layer3": "blocks.4", "layer4": "bn2",
    }  # fmt: skip
    assert [row["layer"] for row in rows if row["default"]] == ["bn2"]
    last = stages["layer4"]
    assert (last["channels"], last["rows"], last["cols"], last["stride"]) == ("1280", "7", "7", "32")


def test_methods_and_models(camtool):
    assert [row["method"] for row in table(camtool("methods"))] == list(METHODS)
    models = {row["model"]: row["source"] for row in table(camtool("models"))}
    assert models["efficientnet_lite0"] == "bundled"
    assert models["resnet50"] == "torchvision"
    assert "fcn_resnet50" not in models


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("grad-cam", "gradcam"),
        ("Grad-CAM++", "gradcam++"),
        ("GradCAMPlusPlus", "gradcam++"),
        ("LayerCAM", "layercam"),
        ("hi-res-cam", "hirescam"),
        ("HiResCAM", "hirescam"),
        ("GradCAM element wise", "gradcam_elementwise"),
    ],
)
def test_spellings_of_a_method(typed, name):
    assert METHODS.canonical(typed) == name
    assert METHODS.entry(typed) is METHODS[name]


def test_spellings_of_one_method_are_one_column(camtool):
    several = ("--method", "Grad-CAM++", "--method", "gradcam++", "--method", "Grad-CAM")
    ran = camtool("explain", SAMPLES / "coffee.png", *several, "-o", "out", "--quiet")
    assert (ran.code, ran.lines) == (0, ["out/coffee.gradcam++.png", "out/coffee.gradcam.png"])


def test_classes(camtool):
    assert table(camtool("classes", "crane")) == [
        {"index": "134", "wnid": "n02012849", "name": "crane"},
        {"index": "517", "wnid": "n03126707", "name": "crane"},
    ]
    assert len(table(camtool("classes"))) == 1000
    assert json.loads(camtool("classes", "espresso", "--json").out)[0]["index"] == 550
    ran = camtool("classes", "zzzzzz")
    assert (ran.code, ran.out) == (4, b"")
    assert "error[ClassUnknown]" in ran.err


def test_schema(camtool):
    schema = json.loads(camtool("schema", "result").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    ran = camtool("schema", "nothing")
    assert (ran.code, ran.out) == (2, b"")


@pytest.mark.parametrize("flag", ["--version"])
def test_version(camtool, flag):
    import cam_cli

    ran = camtool(flag)
    assert (ran.code, ran.out.decode()) == (0, f"camtool {cam_cli.__version__}\n")


def test_help_shows_what_stands_in_brackets(camtool):
    ran = camtool("gradcam", "--help")
    for default in ("camtool-out", "0.5", "the cores"):
        assert f"[default: {default}]" in ran.out.decode(), default
