"""Files of `camtool train`: one of them is all that is needed, and none of them can do harm."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from cam_cli.choice import ModelChoice
from cam_cli.errors import (
    CamtoolError,
    CheckpointMismatch,
    CheckpointUnreadable,
    CheckpointUnsafe,
    InputMissing,
    ModelUnknown,
    UsageError,
)
from cam_cli.models import labels_of, load, resolved
from cam_cli.models.cutting import cut_at
from cam_cli.models.description import Backbone, Description, HeadShape, header, is_described, read_description
from cam_cli.models.layers import survey
from cam_cli.models.weak import WeakNetwork
from cam_cli.specs.model import ModelSpec
from cam_cli.training.saving import save
from cam_cli.types import Recipe

RECIPE = Recipe(320, 320, (0.5, 0.4, 0.3), (0.5, 0.5, 0.6), "bilinear", "options", squash=True)
NAMES = ("cat", "red fox", "über-dog")
NET = """
import torch
from torch import nn

def make(width=4):
    torch.manual_seed(0)
    body = nn.Conv2d(3, width, 4, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(*body, nn.Linear(width, 2))
"""


def trained(path, name="resnet18", arguments=(), classes=NAMES, pool="lse", adapt=(5,), grey=False):
    """A file as `camtool train` writes it, of a network that has learnt nothing."""
    torch.manual_seed(1)
    source = load(ModelChoice.parse(name, arguments=tuple(arguments)), shapes_only=True)
    cut = cut_at(source, survey(source).default)
    shape = HeadShape(len(classes), adapt, 0.5, pool, 3.0)
    network = WeakNetwork(source.module, cut, shape).eval()
    recipe = replace(RECIPE, mean=(0.5,), std=(0.25,)) if grey else RECIPE
    backbone = Backbone(name, source.source, "0" * 64, tuple(arguments))
    said = Description(classes, "sigmoid", recipe, backbone, cut, shape, {"metrics": {"classification_ap": 0.9}})
    save(Path(path), network, said)
    return network, said


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(path, network, description) of one on the default model."""
    path = tmp_path_factory.mktemp("made") / "birds.safetensors"
    return (str(path), *trained(path, "efficientnet_lite0"))


def rewritten(path, to, tensors=None, **changes):
    """A copy whose text says otherwise; None takes an entry out."""
    told = {**header(path), **{key: json.dumps(value) for key, value in changes.items() if value is not None}}
    kept = {key: text for key, text in told.items() if not (key in changes and changes[key] is None)}
    save_file(tensors or load_file(path), to, kept)
    return str(to)


def test_the_file_alone_gives_the_same_network(made):
    path, network, said = made
    found = load(ModelChoice.default(checkpoint=path))
    images = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(found.module(images), network(images))
    assert not found.module.training
    assert (found.labels.names, found.activation, found.source) == (NAMES, "sigmoid", "trained")
    assert found.recipe == replace(RECIPE, source="checkpoint")
    assert found.notes == ()
    assert found.weights == path
    assert read_description(path) == replace(said, recipe=replace(RECIPE, source="checkpoint"))


def test_it_holds_no_more_than_is_used(made):
    path, network, _ = made
    keys = load_file(path).keys()
    assert keys == network.state_dict().keys()
    assert not any(key.startswith("trunk.classifier") for key in keys)


def test_there_is_no_pickle_in_it(made):
    assert b"\x80\x02" not in Path(made[0]).read_bytes()[:8]
    assert header(made[0])["schema"] == '"camtool.weak/1"'


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("resnet18", ()), ("squeezenet1_1", ()), ("densenet121", ()), ("mobilenet_v3_small", (("reduced_tail", True),))],
)
def test_torchvisions_networks(folder, name, arguments):
    network, _ = trained("a.safetensors", name, arguments)
    found = load("@a.safetensors")
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(found.module(images), network(images))


def test_timms_networks(folder):
    pytest.importorskip("timm")
    network, _ = trained("a.safetensors", "timm/test_convnext", (("drop_path_rate", 0.1),))
    images = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(load("@a.safetensors").module(images), network(images))


def test_one_class_has_two_sides(folder):
    trained("a.safetensors", classes=("cat",))
    found = load("@a.safetensors")
    assert (found.labels.names, found.activation) == (("negative", "cat"), "sigmoid")
    assert labels_of(ModelChoice.parse("@a.safetensors")).names == ("negative", "cat")


