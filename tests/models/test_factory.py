"""A person's own networks, from a file or a module, and how their code may fail."""

import sys

import pytest
import torch

from cam_cli.choice import ModelChoice
from cam_cli.errors import CheckpointMismatch, LabelsUnreadable, ModelFailed, ModelUnknown, UsageError
from cam_cli.models import load
from cam_cli.types import Recipe

CODE = """
import torch
from torch import nn

print("importing")

class Net(nn.Module):
    def __init__(self, classes, width=4):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Conv2d(3, width, 8, stride=8)
        self.fc = nn.Linear(width, classes)

    def forward(self, x):
        features = self.body(x)
        return self.fc(features.mean((2, 3))), features

class Two(nn.Module):
    def forward(self, image, text):
        return image

class Clip(nn.Module):
    def forward(self, input_ids=None, pixel_values=None):
        return pixel_values

def build(num_classes=3, width=4):
    print("building")
    return Net(num_classes, width)

def fixed():
    return Net(3)

def one():
    return Net(1)

def thousand():
    return Net(1000)

def configured():
    net = Net(3)
    net.default_cfg = {"input_size": (3, 64, 64), "crop_pct": 0.5, "mean": (0, 0, 0), "std": (1, 1, 1)}
    return net

def failing():
    return 1 / 0

def nothing():
    return None

instance = Net(2)
number = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working folder with mynets.py and sub/mynets2.py; imports and paths are undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    (tmp_path / "sub").mkdir()
    (tmp_path / "mynets.py").write_text(CODE)
    (tmp_path / "sub" / "mynets2.py").write_text("from beside import build\n")
    (tmp_path / "sub" / "beside.py").write_text(CODE)
    yield tmp_path
    for name in ("mynets", "mynets2", "beside", "broken", "typo", "needy", "leaving"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["mynets:build", "mynets.py:build", "./mynets.py:build", "sub/mynets2.py:build"])
def test_files_and_modules(folder, name, capfd):
    network = load(name)
    assert (network.name, network.source, len(network.labels)) == (name, "factory", 3)
    assert network.labels.names == ("class_0", "class_1", "class_2")
    assert network.notes == (f"preprocessing assumed: ImageNet's, 224 px ({name} carries no pretrained_cfg)",)
    assert network.recipe.source == "assumed"
    assert not network.module.training
    assert network.weights_sha256 == load(name).weights_sha256
    assert capfd.readouterr().out == "", "stdout is for results"


def test_the_current_folder_is_importable(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in ("", str(folder))])
    assert len(load("mynets:build").labels) == 3


def test_arguments_and_a_configuration(folder):
    network = load(ModelChoice.parse("mynets:build", arguments=(("width", 6), ("num_classes", 5))))
    assert (network.module.body.out_channels, len(network.labels)) == (6, 5)
    recipe = load("mynets:configured").recipe
    assert recipe == Recipe(64, 128, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), "bicubic", "weights")
    assert load("mynets:thousand").notes[1] == "class names assumed: ImageNet-1k"


def test_a_checkpoint_brings_its_class_count_where_the_factory_takes_one(folder):
    import mynets

    saved = mynets.build(7)
    torch.save({"state_dict": saved.state_dict(), "recipe": {"size": 32}}, "x.pth")
    network = load("mynets:build@x.pth")
    assert (len(network.labels), network.recipe.size, network.recipe.source) == (7, 32, "checkpoint")
    assert network.notes == ()
    assert torch.equal(network.module.fc.weight, saved.fc.weight)
    with pytest.raises(CheckpointMismatch, match="its head seems to have 7 classes, the model's 3"):
        load("mynets:fixed@x.pth")


def test_names_in_a_file_that_are_not_as_many(folder):
    import mynets

    torch.save({"state_dict": mynets.build(2).state_dict(), "classes": ["a", "b", "c"]}, "x.pth")
    network = load("mynets:build@x.pth")
    assert network.labels.names == ("class_0", "class_1")
    assert "x.pth names 3 classes, its head has 2: the names are left out" in network.notes


def test_labels_of_a_persons_own(folder):
    (folder / "names.txt").write_text("cat\ndog\nfox\n")
    network = load(ModelChoice.parse("mynets:build", labels="names.txt"))
    assert network.labels.names == ("cat", "dog", "fox")
    with pytest.raises(LabelsUnreadable, match=r"names\.txt names 3 classes, mynets:one has 1"):
        load(ModelChoice.parse("mynets:one", labels="names.txt"))
    (folder / "name.txt").write_text("ill\n")
    assert load(ModelChoice.parse("mynets:one", labels="name.txt")).labels.names == ("negative", "ill")


def test_one_logit_is_read_with_a_sigmoid(folder):
    network = load("mynets:one")
    assert (network.labels.names, network.activation) == (("negative", "positive"), "sigmoid")
    with pytest.raises(UsageError, match="one logit"):
        load(ModelChoice.parse("mynets:one", activation="softmax"))


def test_activation_as_the_file_says_or_as_a_person_does(folder):
    import mynets

    torch.save({"state_dict": mynets.build().state_dict(), "activation": "sigmoid"}, "x.pth")
    assert load("mynets:build").activation == "softmax"
    assert load(ModelChoice.parse("mynets:build", activation="sigmoid")).activation == "sigmoid"
    assert load("mynets:build@x.pth").activation == "sigmoid"
    against = load(ModelChoice.parse("mynets:build@x.pth", activation="softmax"))
    assert against.activation == "softmax"
    assert against.notes[-1] == "--activation softmax, though the model says sigmoid"


def test_a_trusted_whole_network(folder):
    import mynets

    torch.save(mynets.build(4), "whole.pth")
    assert len(load(ModelChoice.parse("mynets:build@whole.pth", trust=True)).labels) == 4


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("mynets:bild", ModelUnknown, "mynets has no 'bild'; did you mean build"),
        ("nowhere:build", ModelUnknown, "no module is called 'nowhere'"),
        ("nowhere.py:build", ModelUnknown, "no file nowhere.py"),
        ("mynets:Net.nothing", ModelUnknown, "has no 'Net.nothing'"),
        ("mynets:number", ModelFailed, "is a int, not a function"),
        ("mynets:instance", ModelFailed, "is a Net, not a function"),
        ("mynets:nothing", ModelFailed, r"returns NoneType, not a torch\.nn\.Module"),
        ("mynets:failing", ModelFailed, r"ZeroDivisionError: division by zero \(mynets\.py:\d+\)"),
        ("mynets:Two", ModelFailed, r"takes more than one image \(image, text\)"),
        ("mynets:Clip", ModelFailed, r"takes more than one image \(input_ids, pixel_values\)"),
        ("broken:build", ModelFailed, r"broken cannot be imported: RuntimeError: no \(broken\.py:2\)"),
        ("typo.py:build", ModelFailed, r"typo\.py cannot be imported: SyntaxError"),
        ("needy:build", ModelFailed, "needy cannot be imported: ModuleNotFoundError: No module named 'absent_package'"),
        ("leaving:build", ModelFailed, "leaving cannot be imported: SystemExit: 3"),
    ],
)
def test_what_goes_wrong_is_one_line(folder, name, error, said):
    (folder / "broken.py").write_text("x = 1\nraise RuntimeError('no')\n")
    (folder / "typo.py").write_text("def build(:\n")
    (folder / "needy.py").write_text("import absent_package\n")
    (folder / "leaving.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(error, match=said) as caught:
        load(name)
    assert caught.value.exit_code == 4
    assert "\n" not in caught.value.message
