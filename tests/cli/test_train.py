"""Whole commands: from labels of every kind to a file, and what is said, kept and refused on the way."""

import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cam_cli.models.description import header
from cam_cli.training.loop import Learner
from tests.training.pictures import COLOURS, write_patches

NET = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 12, 4, stride=4), nn.BatchNorm2d(12), nn.ReLU(), nn.Dropout(0.1))
        with torch.no_grad():  # what a cell's colour is
            self.body[0].weight.copy_(torch.randn(12, 3, 1, 1).expand(12, 3, 4, 4) / 16)
        self.idle, self.fc = nn.Linear(3, 3), nn.Linear(12, classes)
        self.default_cfg = {"input_size": (3, 32, 32), "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}

    def forward(self, x):
        return self.fc(self.body(x).mean((2, 3)))

def make(num_classes=3):
    return Net(num_classes)
"""
QUICK = (
    "-m", "net.py:make", "--size", "32", "--adapt", "16", "--dropout", "0.1", "--lr", "0.02", "--views", "2",
    "--batch-size", "8",
)  # fmt: skip
FILES = ["birds.curve.png", "birds.safetensors", "birds.train.json"]


@pytest.fixture
def folder(tmp_path):
    """With net.py, a network of a few weights, and data/ with labels.csv."""
    (tmp_path / "net.py").write_text(NET)
    labels = write_patches(tmp_path / "data", range(40))
    rows = [f"{name},{';'.join(names)}" for name, names in labels.items()]
    (tmp_path / "data/labels.csv").write_text("\n".join(["path,labels", *rows]) + "\n")
    return tmp_path


@pytest.fixture
def train(camtool, folder, monkeypatch):
    """`train(...)`: the command on the data, or another dataset, with a small network."""

    def run(*more, data="data/labels.csv", epochs=6, out="birds.safetensors"):
        typed = ["train", data, *QUICK, "--epochs", str(epochs), "-o", out, *more]
        monkeypatch.setattr(sys, "argv", ["camtool", *typed])
        return camtool(*typed)

    return run


def said(ran, kind, code):
    (line,) = [line for line in ran.err.splitlines() if "error[" in line]
    assert ran.code == code, ran.err
    assert line.startswith(f"camtool: error[{kind}]: "), line
    return line


def record(name="birds"):
    return json.loads(Path(f"{name}.train.json").read_text())


def same_tensors(one, other):
    one, other = load_file(one), load_file(other)
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def there():
    return sorted(str(path) for path in Path().rglob("birds*"))


# What comes of it


def test_a_whole_training(train):
    ran = train("--pool", "max", epochs=25)
    assert (ran.code, ran.lines) == (0, ["birds.safetensors"]), ran.err
    assert there() == FILES, "the folder for what is needed meanwhile is gone"
    told = record()
    assert told["schema"] == "camtool.train/1"
    assert told["data"]["labels"] == "multi"
    counts = told["data"]["classes"]
    assert list(counts) == ["blue", "green", "red"]
    assert told["data"]["images"] == {"learn": 36, "choose": 4, "without_labels": 0}
    assert len(told["epochs"]) <= 25
    assert told["epochs"][-1]["loss"] < told["epochs"][0]["loss"] / 2
    best = next(one for one in told["epochs"] if one["number"] == told["metrics"]["epoch"])
    assert best["val_map"] == told["metrics"]["classification_ap"] == max(one["val_map"] for one in told["epochs"])
    picture = cv2.imread("birds.curve.png")
    assert picture.shape == (540, 960, 3)
    text = header("birds.safetensors")
    assert json.loads(text["classes"]) == ["blue", "green", "red"]
    assert json.loads(text["activation"]) == "sigmoid"
    assert json.loads(text["recipe"])["squash"] is True
    assert json.loads(text["training"])["command"][:2] == ["train", "data/labels.csv"]
    assert json.loads(text["metrics"])["classification_ap"] == told["metrics"]["classification_ap"]
    assert json.loads(text["backbone"]) == {
        "name": "net.py:make", "source": "factory", "sha256": told["network"]["sha256"], "arguments": {},
    }  # fmt: skip
    assert "trunk.body.0.weight" in load_file("birds.safetensors")
    assert not any("idle" in key or "fc" in key for key in load_file("birds.safetensors"))


def test_the_network_it_makes_knows_the_colours(train, camtool, folder):
    train("--pool", "max", epochs=40)
    write_patches(folder / "new", range(100, 112))
    model = ("-m", "net.py:make", "--checkpoint", "birds.safetensors")
    ran = camtool("explain", "new", *model, "--method", "cam", "--class", "all", "--save", "none", "--json", "-q")
    assert ran.code == 0, ran.err
    right, placed = 0, 0
    for one in ran.records:
        number = int(Path(one["id"]).stem)
        pixels = cv2.imread(f"new/{one['id']}").astype(int)
        for found in one["maps"]:
            shown = abs(pixels - COLOURS[found["class"]["name"]]).sum(2) < 30
            right += (found["class"]["probability"] > 0.5) == shown.any()
            if shown.any():
                x, y = found["peak"]
                placed += shown[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5].any()
        assert number >= 100
    assert right >= 34  # of 36
    assert placed >= 14


def test_the_record_on_stdout(train):
    ran = train("--json", "-q")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == record()


def test_what_would_be_done(train, folder):
    """Without torch, and nothing is written."""
    before = sorted(folder.rglob("*"))
    ran = train("--dry-run", "--pool", "max", epochs=7)
    assert (ran.code, ran.err) == (0, "")
    told = dict(line.split("\t") for line in ran.lines)
    assert (told["learn"], told["choose"], told["classes"]) == ("36", "4", "blue, green, red")
    assert (told["labels"], told["pool"], told["regime"]) == ("multi", "max", "freeze")
    assert (told["passes"], told["epochs"]) == (str(36 * 2 + 4), "at most 7, of the head alone")
    assert told["output"] == "birds.safetensors"
    told = json.loads(train("--dry-run", "--json", "--finetune", epochs=7).out)
    assert (told["passes"], told["passes back"]) == (7 * 40 + 36, 7 * 36)
    assert sorted(folder.rglob("*")) == before
    assert said(train("--dry-run", "--classes", "mauve"), "ClassUnknown", 4)


def test_a_line_an_epoch(train):
    ran = train("-v", epochs=3)
    lines = [line for line in ran.err.splitlines() if line.startswith("epoch ")]
    assert len(lines) == 3
    assert lines[0].startswith("epoch  1 of 3: loss ")
    assert re.search(r" mAP [01]\.\d{3},", lines[0])
    assert "the best so far" in lines[0]
    assert ran.err.splitlines()[-1].startswith("done   3 epochs, the best: ")
    assert "cache  birds.work/features: 2 views an image, " in ran.err


@pytest.mark.parametrize("pool", ["max", "avg", "lse"])
@pytest.mark.parametrize("regime", ["--freeze", "--finetune"])
def test_every_pooling_in_both_regimes(train, camtool, pool, regime):
    ran = train("--pool", pool, regime, "--temperature", "4", epochs=2)
    assert ran.code == 0, ran.err
    ran = camtool(
        "cam", "data", "--limit", "3", "-m", "net.py:make@birds.safetensors", "--save", "none", "--json", "-q"
    )
    assert ran.code == 0, ran.err
    assert ran.records[0]["maps"][0]["layers"] == ["head.scores"]
    assert ran.records[0]["maps"][0]["grid"] == {"rows": 8, "cols": 8}


def test_finetuning_changes_the_trunk_and_freezing_does_not(train, folder):
    train(out="frozen.safetensors", epochs=2)
    train("--finetune", out="tuned.safetensors", epochs=2)
    frozen, tuned = load_file("frozen.safetensors"), load_file("tuned.safetensors")
    from tests.cli.test_train import NET as code  # the weights that the network came with

    space: dict = {}
    exec(code, space)
    own = space["make"](3).state_dict()
    for key in ("body.0.weight", "body.1.weight"):
        assert torch.equal(frozen[f"trunk.{key}"], own[key])
        assert not torch.equal(tuned[f"trunk.{key}"], own[key])
    for key in ("body.1.running_mean", "body.1.running_var"):
        assert torch.equal(tuned[f"trunk.{key}"], own[key]), "statistics of batch norms stay"


def test_no_adaptation_layer_and_a_fit_of_the_models_own(train, folder):
    ran = train("--adapt", "none", "--fit", "model", epochs=1)
    assert ran.code == 0, ran.err
    assert "head   3 score maps → avg" in ran.err
    assert json.loads(header("birds.safetensors")["recipe"])["squash"] is False
    assert load_file("birds.safetensors")["head.scores.weight"].shape == (3, 12, 1, 1)


# Labels of every kind


def test_class_folders_compete(train, folder):
    for name, names in write_patches(folder / "pool", range(60), only_one=True).items():
        (folder / "classes" / names[0]).mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "pool" / name, folder / "classes" / names[0] / name)
    ran = train(data="classes", epochs=8)
    assert ran.code == 0, ran.err
    assert "3 classes, one a picture (softmax)" in ran.err
    told = record()
    assert told["data"]["labels"] == "single"
    assert told["metrics"]["top1_accuracy"] is not None
    assert json.loads(header("birds.safetensors")["activation"]) == "softmax"
    ran = train("--labels", "multi", "--overwrite", data="classes", epochs=1)
    assert record()["data"]["labels"] == "multi"
    assert "top1_accuracy" not in record()["metrics"]


def test_only_some_classes(train, folder):
    ran = train("--classes", "red,blue", epochs=1)
    assert ran.code == 0, ran.err
    assert list(record()["data"]["classes"]) == ["blue", "red"]
    assert record()["data"]["images"]["learn"] + record()["data"]["images"]["choose"] == 40, "the others show neither"


def test_a_column_a_class(train, folder):
    rows = ["path,red,green,blue"]
    for number, line in enumerate(Path("data/labels.csv").read_text().splitlines()[1:]):
        name, names = line.split(",")
        cells = ["1" if colour in names else ["0", "", "-1"][number % 3] for colour in ("red", "green", "blue")]
        rows.append(",".join([name, *cells]))
    Path("data/columns.csv").write_text("\n".join(rows) + "\n")
    ran = train(data="data/columns.csv", epochs=1)
    assert ran.code == 0, ran.err
    unsure = sum(row.count("-1") for row in rows)
    assert record()["data"]["uncertain"] == unsure > 10
    plain = record()["data"]["classes"]
    train("--uncertain", "positive", "--overwrite", data="data/columns.csv", epochs=1)
    assert record()["data"]["uncertain"] == 0
    more = record()["data"]["classes"]
    assert sum(sum(one.values()) for one in more.values()) == sum(sum(one.values()) for one in plain.values()) + unsure


def test_another_separator(train):
    Path("data/bars.csv").write_text(Path("data/labels.csv").read_text().replace(";", " | "))
    ran = train("--separator", "|", data="data/bars.csv", epochs=1)
    assert ran.code == 0, ran.err
    assert list(record()["data"]["classes"]) == ["blue", "green", "red"]


def voc(folder, labels):
    (folder / "Annotations").mkdir(parents=True)
    (folder / "ImageSets/Main").mkdir(parents=True)
    shutil.copytree("data", folder / "JPEGImages", ignore=shutil.ignore_patterns("*.csv"))
    for name, names in labels.items():
        objects = "".join(
            f"<object><name>{one}</name><difficult>{int(place)}</difficult><bndbox><xmin>1</xmin><ymin>1</ymin>"
            "<xmax>9</xmax><ymax>9</ymax></bndbox></object>"
            for place, one in enumerate(names)
        )
        text = f"<annotation><filename>{name}</filename>{objects}</annotation>"
        (folder / "Annotations" / f"{Path(name).stem}.xml").write_text(text)
    stems = [Path(name).stem for name in labels]
    (folder / "ImageSets/Main/train.txt").write_text("\n".join(stems[:30]) + "\n")
    (folder / "ImageSets/Main/val.txt").write_text("\n".join(stems[30:]) + "\n")


def labels_of_data():
    rows = (line.split(",") for line in Path("data/labels.csv").read_text().splitlines()[1:])
    return {name: tuple(filter(None, names.split(";"))) for name, names in rows}


def test_voc_with_its_splits_and_difficult_objects(train, folder):
    """The second object of each picture is difficult, so that class is unsure there."""
    labels = labels_of_data()
    voc(folder / "voc", labels)
    ran = train("--split", "train", "--val-split", "val", data="voc", epochs=1)
    assert ran.code == 0, ran.err
    told = record()["data"]
    assert told["images"] == {"learn": 30, "choose": 10, "without_labels": 0}
    assert told["uncertain"] == sum(len(names) == 2 for names in labels.values())
    assert "no size" not in ran.err, "what is odd about boxes does not matter here"


def test_boxes_are_not_looked_at(train, folder):
    """Labels alike, boxes moved: the same weights to the bit."""
    voc(folder / "voc", labels_of_data())
    options = ("--split", "train", "--val-split", "val")
    train(*options, data="voc", epochs=2)
    for path in (folder / "voc/Annotations").glob("*.xml"):
        path.write_text(path.read_text().replace("<xmax>9</xmax>", "<xmax>31</xmax>").replace("<ymin>1<", "<ymin>7<"))
    train(*options, data="voc", epochs=2, out="moved.safetensors")
    assert same_tensors("birds.safetensors", "moved.safetensors")


def test_coco(train, folder):
    labels = labels_of_data()
    names = {"red": 1, "green": 2, "blue": 3}
    images = [{"id": number, "file_name": name, "width": 32, "height": 32} for number, name in enumerate(labels)]
    drawn = [
        {"id": 10 * number + place, "image_id": number, "category_id": names[one], "bbox": [0, 0, 4, 4], "iscrowd": 0}
        for number, shown in enumerate(labels.values())
        for place, one in enumerate(shown)
    ]
    content = {
        "images": images, "annotations": drawn, "categories": [{"id": id, "name": one} for one, id in names.items()],
    }  # fmt: skip
    Path("coco.json").write_text(json.dumps(content))
    ran = train("--images", "data", data="coco.json", epochs=1)
    assert ran.code == 0, ran.err
    told = record()["data"]
    assert told["data"][0]["format"] == "coco"
    assert sum(one["learn"] + one["choose"] for one in told["classes"].values()) == sum(map(len, labels.values()))
    assert told["images"]["learn"] == 36, "an image without annotation shows none of the classes"


def test_data_of_its_own_to_choose_by(train, folder):
    lines = Path("data/labels.csv").read_text().splitlines()
    Path("data/a.csv").write_text("\n".join(lines[:31]) + "\n")
    Path("data/b.csv").write_text("\n".join([lines[0], *lines[31:]]) + "\n")
    ran = train("--val-data", "data/b.csv", data="data/a.csv", epochs=1)
    assert ran.code == 0, ran.err
    assert record()["data"]["images"] == {"learn": 30, "choose": 10, "without_labels": 0}
    ran = train("--val-data", "data/labels.csv", "--overwrite", data="data/a.csv", epochs=1)
    assert "30 images to choose by are learnt from as well" in ran.err
    assert record()["data"]["images"]["choose"] == 40


def test_nothing_to_choose_by(train):
    ran = train("--val", "0", epochs=2)
    assert ran.code == 0, ran.err
    assert "none to choose by" in ran.err
    told = record()
    assert (told["metrics"]["epoch"], told["epochs"][1]["val_map"]) == (2, None)


def test_groups_stay_together(train, folder):
    lines = Path("data/labels.csv").read_text().splitlines()
    rows = [lines[0] + ",scene", *(f"{line},{place // 5}" for place, line in enumerate(lines[1:]))]
    Path("data/groups.csv").write_text("\n".join(rows) + "\n")
    ran = train("--group", "scene", "--val", "0.25", data="data/groups.csv", epochs=1)
    assert ran.code == 0, ran.err
    images = record()["data"]["images"]
    assert images["learn"] % 5 == images["choose"] % 5 == 0
    assert images["choose"] in (5, 10, 15)


# Again, on, and off


def test_the_same_seed_gives_the_same_file_and_another_does_not(train):
    train()
    train(out="again.safetensors")
    train("--seed", "1", out="other.safetensors")
    assert same_tensors("birds.safetensors", "again.safetensors")
    assert not same_tensors("birds.safetensors", "other.safetensors")
    one, other = record(), record("again")
    for told in (one, other):
        for epoch in told["epochs"]:
            del epoch["seconds"]
    assert one["epochs"] == other["epochs"]


def interrupt(monkeypatch, epoch, at=None):
    """Ctrl-C when that epoch begins, or at its step."""
    run, step = Learner.epoch, Learner.step
    steps = []

    def interrupted(self, number):
        if number == epoch:
            if at is None:
                os.kill(os.getpid(), signal.SIGINT)
            steps.append(0)
        return run(self, number)

    def counted(self, *args):
        if steps:
            steps[0] += 1
            if steps[0] == at:
                os.kill(os.getpid(), signal.SIGINT)
        return step(self, *args)

    monkeypatch.setattr(Learner, "epoch", interrupted)
    monkeypatch.setattr(Learner, "step", counted)


@pytest.mark.parametrize("regime", ["--freeze", "--finetune"])
@pytest.mark.parametrize("at", [None, 2])
def test_a_run_that_was_stopped_goes_on_to_the_same_file(train, camtool, monkeypatch, regime, at):
    options = (regime, "--patience", "0", "--adapt", "8,6", "--pool", "max")
    train(*options, out="whole.safetensors")
    with monkeypatch.context() as patch:
        interrupt(patch, 4, at)
        ran = train(*options)
    assert ran.code == 130
    assert ran.lines == ["birds.safetensors"], "what there is can be used"
    assert "stopped: --resume goes on" in ran.err
    told = record()
    assert (told["stopped"], len(told["epochs"])) == (True, 3)
    head = "" if regime == "--freeze" else "head."
    state = load_file("birds.work/state.safetensors")
    assert state[f"now/{head}centre.mean"].sum() > 0, "of features after a ReLU"
    assert torch.equal(state[f"now/{head}centre.spread"], state[f"best/{head}centre.spread"])
    assert not [name for name in load_file("birds.safetensors") if "centre" in name], "it is in the weights"
    use = camtool(
        "cam", "data", "--limit", "1", "-m", "net.py:make@birds.safetensors", "--save", "none", "--json", "-q"
    )
    assert use.code == 0, use.err
    ran = train(*options, "--resume")
    assert ran.code == 0, ran.err
    assert "resume after epoch 3" in ran.err
    assert there() == FILES
    assert same_tensors("birds.safetensors", "whole.safetensors")
    assert header("birds.safetensors") | {"training": ""} == header("whole.safetensors") | {"training": ""}
    mine, theirs = record(), record("whole")
    assert [one["loss"] for one in mine["epochs"]] == [one["loss"] for one in theirs["epochs"]]
    assert mine["stopped"] is False


def test_a_file_of_a_resumed_run_is_that_of_an_unbroken_one_to_the_byte(train, monkeypatch):
    train("--val", "0")  # the last epoch is the best
    whole = Path("birds.safetensors").read_bytes()
    with monkeypatch.context() as patch:
        interrupt(patch, 3)
        train("--val", "0", "--overwrite")
    assert Path("birds.safetensors").read_bytes() != whole
    ran = train("--val", "0", "--resume", "-v", "--json")  # what is said meanwhile is not kept
    assert json.loads(ran.out) == record()
    assert Path("birds.safetensors").read_bytes() == whole


def test_stopped_before_there_is_anything(train, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, 1)
        ran = train()
    assert (ran.code, ran.lines) == (130, [])
    assert "nothing written yet; stopped" in ran.err
    assert not Path("birds.safetensors").exists()
    ran = train("--resume")
    assert (ran.code, ran.lines) == (0, ["birds.safetensors"])


def test_stopped_among_the_features(train, monkeypatch):
    """They go on where they were, to the same end."""
    from cam_cli.training.cache import FeatureCache

    train(out="whole.safetensors")
    append = FeatureCache.append

    def once(self, *args):
        append(self, *args)
        if self.done == 16:
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(FeatureCache, "append", once)
        ran = train()
    assert ran.code == 130
    done = json.loads(Path("birds.work/features/features.json").read_text())["done"]
    assert 16 <= done < 40
    ran = train("--resume")
    assert f"{done} of 40 images there" in ran.err
    assert same_tensors("birds.safetensors", "whole.safetensors")


def test_resuming_what_is_done_does_nothing(train):
    train()
    before = Path("birds.safetensors").stat()
    ran = train("--resume")
    assert (ran.code, ran.lines) == (0, ["birds.safetensors"])
    assert "nothing was left to do" in ran.err
    assert Path("birds.safetensors").stat().st_mtime_ns == before.st_mtime_ns


def test_resuming_another_run_is_refused(train, monkeypatch):
    with monkeypatch.context() as patch:
        interrupt(patch, 3)
        train()
    line = said(train("--resume", "--pool", "max", "--lr", "0.5"), "OutputRefused", 6)
    assert 'another head.pool (there "avg", here "max"), learning.rate (there 0.02, here 0.5)' in line
    Path("data/labels.csv").write_text(Path("data/labels.csv").read_text().replace("000.png,", "000.png,green;"))
    assert "another images and labels" in said(train("--resume"), "OutputRefused", 6)
    assert train("--overwrite", epochs=1).code == 0
    assert "another learning.epochs (there 1, here 6)" in said(train("--resume"), "OutputRefused", 6)


def test_features_are_kept_and_read_again(train, monkeypatch):
    train("--keep-cache", "--cache", "kept", epochs=1)
    assert sorted(os.listdir("kept")) == ["features.json", "view-0.f16", "view-1.f16"]
    first = Path("kept/view-1.f16").read_bytes()
    ran = train("--keep-cache", "--cache", "kept", "--pool", "max", out="other.safetensors", epochs=1)
    assert "all there" in ran.err
    assert Path("kept/view-1.f16").read_bytes() == first
    ran = train("--keep-cache", "--cache", "kept", "--seed", "3", out="third.safetensors", epochs=1)
    assert "all there" not in ran.err
    assert Path("kept/view-1.f16").read_bytes() != first
    ran = train("--cache", "kept", "--seed", "3", out="fourth.safetensors", epochs=1)
    assert "all there" in ran.err
    assert not Path("kept").exists(), "without --keep-cache they go"


def test_a_picture_that_changed_is_read_anew(train):
    train("--keep-cache", epochs=1)
    os.utime("data/003.png", ns=(1, 1))
    ran = train("--keep-cache", "--overwrite", epochs=1)
    assert "all there" not in ran.err


def test_nothing_is_overwritten_unasked(train):
    train(epochs=1)
    before = {name: Path(name).read_bytes() for name in FILES}
    assert "birds.safetensors exists" in said(train(epochs=1), "OutputRefused", 6)
    Path("birds.safetensors").unlink()
    assert "birds.train.json exists" in said(train(epochs=1), "OutputRefused", 6)
    assert Path("birds.train.json").read_bytes() == before["birds.train.json"]
    assert train("--overwrite", epochs=1).code == 0


def test_early_stopping(train):
    ran = train("--patience", "2", "--lr", "0.1", epochs=60)
    told = record()
    assert ran.code == 0
    assert len(told["epochs"]) == told["metrics"]["epoch"] + 2 < 60
    assert told["stopped"] is False, "it came to its end"


# What is refused, and what is odd


@pytest.mark.parametrize(
    ("arguments", "kind", "code", "words"),
    [
        (["nowhere"], "InputMissing", 3, "nowhere"),
        (["data/labels.csv", "--classes", "rde"], "ClassUnknown", 4, "no class 'rde'; did you mean red?"),
        (["data/labels.csv", "--labels", "single"], "UsageError", 2, "do not show exactly one class"),
        (["data/labels.csv", "--labels", "single"], "UsageError", 2, "use --labels multi"),
        (["data/labels.csv", "--pool", "median"], "UsageError", 2, "--pool"),
        (["data/labels.csv", "--adapt", "many"], "UsageError", 2, "256, or 512,256"),
        (["data/labels.csv", "--adapt", "0"], "UsageError", 2, "--adapt"),
        (["data/labels.csv", "--temperature", "0"], "UsageError", 2, "above 0"),
        (["data/labels.csv", "--lr", "-1"], "UsageError", 2, "--lr"),
        (["data/labels.csv", "--scales", "2:1"], "UsageError", 2, "LO:HI"),
        (["data/labels.csv", "--scales", "big"], "UsageError", 2, "LO:HI"),
        (["data/labels.csv", "--val", "0.95"], "UsageError", 2, "--val"),
        (["data/labels.csv", "--val", "0.001"], "UsageError", 2, "is none; raise it"),
        (["data/labels.csv", "--val-data", "x.csv", "--val-split", "val"], "UsageError", 2, "name one"),
        (["data/labels.csv", "--val-data", "x.csv", "--group", "scene"], "UsageError", 2, "drop one"),
        (["data/labels.csv", "--val-data", "x.csv"], "InputMissing", 3, "x.csv"),
        (["data/labels.csv", "--group", "scene"], "UsageError", 2, "no column 'scene'"),
        (["data/labels.csv", "--split", "train"], "UsageError", 2, "a table is one split"),
        (["data/labels.csv", "--uncertain", "maybe"], "UsageError", 2, "--uncertain"),
        (["data/labels.csv", "-o", "birds.pth"], "UsageError", 2, "as birds.safetensors"),
        (["data/labels.csv", "-o", "data/labels.csv/x.safetensors"], "OutputRefused", 6, "is a file"),
        (["data/labels.csv", "--overwrite", "--resume"], "UsageError", 2, "choose one"),
        (["data/labels.csv", "--layer", "fc"], "LayerUnsuitable", 4, "fc"),
        (["data/labels.csv", "--layer", "body.*"], "UsageError", 2, "a trunk ends at one"),
        (["data/labels.csv", "--layer", "layer9"], "LayerUnknown", 4, "layer4"),
        (["data/labels.csv", "-m", "net.py:nothing"], "ModelUnknown", 4, "nothing"),
        (["data/labels.csv", "-m", "a", "-m", "b"], "UsageError", 2, "one model"),
        (["data/labels.csv", "--model-arg", "weights=x"], "UsageError", 2, "nothing that loads something"),
        (["data/labels.csv", "--model-arg", "a={1: 2}"], "UsageError", 2, "numbers, texts and lists"),
        (["data/labels.csv", "--device", "abacus"], "UsageError", 2, "abacus"),
        (["data/labels.csv", "--cache", "data"], "OutputRefused", 6, "holds other things"),
        (["data/labels.csv", "--cache", "net.py"], "OutputRefused", 6, "is a file"),
        (["data/labels.csv", "--max-failures", "x"], "UsageError", 2, "--max-failures"),
        (["data"], "DatasetUnreadable", 3, "no dataset of a known format"),
    ],
)  # fmt: skip
def test_what_cannot_start(camtool, folder, arguments, kind, code, words):
    before = sorted(Path().rglob("*"))
    network = () if "-m" in arguments else ("-m", "net.py:make")
    ran = camtool("train", *arguments, *network, "--epochs", "1")
    assert words in said(ran, kind, code)
    assert ran.out == b""
    after = {path for path in Path().rglob("*") if "__pycache__" not in str(path)}
    assert after <= {*before, Path("trained.work")}, "nothing was written"


def write_table(name, rows):
    Path("data", name).write_text("\n".join(["path,labels", *rows]) + "\n")
    return f"data/{name}"


def test_a_class_that_no_image_shows(train):
    Path("data/x.csv").write_text("path,red,green\n000.png,1,-1\n001.png,0,-1\n002.png,1,0\n003.png,0,0\n")
    line = said(train("--val", "0", data="data/x.csv"), "DatasetUnreadable", 3)
    assert "no image to learn from shows 'green', 2 may; correct the labels, or leave it out with --classes" in line
    assert train("--val", "0", "--classes", "red", data="data/x.csv", epochs=1).code == 0


@pytest.mark.parametrize("form", ["columns", "coco", "folders"])
def test_a_class_that_the_data_name_and_no_image_shows(train, form):
    if form == "columns":
        data = "data/x.csv"
        Path(data).write_text("path,red,blue,ghost\n" + "".join(f"{n:03}.png,{n % 2},1,0\n" for n in range(8)))
    elif form == "folders":
        data = "sorted"
        for number in range(8):
            Path(data, ["red", "blue"][number % 2]).mkdir(parents=True, exist_ok=True)
            shutil.copy(f"data/{number:03}.png", f"{data}/{['red', 'blue'][number % 2]}")
        Path(data, "ghost").mkdir()
    else:
        data = "data/x.json"
        names = [{"id": id, "name": name} for id, name in enumerate(["red", "ghost", "blue"])]
        images = [{"id": id, "file_name": f"{id:03}.png", "width": 32, "height": 32} for id in range(8)]
        objects = [{"id": n, "image_id": n, "category_id": n % 2 * 2, "bbox": [1, 1, 5, 5]} for n in range(8)]
        Path(data).write_text(json.dumps({"images": images, "annotations": objects, "categories": names}))
    ran = train("--val", "0", "--dry-run", "--json", data=data)
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert told["classes"] == "blue, red"
    assert "no image shows ghost, which the data name: not learnt" in told["odd"]
    told = json.loads(train("--dry-run", "--json", "--val", "0", "--classes", "red,blue", data=data).out)
    assert "ghost" not in told.get("odd", "")
    assert "no class 'ghost'" in said(train("--dry-run", "--classes", "ghost", data=data), "ClassUnknown", 4)
    assert "warning: no image shows ghost" in train("--val", "0", data=data, epochs=1).err


def test_labels_with_another_separator_than_was_thought(train):
    data = write_table("x.csv", [f"{number:03}.png,{['red', 'blue', 'red|blue'][number % 3]}" for number in range(12)])
    ran = train("--val", "0", data=data, epochs=1)
    assert "warning: 'red|blue' is one class here, and so is 'red'; is '|' a --separator of labels?" in ran.err
    assert "one class here" not in train("--val", "0", "--separator", "|", "--overwrite", data=data, epochs=1).err


def test_one_class_and_nothing_else(train):
    data = write_table("x.csv", ["000.png,red", "001.png,red", "002.png,red"])
    line = said(train("--val", "0", data=data), "DatasetUnreadable", 3)
    assert "every image shows 'red', the only class, so there is nothing to tell it from" in line


def test_one_class_that_some_images_lack(train, camtool):
    data = write_table("x.csv", [f"{number:03}.png,{'red' if number % 2 else ''}" for number in range(20)])
    ran = train(data=data, epochs=2)
    assert ran.code == 0, ran.err
    assert "1 class, any number a picture (sigmoid)" in ran.err
    ran = camtool("classes", "-m", "net.py:make@birds.safetensors")
    assert [line.split("\t")[2] for line in ran.lines[1:]] == ["negative", "red"]
    ran = camtool("cam", "data/001.png", "-m", "net.py:make@birds.safetensors", "-c", "red", "--save", "none", "--json")
    assert ran.code == 0, ran.err
    (found,) = ran.records[0]["maps"]
    assert found["class"]["probability"] == pytest.approx(1 / (1 + np.exp(-2 * found["class"]["logit"] / 2)), abs=1e-4)


def test_a_class_that_every_image_shows(train):
    data = write_table("x.csv", [f"{number:03}.png,red{';blue' if number % 2 else ''}" for number in range(20)])
    ran = train(data=data, epochs=1)
    assert "warning: every image to learn from shows 'red'" in ran.err


def test_images_without_labels(train):
    rows = ["path,class", *(f"{number:03}.png,{['red', 'blue', ''][number % 3]}" for number in range(30))]
    Path("data/x.csv").write_text("\n".join(rows) + "\n")
    ran = train(data="data/x.csv", epochs=1)
    assert ran.code == 0, ran.err
    assert "warning: 10 images without labels left out" in ran.err
    assert record()["data"]["images"]["without_labels"] == 10
    Path("data/x.csv").write_text("path,class\n000.png,\n001.png,\n")
    assert "none of 2 images has a label to learn" in said(train("--overwrite", data="data/x.csv"), "InputEmpty", 3)


def test_labels_that_only_the_images_to_choose_by_have(train):
    one = write_table("a.csv", [f"{number:03}.png,{['red', 'blue'][number % 2]}" for number in range(10)])
    other = write_table("b.csv", ["011.png,red", "012.png,bleu", "013.png,bleu"])
    line = said(train("--val-data", other, data=one), "DatasetUnreadable", 3)
    assert "'bleu' (2 images, the first: 012.png) is no class of the images to learn from; did you mean blue?" in line


def test_a_class_of_which_there_is_nothing_to_choose_by(train):
    one = write_table("a.csv", [f"{number:03}.png,{['red', 'blue'][number % 2]}" for number in range(10)])
    other = write_table("b.csv", ["011.png,red", "012.png,red"])
    ran = train("--val-data", other, data=one, epochs=1)
    assert ran.code == 0, ran.err
    assert "no image to choose by shows blue: the mean average precision is without" in ran.err
    assert record()["metrics"]["ap"].keys() == {"red"}


def test_classes_that_look_like_one(train):
    data = write_table("x.csv", [f"{number:03}.png,{['red', 'Red', 'blue'][number % 3]}" for number in range(12)])
    assert "'Red' and 'red' are different classes here; are they one?" in train("--val", "0", data=data, epochs=1).err


@pytest.mark.parametrize("regime", ["--freeze", "--finetune"])
def test_images_that_cannot_be_read(train, regime):
    Path("data/003.png").write_bytes(b"not a picture")
    Path("data/007.png").unlink()
    ran = train(regime, epochs=2)
    assert (ran.code, ran.lines) == (5, ["birds.safetensors"]), ran.err
    assert "error[ImagesFailed]: 2 of 40 images failed; the network is trained on the others" in ran.err
    if regime == "--freeze":
        assert "error[ImageUnreadable]: data/003.png: " in ran.err
    failed = record()["data"]["failed"]
    assert failed["count"] == 2
    assert {one["image"] for one in failed["images"]} == {"data/003.png", "data/007.png"}
    assert train(regime, "--max-failures", "2", "--overwrite", epochs=2).code == 0


def test_so_many_that_a_class_is_gone(train):
    data = write_table("x.csv", [f"{number:03}.png,{'red' if number < 3 else 'blue'}" for number in range(12)])
    for number in range(3):
        Path(f"data/{number:03}.png").write_bytes(b"")
    line = said_last(train("--val", "0", data=data))
    assert "DatasetUnreadable" in line
    assert "3 images could not be read, and no image to learn from shows 'red'" in line


def said_last(ran):
    return [line for line in ran.err.splitlines() if "error[" in line][-1]


def test_a_loss_that_is_no_number(train):
    ran = train("--lr", "1e30", "--finetune", "--scales", "1:1")
    assert ran.code == 4
    assert "the loss is not a number any more" in said_last(ran)


def test_the_file_that_is_read_is_not_replaced(train, folder):
    torch.save({"state_dict": {}}, "own.pth")
    train(epochs=1)
    ran = train("--checkpoint", "birds.safetensors", "--overwrite", epochs=1)
    assert "would replace the --checkpoint that is read" in said(ran, "OutputRefused", 6)
    ran = train("--checkpoint", "birds.safetensors", out="new.safetensors", epochs=1)
    assert "is a network of `camtool train` itself" in said(ran, "UsageError", 2)


def test_no_room_for_the_features(train, monkeypatch):
    import shutil as tools

    usage = tools.disk_usage("/")
    monkeypatch.setattr("cam_cli.training.cache.shutil.disk_usage", lambda path: usage._replace(free=1000))
    line = said(train(), "OutputFailed", 6)
    assert "features take " in line
    assert "has 0.0 MB free; choose another --cache, fewer --views or a smaller --size" in line


def test_a_full_disk(train, monkeypatch):
    """The error of the system becomes a line, and what is there stays whole."""
    from cam_cli.training.cache import FeatureCache

    def full(self, file, view, grid):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FeatureCache, "write", full)
    assert "No space left on device; choose another --cache" in said(train(), "OutputFailed", 6)


def test_an_output_that_cannot_be_written(train, monkeypatch):
    monkeypatch.setattr("cam_cli.outputs.trained.os.access", lambda path, mode: False)
    assert "no permission in" in said(train(), "OutputRefused", 6)


def test_a_trained_file_side_by_side_with_others(train, camtool):
    train("--pool", "max", epochs=1)
    train("--pool", "avg", out="other.safetensors", epochs=1)
    models = ("-m", "a=net.py:make@birds.safetensors", "-m", "b=net.py:make@other.safetensors")
    ran = camtool(
        "evaluate", "data/labels.csv", *models, "--limit", "12", "-o", "ev", "-q", "--metrics", "classification_ap"
    )
    assert ran.code == 0, ran.err
    numbers = json.loads(Path("ev/metrics.json").read_text())
    assert {"a.cam.classification_ap", "b.cam.classification_ap"} <= numbers.keys()