def test_a_grey_network_stays_grey(folder):
    Path("net.py").write_text(NET.replace("Conv2d(3,", "Conv2d(1,"))
    trained("a.safetensors", "net.py:make", grey=True)
    found = load("net.py:make@a.safetensors")
    assert (found.recipe.mean, found.recipe.std) == ((0.5,), (0.25,))
    assert found.notes == ()


# What it is called
@pytest.mark.parametrize(
    ("spec", "alias"),
    [
        (ModelSpec(checkpoint="FILE"), "birds"),
        (ModelSpec(models=("@runs/birds.safetensors",)), "birds"),
        (ModelSpec(models=("trained@runs/birds.safetensors",)), "birds"),
        (ModelSpec(models=("b=@FILE",)), "b"),
        (ModelSpec(models=("efficientnet_lite0",), checkpoint="FILE"), "efficientnet_lite0"),
        (ModelSpec(models=("b=efficientnet_lite0@FILE",)), "b"),
    ],
)
def test_names(made, spec, alias):
    one = spec.choices()[0]
    found = resolved(replace(one, checkpoint=made[0]))
    assert found.alias == alias
    assert found.name == "trained"
    assert resolved(found) == found


def test_plain_weights_still_go_with_the_default_model(folder):
    from cam_cli.models.efficientnet_lite import efficientnet_lite0

    save_file(efficientnet_lite0(3).state_dict(), "mine.safetensors")
    (choice,) = ModelSpec(checkpoint="mine.safetensors").choices()
    assert resolved(choice) == choice
    found = load(choice)
    assert (found.name, len(found.labels)) == ("efficientnet_lite0", 3)
    assert load("@mine.safetensors").name == "efficientnet_lite0"


def test_the_command_that_lists_its_classes(made):
    assert load(ModelChoice.default(checkpoint=made[0])).labels.listing == f"camtool classes --checkpoint {made[0]}"


def test_labels_and_activation_of_a_persons_own(made, folder):
    Path("names.txt").write_text("a\nb\nc\n")
    found = load(ModelChoice.default(checkpoint=made[0], labels="names.txt", activation="softmax"))
    assert (found.labels.names, found.activation) == (("a", "b", "c"), "softmax")
    assert found.notes == ("--activation softmax, though the model says sigmoid",)


# What is refused
def test_another_model_than_it_is(made):
    with pytest.raises(
        CheckpointMismatch, match=r"whole network of `camtool train` on efficientnet_lite0.*drop --model"
    ):
        load(ModelChoice.parse("resnet50", checkpoint=made[0]))


def test_arguments_for_what_says_itself_how_it_is_made(made):
    with pytest.raises(UsageError, match="--model-arg has no meaning"):
        load(ModelChoice.default(checkpoint=made[0], arguments=(("width", 2),)))


def test_code_of_ones_own_has_to_be_named(folder):
    Path("net.py").write_text(NET)
    network, _ = trained("a.safetensors", "net.py:make", (("width", 7),))
    with pytest.raises(CheckpointUnsafe, match=r"--model net.py:make --checkpoint a.safetensors"):
        load("@a.safetensors")
    found = load(ModelChoice.parse("net.py:make", checkpoint="a.safetensors"))
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(found.module(images), network(images))


def test_trained_needs_a_file(made, folder):
    with pytest.raises(ModelUnknown, match="--checkpoint FILE"):
        load("trained")
    with pytest.raises(InputMissing, match=r"nowhere.safetensors"):
        load("@nowhere.safetensors")
    save_file({"a": torch.zeros(1)}, "b.safetensors")
    with pytest.raises(CheckpointMismatch, match="no file of `camtool train`"):
        load("trained@b.safetensors")


