"""Training on the default model: what it finds where there are no boxes, and what its file loads."""

import json
from pathlib import Path

import pytest

from tests.cli.test_start_up import loaded
from tests.training.pictures import write_scenes

METRICS = "classification_ap,location_ap,pointing_game,mean_iou"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """60 pictures to learn from and 30 others, of shapes on textured backgrounds: 3 MB in all."""
    folder = tmp_path_factory.mktemp("scenes")
    write_scenes(folder, range(60), 224, "learn.csv")
    write_scenes(folder, range(1000, 1030), 224, "new.csv")
    return folder


def measured(camtool, scenes, file):
    ran = camtool("evaluate", scenes / "new.csv", "--checkpoint", file, "-o", f"{file}.ev", "-q", "--metrics", METRICS)
    assert ran.code == 0, ran.err
    return json.loads(Path(f"{file}.ev/metrics.json").read_text())


def test_places_are_found_from_labels_alone(camtool, scenes):
    """The claim of Oquab et al. 2015, in small: a network with global max pooling that is told which classes are in a
    picture tells where they are in others. Location: within 18 px of the box, in pictures of 224 px."""
    options = ("--pool", "max", "--adapt", "64", "--dropout", "0.2", "--lr", "0.003", "--views", "1", "--epochs", "20")
    ran = camtool("train", scenes / "learn.csv", *options, "-o", "shapes.safetensors", "-q", "--val", "0.15")
    assert ran.code == 0, ran.err
    found = measured(camtool, scenes, "shapes.safetensors")
    assert found["classification_ap"] >= 0.95
    assert found["location_ap"] >= 0.9
    assert found["pointing_game"] >= 0.9
    assert Path("shapes.safetensors").stat().st_size < 16e6


def test_a_trained_file_loads_no_more_than_it_needs(camtool, scenes, tmp_path):
    """The default model's trunk is built without torchvision and timm; its classes are listed without torch."""
    options = ("--views", "1", "--epochs", "1", "--sample", "24", "--size", "96", "--val", "0")
    ran = camtool("train", scenes / "learn.csv", *options, "-o", "a.safetensors", "-q")
    assert ran.code == 0, ran.err
    picture = str(scenes / "0001.jpg")
    heavy = ["torchvision", "timm", "transformers"]
    assert loaded(["cam", picture, "--checkpoint", "a.safetensors"], heavy, tmp_path) == []
    assert loaded(["classes", "--checkpoint", "a.safetensors"], ["torch", "safetensors", *heavy], tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["max", "avg", "lse"])
@pytest.mark.parametrize("adapt", ["256", "none"])
def test_every_head_finds_them(camtool, scenes, pool, adapt):
    ran = camtool(
        "train", scenes / "learn.csv", "--pool", pool, "--adapt", adapt, "--lr", "0.003", "-o", "x.safetensors", "-q"
    )
    assert ran.code == 0, ran.err
    found = measured(camtool, scenes, "x.safetensors")
    assert found["classification_ap"] >= 0.95
    assert found["location_ap"] >= 0.9


@pytest.mark.slow
def test_finetuning_the_default_model(camtool, scenes):
    options = ("--finetune", "--epochs", "3", "--size", "224", "--batch-size", "8", "--val", "0.15")
    ran = camtool("train", scenes / "learn.csv", *options, "-o", "x.safetensors", "-v")
    assert ran.code == 0, ran.err
    told = json.loads(Path("x.train.json").read_text())
    losses = [epoch["loss"] for epoch in told["epochs"]]
    assert losses[-1] < losses[0] / 2
    assert measured(camtool, scenes, "x.safetensors")["classification_ap"] >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows"),
    [("mobilenet_v3_small", 7), ("alexnet", 13), ("vgg11_bn", 14), ("convnext_tiny", 7), ("vit_b_32", 7)],
)
def test_networks_that_cam_refuses_are_trained(camtool, scenes, name, rows):
    """With weights that were never trained (there are none offline): everything but what they find."""
    import torch
    from torchvision.models import get_model

    torch.manual_seed(0)
    torch.save(get_model(name, weights=None).state_dict(), "own.pth")
    model = ("-m", name, "--checkpoint", "own.pth")
    ran = camtool("cam", scenes / "0001.jpg", *model)
    assert ran.code == 4
    assert f"`camtool train DATASET -m {name}`, which gives this one such a head" in ran.err
    options = ("--epochs", "1", "--views", "1", "--sample", "24", "--val", "0", "--size", "224")
    ran = camtool("train", scenes / "learn.csv", *model, *options, "-o", "x.safetensors", "-q")
    assert ran.code == 0, ran.err
    ran = camtool("cam", scenes / "0001.jpg", "--checkpoint", "x.safetensors", "--save", "none", "--json", "-q")
    assert ran.code == 0, ran.err
    (found,) = ran.records[0]["maps"]
    assert found["grid"]["rows"] == rows
    assert found["class"]["name"] in ("cross", "disc", "ring", "triangle")
