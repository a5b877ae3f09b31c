"""Whole commands on networks of tokens, handed in where a run loads its model."""

import json
import re

import pytest
import torch

import cam_cli.models
import cam_cli.tasks.explainer
from cam_cli.models.labels import Labels
from cam_cli.models.network import Network
from cam_cli.types import Recipe
from tests.cli.test_listings import table
from tests.nets import vit
from tests.test_attention import block

LABELS = Labels(("a", "b", "c", "d", "e"), None)
DEFAULT = "encoder.layers.encoder_layer_1.ln_1"


@pytest.fixture(params=["vit"])
def network(request, monkeypatch):
    model = {"vit": vit, "patches": lambda: block("fused")}[request.param]()
    half = (0.5, 0.5, 0.5)
    made = Network("tiny", "test", model, Recipe(64, 72, half, half, "bilinear", "weights"), LABELS, "none", "0" * 64)
    for place in (cam_cli.models, cam_cli.tasks.explainer):
        monkeypatch.setattr(place, "load", lambda *given, **more: made)
    return made


@pytest.mark.usefixtures("network")
def test_layers(camtool):
    rows = {row["layer"]: row for row in table(camtool("layers"))}
    row = rows[DEFAULT]
    assert {name: row[name] for name in ("type", "channels", "rows", "cols", "stride", "prefix", "stage")} == {
        "type": "LayerNorm", "channels": "32", "rows": "4", "cols": "4", "stride": "16", "prefix": "1",
        "stage": "layer4",
    }  # fmt: skip
    assert rows["conv_proj"]["prefix"] == ""
    assert [name for name, row in rows.items() if row["default"]] == [DEFAULT]


@pytest.mark.usefixtures("network")
def test_several_methods_side_by_side(camtool, photo):
    methods = ("gradcam", "layercam", "eigencam", "rollout", "legrad")
    wanted = [part for method in methods for part in ("--method", method)]
    ran = camtool("explain", photo("a.png"), *wanted, "-o", "out", "--json")
    assert ran.code == 0
    (record,) = ran.records
    assert [(one["method"], one["layers"], one["grid"]) for one in record["maps"]] == [
        (method, [] if method in ("rollout", "legrad") else [DEFAULT], {"rows": 4, "cols": 4}) for method in methods
    ]
    assert f"{DEFAULT} (LayerNorm, 32×4×4, stride 16): last tokens that the scores read" in ran.err
    described = json.loads((photo("a.png").parent / "out/run.json").read_text())["models"][0]["layers"]
    assert described[0]["layers"][0]["prefix"] == 1


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("gradcam", "--layer", "encoder.ln"),
            rf"error\[LayerUnsuitable\].*every gradient there is 0; use .*{DEFAULT}",
        ),
        (("cam",), r"error\[MethodUnsuitable\].*tiny has a class token.*use `camtool gradcam`"),
        (
            ("gradcam", "--fit", "keep"),
            r"error\[ModelFailed\]: tiny does not take .*64×64\); drop --size, and use --fit",
        ),
    ],
)
def test_what_cannot_be_is_said_before_the_first_image(camtool, photo, arguments, said):
    command, *options = arguments
    ran = camtool(command, photo("a.png"), *options, "-o", "out")
    assert (ran.code, ran.out) == (4, b"")
    assert len(ran.err.splitlines()) <= 3
    assert re.search(said, ran.err.splitlines()[-1])


@pytest.mark.usefixtures("network")
def test_a_layer_without_gradients_serves_methods_that_take_none(camtool, photo):
    ran = camtool("explain", photo("a.png"), "--method", "eigencam", "--layer", "encoder.ln", "-o", "out")
    assert ran.code == 0


@pytest.mark.parametrize("network", ["patches"], indirect=True)
@pytest.mark.parametrize("method", ["gradcam", "rollout", "legrad"])
def test_undistorted_oblong_pictures(camtool, photo, network, method):
    """The short side of 96 px becomes 72, to whole patches 64; the long one of 150 px 112.5, seven patches."""
    ran = camtool("explain", photo("a.png", 150, 96), "--method", method, "--fit", "keep", "-o", "out", "--json")
    assert ran.code == 0
    assert ran.records[0]["maps"][0]["grid"] == {"rows": 4, "cols": 7}
    with torch.no_grad():
        assert network.module.embed(torch.zeros(1, 3, 64, 112)).shape[2:] == (4, 7)