BACKBONE = {"name": "efficientnet_lite0", "source": "bundled", "sha256": "0", "arguments": {}}
HEAD = {"classes": 3, "adapt": [5], "dropout": 0.5, "pool": "lse", "temperature": 3.0}


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"schema": "camtool.weak/9"}, CheckpointUnreadable, "another version"),
        ({"cut": None}, CheckpointUnreadable, "not what"),
        ({"cut": {"layer": "bn2", "channels": "many"}}, CheckpointUnreadable, "not what"),
        ({"cut": {"layer": "bn2", "channels": 0}}, CheckpointUnreadable, "cannot be"),
        ({"cut": {"layer": "bn2", "channels": 1280, "depth": 3}}, CheckpointUnreadable, "not what"),
        ({"cut": {"layer": "bn9", "channels": 1280}}, CheckpointMismatch, "trained on another efficientnet_lite0"),
        ({"cut": {"layer": "bn2", "channels": 1280, "dropped": ["nothing"]}}, CheckpointMismatch, "another"),
        ({"cut": {"layer": "bn2", "channels": 640}}, CheckpointMismatch, "does not fit"),
        ({"head": HEAD | {"pool": "median"}}, CheckpointUnreadable, "cannot be"),
        ({"head": HEAD | {"temperature": 0.0}}, CheckpointUnreadable, "cannot be"),
        ({"head": HEAD | {"classes": 4}}, CheckpointUnreadable, "cannot be"),
        ({"head": HEAD | {"adapt": [10**5]}}, CheckpointUnsafe, "more than it has bytes"),
        ({"head": HEAD | {"adapt": [-1]}}, CheckpointUnreadable, "cannot be"),
        ({"head": HEAD | {"adapt": 5}}, CheckpointUnreadable, "not what"),
        ({"head": [1]}, CheckpointUnreadable, "not what"),
        ({"recipe": {"size": 320}}, CheckpointUnreadable, "not what"),
        ({"backbone": BACKBONE | {"name": "no_such_net"}}, ModelUnknown, "no_such_net"),
        ({"backbone": BACKBONE | {"name": "alexnet", "source": "torchvision"}}, CheckpointMismatch, "another alexnet"),
        ({"backbone": BACKBONE | {"source": "trained"}}, CheckpointUnsafe, "name it"),
        ({"backbone": BACKBONE | {"source": "nowhere"}}, CheckpointUnsafe, "name it"),
        ({"backbone": BACKBONE | {"arguments": {"weights": "DEFAULT"}}}, CheckpointUnsafe, "could load something"),
        ({"backbone": BACKBONE | {"arguments": {"pretrained_cfg": "x"}}}, CheckpointUnsafe, "could load something"),
        ({"backbone": BACKBONE | {"arguments": {"a": {"b": 1}}}}, CheckpointUnsafe, "could load something"),
        ({"backbone": BACKBONE | {"source": "factory", "name": "os:getcwd"}}, CheckpointUnsafe, "name it: --model os"),
    ],
)  # fmt: skip
def test_a_file_that_says_what_cannot_be(made, tmp_path, changes, error, words):
    path = rewritten(made[0], tmp_path / "x.safetensors", **changes)
    with pytest.raises(CamtoolError) as caught:
        load(ModelChoice.default(checkpoint=path))
    assert type(caught.value) is error, caught.value
    assert words in caught.value.message
    assert len(caught.value.message) < 400


def test_a_source_that_a_file_lies_about_does_not_run_code(made, tmp_path, monkeypatch):
    """`source` says bundled, the name is a factory's."""
    monkeypatch.chdir(tmp_path)
    Path("evil.py").write_text("open('done', 'w')\ndef make(): pass\n")
    path = rewritten(made[0], tmp_path / "x.safetensors", backbone=BACKBONE | {"name": "evil.py:make"})
    for choice in (ModelChoice.default(checkpoint=path), ModelChoice.parse(f"trained@{path}")):
        with pytest.raises(ModelUnknown, match=r"evil.py:make of bundled, which is not known here"):
            load(choice)
    path = rewritten(
        made[0], tmp_path / "y.safetensors", backbone=BACKBONE | {"name": "evil.py:make", "source": "factory"}
    )
    for choice in (ModelChoice.default(checkpoint=path), ModelChoice.parse(f"trained@{path}")):
        with pytest.raises(CheckpointUnsafe):
            load(choice)
    assert not Path("done").exists()


def test_tensors_that_are_missing(made, tmp_path):
    tensors = load_file(made[0])
    del tensors["head.scores.bias"]
    path = rewritten(made[0], tmp_path / "x.safetensors", tensors)
    with pytest.raises(CheckpointMismatch, match=r"missing in the file \(head.scores.bias\)"):
        load(ModelChoice.default(checkpoint=path))


@pytest.mark.parametrize("data", [b"", b"short", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]", b'\x08\0\0\0\0\0\0\0{"a": 1}'])
def test_what_is_no_safetensors_file_is_not_described(tmp_path, data):
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    assert header(path) == {}
    assert not is_described(path)
    assert read_description(path) is None
