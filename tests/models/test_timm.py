"""timm's models: names, checkpoints, preprocessing as timm's own, and no connection."""

import time

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from cam_cli.choice import ModelChoice
from cam_cli.errors import CheckpointMismatch, ModelFailed, PackageMissing, WeightsUnavailable
from cam_cli.images.intensity import Range
from cam_cli.images.preprocess import prepare
from cam_cli.models import SOURCES, labels_of, load
from cam_cli.models import timm as ours
from cam_cli.models.checkpoint import read_checkpoint
from cam_cli.models.labels import imagenet1k
from cam_cli.models.layers import survey
from cam_cli.models.recipe import configured
from tests.conftest import SAMPLES

timm = pytest.importorskip("timm")
NAME = "test_resnet.r160_in1k"  # timm's own tiny network


def made(classes=1000):
    torch.manual_seed(0)
    return timm.create_model("test_resnet", num_classes=classes).eval()


def same_scores(one, two, size=64):
    images = torch.rand(2, 3, size, size)
    with torch.no_grad():
        return torch.equal(one(images), two(images))


def test_a_checkpoint(tmp_path):
    saved = made(5)
    state = {"module." + key: tensor for key, tensor in saved.state_dict().items()}
    torch.save({"model": state, "classes": list("abcde"), "activation": "sigmoid"}, tmp_path / "x.pth")
    network = load(f"timm/{NAME}@{tmp_path / 'x.pth'}")
    assert same_scores(network.module, saved)
    assert (network.source, network.labels.names, network.activation) == ("timm", tuple("abcde"), "sigmoid")
    assert network.notes == (f"preprocessing assumed: that of timm's weights for timm/{NAME}",)
    assert network.recipe.source == "assumed"


def test_its_own_weights_are_fitted_by_timm(tmp_path, monkeypatch):
    saved = made()
    save_file(saved.state_dict(), tmp_path / "model.safetensors")
    monkeypatch.setattr(ours, "from_hub", lambda *args: tmp_path)
    network = load(f"timm/{NAME}")
    assert same_scores(network.module, saved)
    assert (network.labels, network.notes, network.weights) == (imagenet1k(), (), f"timm {NAME}")
    assert network.weights_sha256 == read_checkpoint(tmp_path / "model.safetensors").sha256
    assert (network.recipe.size, network.recipe.resize, network.recipe.source) == (160, 168, "weights")
    with pytest.raises(CheckpointMismatch, match="1000 classes; drop num_classes"):
        load(ModelChoice.parse(f"timm/{NAME}", arguments=(("num_classes", 3),)))
    (tmp_path / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(WeightsUnavailable, match="broken: delete"):
        load(f"timm/{NAME}")


def test_arguments_reach_the_constructor(tmp_path):
    torch.save(timm.create_model("test_vit", img_size=96, num_classes=3).state_dict(), tmp_path / "x.pth")
    choice = ModelChoice.parse(f"timm/test_vit@{tmp_path / 'x.pth'}", arguments=(("img_size", 96),))
    network = load(choice)
    assert (network.recipe.size, len(network.labels)) == (96, 3)
    with pytest.raises(CheckpointMismatch, match=r"pos_embed: file"):
        load(f"timm/test_vit@{tmp_path / 'x.pth'}")
    with pytest.raises(ModelFailed, match=r"cannot be made with .*depths='many'.*TypeError"):
        load(ModelChoice.parse(f"timm/test_vit@{tmp_path / 'x.pth'}", arguments=(("depths", "many"),)))


def test_no_connection_is_said_at_once_and_shapes_are_to_be_had(tmp_path, monkeypatch, capfd):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # nobody answers
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    started = time.monotonic()
    with pytest.raises(WeightsUnavailable) as caught:
        load(f"timm/{NAME}")
    assert time.monotonic() - started < 5
    assert "efficientnet_lite0 works offline" in caught.value.message
    network = load(f"timm/{NAME}", shapes_only=True)
    assert network.notes[0].startswith("random weights, good for shapes only: the weights of timm/")
    assert survey(network).default.path == "layer4"
    assert labels_of(ModelChoice.parse(f"timm/{NAME}")) == imagenet1k()
    assert network.weights_sha256 == ""
    assert torch.equal(network.module.fc.weight, load(f"timm/{NAME}", shapes_only=True).module.fc.weight)
    assert capfd.readouterr() == ("", "")


def test_a_model_published_without_a_head(tmp_path):
    name = "vit_small_patch14_dinov2"
    with pytest.raises(WeightsUnavailable, match="without a classifier"):
        load(f"timm/{name}")


def test_models_without_weights_say_so():
    bare = next(name for name in timm.list_models() if not timm.list_pretrained(f"{name}.*"))
    with pytest.raises(WeightsUnavailable, match="timm has no weights for"):
        load(f"timm/{bare}")


def test_without_timm(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "timm", None)
    with pytest.raises(PackageMissing, match=r"pip install 'camtool\[timm\]'"):
        load("timm/resnet50")
    assert SOURCES["timm"].extra == "timm"


@pytest.mark.parametrize("mode", ["center", "squash"])
@pytest.mark.parametrize("crop_pct", [0.875, 0.95, 1.0])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_preprocessing_is_timms(mode, crop_pct, interpolation):
    config = {"input_size": (3, 96, 96), "crop_pct": crop_pct, "interpolation": interpolation, "crop_mode": mode}
    config |= {"mean": (0.4, 0.5, 0.6), "std": (0.2, 0.3, 0.4)}
    recipe, notes = configured(config, "x")
    assert notes == ()
    picture = np.asarray(Image.open(SAMPLES / "coffee.png").convert("RGB"))
    mine, _ = prepare(picture, Range(0, 255, False), recipe, fit="model", stride=1)
    data = timm.data.resolve_data_config({}, pretrained_cfg=config)
    theirs = timm.data.create_transform(**data)(Image.fromarray(picture))
    assert mine.shape == theirs.shape
    assert (mine - theirs).abs().max() < 1.5 / 255 / 0.2  # one level: Pillow rounds between its two passes


def test_configurations_by_their_defaults_and_what_is_replaced():
    assert configured({}, "x")[0].resize == 256
    assert configured({"interpolation": "lanczos"}, "x")[1] == ("x resizes with lanczos; bicubic stands for it",)
    assert "pads pictures" in configured({"crop_mode": "border"}, "x")[1][0]
    with pytest.raises(ModelFailed, match="224×112"):
        configured({"input_size": (3, 224, 112)}, "x")
