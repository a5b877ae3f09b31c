"""Several models in one run: a record, names and a panel for each image and model."""

import json

import pytest

from .test_explain import SAMPLES, files

SMALL = """
import torch
from torch import nn

def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, 4, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 1000)
    )
"""


@pytest.fixture
def run(camtool, tmp_path):
    (tmp_path / "small.py").write_text(SMALL)

    def run(*arguments, inputs=("coffee.png", "rocket.jpg")):
        paths = [SAMPLES / one for one in inputs]
        return camtool("gradcam", *paths, "-m", "efficientnet_lite0", "-m", "mine=small.py:net", *arguments)

    return run


def test_a_record_an_image_and_model_image_by_image(run, tmp_path):
    ran = run("--json", "-o", "out", "--class", "espresso")
    assert ran.code == 0, ran.err
    records = [json.loads(line) for line in ran.out.splitlines()]
    assert [(one["id"], one["model"]) for one in records] == [
        ("coffee.png", "efficientnet_lite0"), ("coffee.png", "mine"),
        ("rocket.jpg", "efficientnet_lite0"), ("rocket.jpg", "mine"),
    ]  # fmt: skip
    assert records[1]["maps"][0]["files"] == {"overlay": "coffee.mine.gradcam.png"}
    assert records[0]["maps"][0]["grid"] == {"rows": 7, "cols": 7}
    assert records[1]["maps"][0]["grid"] == {"rows": 56, "cols": 56}
    assert "coffee.efficientnet_lite0.gradcam.png" in files(tmp_path / "out")
    run_json = json.loads((tmp_path / "out/run.json").read_text())
    assert [one["alias"] for one in run_json["models"]] == ["efficientnet_lite0", "mine"]
    assert run_json["counts"]["done"] == 4
    assert "4 results, 4 maps" in ran.err


def test_each_models_maps_are_those_of_a_run_of_its_own(run, camtool):
    beside = [json.loads(line) for line in run("--json", "--save", "none").out.splitlines()]
    alone = camtool("gradcam", SAMPLES / "coffee.png", SAMPLES / "rocket.jpg", "--json", "--save", "none")
    for one, other in zip(beside[::2], map(json.loads, alone.out.splitlines()), strict=True):
        assert one == other


def test_a_panel_for_each_model(run, tmp_path):
    assert run("--save", "panel", "-o", "out", inputs=["coffee.png"]).code == 0
    assert {"coffee.efficientnet_lite0.panel.png", "coffee.mine.panel.png"} <= set(files(tmp_path / "out"))


def test_a_broken_image_is_a_record_for_each_model(run, camtool, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    ran = camtool("cam", "broken.png", "-m", "efficientnet_lite0", "-m", "mine=small.py:net", "--json", "-o", "out")
    assert ran.code == 5
    records = [json.loads(line) for line in ran.out.splitlines()]
    assert [(one["model"], one["error"]["kind"]) for one in records] == [
        ("efficientnet_lite0", "ImageUnreadable"), ("mine", "ImageUnreadable")
    ]  # fmt: skip
    assert "2 of 2 results failed" in ran.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["-m", "small.py:net", "-m", "small.py:net"], "two models are called 'net'"),
        (["-m", "a=small.py:net", "-m", "b=small.py:net", "--checkpoint", "x.pth"], "--checkpoint goes with one"),
        (["-m", "a=small.py:net", "-m", "b=small.py:net", "-o", "x.png"], "names one result"),
    ],
)
def test_what_cannot_stand_side_by_side(options, says, camtool, tmp_path):
    (tmp_path / "small.py").write_text(SMALL)
    ran = camtool("cam", SAMPLES / "coffee.png", *options)
    assert ran.code == 2
    assert says in ran.err
