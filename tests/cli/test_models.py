"""Whole commands on models of one's own: what is printed, recorded and refused."""

import json
import sys
from dataclasses import replace

import pytest
import torch

from tests.cli.test_listings import table
from tests.conftest import SAMPLES

CODE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes, wrap):
        super().__init__()
        torch.manual_seed(0)
        self.body, self.fc, self.wrap = nn.Conv2d(3, 4, 16, stride=16), nn.Linear(4, classes), wrap
        self.default_cfg = {"input_size": (3, 64, 64)}

    def forward(self, x):
        scores = self.fc(self.body(x).mean((2, 3)))
        return {"dict": {"logits": scores, "grid": x}, "tuple": (scores, x), "both": (scores, scores)}[self.wrap]

def build(num_classes=3, wrap="dict"):
    print("a person's own code may print")
    return Net(num_classes, wrap)

def one():
    return Net(1, "dict")
"""


@pytest.fixture
def run(camtool, tmp_path, monkeypatch):
    """`camtool` in a folder with ownnet.py, and with the import paths undone."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "ownnet.py").write_text(CODE)
    yield camtool
    sys.modules.pop("ownnet", None)


def said(ran, kind, code):
    (line,) = [line for line in ran.err.splitlines() if "error[" in line]
    assert ran.code == code, ran.err
    assert line.startswith(f"camtool: error[{kind}]: ")
    return line


COFFEE = SAMPLES / "coffee.png"


@pytest.mark.parametrize("wrap", ["dict", "tuple"])
@pytest.mark.parametrize("command", ["cam", "gradcam"])
def test_a_factory_whose_output_is_wrapped(run, command, wrap):
    ran = run(command, COFFEE, "-m", "ownnet:build", "--model-arg", f"wrap={wrap}", "--json", "--save", "none")
    assert ran.code == 0, ran.err
    (record,) = ran.records
    assert [one["name"] for one in sorted(record["predictions"], key=lambda one: one["index"])] == [
        "class_0", "class_1", "class_2",
    ]  # fmt: skip
    assert record["maps"][0]["layers"] == ["body"]


def test_an_output_that_could_be_two_things(run):
    ran = run("cam", COFFEE, "-m", "ownnet:build", "--model-arg", "wrap=both")
    assert "2 of them could be scores" in said(ran, "ModelFailed", 4)


def test_one_logit_has_two_sides(run):
    classes = ("--class", "positive", "--class", "negative")
    ran = run("cam", COFFEE, "-m", "ownnet.py:one", *classes, "--json", "--save", "none")
    assert ran.code == 0, ran.err
    positive, negative = (one["class"] for one in ran.records[0]["maps"])
    assert (positive["name"], positive["index"], negative["name"], negative["index"]) == ("positive", 1, "negative", 0)
    assert positive["logit"] == -negative["logit"]
    assert positive["probability"] == pytest.approx(torch.tensor(positive["logit"]).sigmoid().item(), abs=1e-5)
    assert positive["probability"] + negative["probability"] == pytest.approx(1, abs=1e-5)
    low, high = ran.records[0]["maps"][0]["raw_range"]
    assert ran.records[0]["maps"][1]["raw_range"] == [-high, -low]


def test_the_choice_is_recorded(run):
    names = ("cat", "dog", "red fox")
    with open("names.txt", "w") as file:
        file.write("\n".join(names))
    ran = run(
        "gradcam", COFFEE, "-m", "ownnet:build", "--labels", "names.txt", "--activation", "sigmoid", "--class", "fox"
    )
    assert ran.code == 0, ran.err
    with open("camtool-out/run.json") as file:
        kept = json.load(file)
    assert kept["models"][0]["source"] == "factory"
    assert len(kept["models"][0]["sha256"]) == 64
    model = kept["spec"]["model"]
    assert (model["labels"], model["activation"], model["models"]) == ("names.txt", "sigmoid", ["ownnet:build"])
    with open("camtool-out/results.jsonl") as file:
        record = json.loads(file.readline())
    assert record["maps"][0]["class"]["name"] == "red fox"
    assert sum(one["probability"] for one in record["predictions"]) != pytest.approx(1, abs=1e-3)


def test_a_trusted_checkpoint_and_one_that_is_not(run, tmp_path):
    sys.path.insert(0, str(tmp_path))
    import ownnet

    torch.save({"model": ownnet.build(2), "classes": ["cat", "dog"]}, "whole.pth")
    ran = run("gradcam", COFFEE, "-m", "ownnet:build@whole.pth")
    assert "--trust-checkpoint" in said(ran, "CheckpointUnsafe", 3)
    ran = run("classes", "-m", "ownnet:build", "--checkpoint", "whole.pth", "--trust-checkpoint")
    assert [row["name"] for row in table(replace(ran, err=""))] == ["cat", "dog"]


def test_a_class_that_is_not_there_names_the_command_that_lists_them(run):
    ran = run("gradcam", COFFEE, "-m", "ownnet:build", "--class", "zebra")
    assert "(list: `camtool classes -m ownnet:build`)" in said(ran, "ClassUnknown", 4)
    ran = run("gradcam", COFFEE, "--class", "no such class")
    assert "(list: `camtool classes`)" in said(ran, "ClassUnknown", 4)


@pytest.mark.parametrize(
    ("arguments", "kind", "code", "words"),
    [
        (("-m", "ownnet:build", "-m", "ownnet:build"), "UsageError", 2, "two models are called 'build'"),
        (("-m", "ownnet:build", "--model-arg", "wide"), "UsageError", 2, "key=value"),
        (("-m", "ownnet:build", "--labels", "none.txt"), "InputMissing", 3, "no labels at none.txt"),
        (("-m", "ownnet:build", "--model-arg", "depth=3"), "ModelFailed", 4, "unexpected keyword argument 'depth'"),
        (("-m", "hf/nowhere/at all"), "ModelUnknown", 4, "neither a folder here"),
    ],
)
def test_what_is_refused(run, arguments, kind, code, words):
    assert words in said(run("gradcam", COFFEE, *arguments), kind, code)


def test_layers_of_every_source_need_no_weights(run, tmp_path, monkeypatch):
    pytest.importorskip("timm")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody answers
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    ran = run("layers", "-m", "timm/test_resnet.r160_in1k")
    assert "camtool: warning: random weights, good for shapes only" in ran.err
    assert b"layer4\t" in ran.out
    ran = run("layers", "-m", "ownnet:build")
    assert [row["layer"] for row in table(replace(ran, err=""))] == ["body"]


def test_the_catalogue_names_patterns(run):
    rows = {row["model"]: row for row in table(run("models"))}
    assert {"efficientnet_lite0", "resnet50", "hf/ID_OR_FOLDER", "file.py:factory"} <= set(rows)
    pytest.importorskip("timm")
    assert rows["timm/resnet50"]["source"] == "timm"
