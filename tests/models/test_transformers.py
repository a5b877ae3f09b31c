"""Image classifiers that transformers knows: folders, checkpoints, preprocessing as its processors', and refusals."""

import json
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from cam_cli.choice import ModelChoice
from cam_cli.errors import (
    CheckpointMismatch,
    CheckpointUnreadable,
    ModelFailed,
    ModelUnknown,
    PackageMissing,
    WeightsUnavailable,
)
from cam_cli.images.intensity import Range
from cam_cli.images.preprocess import prepare
from cam_cli.models import SOURCES, labels_of, load
from cam_cli.models.head import find_head
from cam_cli.models.labels import imagenet1k
from cam_cli.models.layers import survey
from cam_cli.models.processor import processed
from cam_cli.models.transformers import flipping, labels_in
from tests.conftest import SAMPLES

transformers = pytest.importorskip("transformers")
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
NAMES = {0: "cat", 1: "dog", 2: "fox"}


def vit(**more):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = transformers.ViTConfig(image_size=32, patch_size=8, **sizes, **({"id2label": NAMES} | more))
    return transformers.ViTForImageClassification(config).eval()


@pytest.fixture
def folder(tmp_path):
    vit().save_pretrained(tmp_path / "vit")
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path / "vit")
    return tmp_path / "vit"


def edit(path, **entries):
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


def same_scores(network, saved):
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        return torch.equal(network.module(images).logits, saved(images).logits)


def test_a_folder(folder, monkeypatch, capfd):
    monkeypatch.chdir(folder.parent)
    for name in (f"hf/{folder}", "hf/vit", "hf/./vit"):
        network = load(name)
        assert same_scores(network, vit())
    assert (network.source, network.labels.names, network.activation) == (
        "transformers",
        ("cat", "dog", "fox"),
        "softmax",
    )
    assert (network.recipe.size, network.recipe.squash, network.recipe.source) == (32, True, "weights")
    assert network.notes == ()
    assert len(network.weights_sha256) == 64
    assert labels_of(ModelChoice.parse("hf/vit")).names == ("cat", "dog", "fox")
    assert capfd.readouterr() == ("", "")


def test_a_head_is_found_behind_their_outputs(tmp_path):
    config = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    transformers.ResNetForImageClassification(config).save_pretrained(tmp_path / "net")
    network = load(f"hf/{tmp_path / 'net'}")
    assert find_head(network, 64).layer == survey(network, 64).default.path == "resnet.encoder.stages.1"
    assert network.labels.names == ("class_0", "class_1"), "LABEL_0 is no name"
    assert network.notes == (
        f"preprocessing assumed: ImageNet's, 224 px (hf/{tmp_path / 'net'} has no preprocessor_config.json)",
    )


def test_a_checkpoint_for_a_folder_without_weights(folder, tmp_path):
    saved = vit(id2label={index: f"LABEL_{index}" for index in range(5)})
    torch.save({"state_dict": saved.state_dict()}, tmp_path / "x.pth")
    (folder / "model.safetensors").unlink()
    network = load(f"hf/{folder}@{tmp_path / 'x.pth'}")
    assert same_scores(network, saved)
    assert (len(network.labels), network.recipe.source) == (5, "assumed")
    torch.save(vit().state_dict(), tmp_path / "same.pth")
    network = load(f"hf/{folder}@{tmp_path / 'same.pth'}")
    assert network.labels.names == ("cat", "dog", "fox")
    assert network.notes[-1] == f"class names assumed: hf/{folder}'s own"


def test_several_labels_are_read_with_a_sigmoid(folder):
    edit(folder / "config.json", problem_type="multi_label_classification")
    assert load(f"hf/{folder}").activation == "sigmoid"


def test_shapes_without_weights(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(WeightsUnavailable, match=r"holds no \*\.safetensors"):
        load(f"hf/{folder}")
    assert load(f"hf/{folder}", shapes_only=True).notes[0].startswith("random weights")


def test_pickled_weights_are_never_read(folder, tmp_path):
    (folder / "model.safetensors").unlink()

    class Payload:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    torch.save({"classifier.weight": Payload()}, folder / "pytorch_model.bin")
    with pytest.raises(WeightsUnavailable):
        load(f"hf/{folder}")
    assert not (tmp_path / "ran").exists()


def test_code_that_comes_with_a_model_never_runs(folder, tmp_path):
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Config: ...\nclass Net: ...\n")
    edit(folder / "config.json", auto_map={"AutoConfig": "evil.Config", "AutoModelForImageClassification": "evil.Net"})
    assert same_scores(load(f"hf/{folder}"), vit()), "a type that transformers knows needs no code"
    edit(folder / "config.json", model_type="evil")
    with pytest.raises(ModelFailed, match="needs code that comes with it, which is never run"):
        load(f"hf/{folder}")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("file", "entries", "error", "said"),
    [
        ("config.json", {"model_type": "bert"}, ModelFailed, "is a bert, not an image classifier"),
        ("config.json", {"model_type": "nothing"}, ModelFailed, "cannot be used"),
        (
            "config.json",
            {"hidden_size": 32},
            CheckpointMismatch,
            r"other shapes than its config\.json says: classifier",
        ),
        ("preprocessor_config.json", {"size": {"max_height": 3}}, ModelFailed, "image processor"),
        ("preprocessor_config.json", {"size": {"height": 32, "width": 64}}, ModelFailed, "32×64; only square"),
    ],
)
def test_folders_that_contradict_themselves(folder, file, entries, error, said):
    edit(folder / file, **entries)
    with pytest.raises(error, match=said) as caught:
        load(f"hf/{folder}")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("file", "content", "error", "said"),
    [
        ("config.json", None, ModelUnknown, r"holds no config\.json"),
        ("config.json", b"{", ModelFailed, "cannot be used"),
        ("preprocessor_config.json", b"{", ModelFailed, "image processor cannot be used"),
        ("model.safetensors", b"torn", CheckpointUnreadable, "cannot be read"),
    ],
)
def test_broken_folders_say_so(folder, file, content, error, said):
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_bytes(content)
    with pytest.raises(error, match=said) as caught:
        load(f"hf/{folder}")
    assert "\n" not in caught.value.message


def test_weights_of_no_classifier(tmp_path):
    vit().vit.save_pretrained(tmp_path / "base")
    with pytest.raises(CheckpointMismatch, match=r"lack classifier\.bias.*not trained as a classifier"):
        load(f"hf/{tmp_path / 'base'}")


def test_no_connection_is_said_at_once(tmp_path, monkeypatch, capfd):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody answers
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable, match="efficientnet_lite0 works offline"):
        load("hf/google/vit-base-patch16-224")
    assert time.monotonic() - started < 5
    with pytest.raises(ModelUnknown, match="neither a folder here nor an id"):
        load("hf/no such folder!")
    assert capfd.readouterr() == ("", "")


def test_without_transformers(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(PackageMissing, match=r"pip install 'camtool\[transformers\]'"):
        load("hf/google/vit")
    assert SOURCES["transformers"].extra == "transformers"


def test_imagenets_names_bring_their_ids():
    config = transformers.ViTConfig(
        id2label={0: "tench, Tinca tinca", **dict.fromkeys(range(1, 999), "x"), 999: "toilet tissue"}
    )
    assert labels_in(config) is imagenet1k()


SQUARE = {"height": 96, "width": 96}
TWICE = 1 / 127.5
OFFSET = {"rescale_offset": True, "rescale_factor": TWICE}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("ViTImageProcessor", {"size": SQUARE}),
        ("ViTImageProcessor", {"size": SQUARE, "do_normalize": False, "resample": 3}),
        ("ViTImageProcessor", {"size": SQUARE, "rescale_factor": TWICE, "image_mean": [1] * 3, "image_std": [1] * 3}),
        ("ViTImageProcessor", {"size": SQUARE, "do_rescale": False, "image_mean": [99] * 3, "image_std": [60] * 3}),
        ("CLIPImageProcessor", {"size": {"shortest_edge": 112}, "crop_size": SQUARE}),
        ("DeiTImageProcessor", {"size": {"height": 112, "width": 112}, "crop_size": SQUARE}),
        ("BeitImageProcessor", {"size": {"height": 112, "width": 112}, "crop_size": SQUARE, "do_center_crop": True}),
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 96}, "crop_pct": 0.8571}),
        ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}}),
        ("LevitImageProcessor", {"size": {"shortest_edge": 98}, "crop_size": SQUARE}),
        ("PoolFormerImageProcessor", {"size": {"shortest_edge": 96}, "crop_pct": 0.8571, "crop_size": SQUARE}),
        ("EfficientNetImageProcessor", {"size": SQUARE, "resample": 2}),
        ("EfficientNetImageProcessor", {"size": SQUARE, "resample": 2, **OFFSET}),
        ("MobileNetV2ImageProcessor", {"size": {"shortest_edge": 112}, "crop_size": SQUARE}),
    ],
)  # fmt: skip
def test_preprocessing_is_theirs(kind, options):
    processor = getattr(transformers, kind)(**options)
    recipe, notes = processed(processor, "x")
    assert notes == ()
    picture = np.asarray(Image.open(SAMPLES / "coffee.png").convert("RGB"))
    mine, _ = prepare(picture, Range(0, 255, False), recipe, fit="model", stride=1)
    theirs = processor(Image.fromarray(picture), return_tensors="pt").pixel_values[0].float()
    assert mine.shape == theirs.shape
    assert (mine - theirs).abs().max() < 1.5 / 255 / min(recipe.std)  # one level


def test_channels_in_the_other_order(tmp_path):
    processor = transformers.MobileViTImageProcessor(size={"shortest_edge": 112}, crop_size=SQUARE)
    recipe, _ = processed(processor, "x")
    picture = np.asarray(Image.open(SAMPLES / "coffee.png").convert("RGB"))
    mine, _ = prepare(picture, Range(0, 255, False), recipe, fit="model", stride=1)
    theirs = processor(Image.fromarray(picture), return_tensors="pt").pixel_values[0]
    module = flipping(torch.nn.Identity())
    assert (module(mine[None])[0] - theirs).abs().max() < 1.5 / 255
    vit().save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    network, images = load(f"hf/{tmp_path}"), torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(network.module(images).logits, vit()(images.flip(1)).logits)
