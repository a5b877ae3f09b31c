"""Weight files of every kind, whole and broken; nothing in them ever runs."""

import argparse
import hashlib
import io
import os
import pickle
import tarfile
import zipfile

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cam_cli.errors import CheckpointMismatch, CheckpointUnreadable, CheckpointUnsafe, InputMissing
from cam_cli.models.checkpoint import read_checkpoint
from cam_cli.models.fitting import fit, load_into


def net(classes=None):
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, classes or 10)
    )


def same(one, other):
    return list(one) == list(other) and all(torch.equal(one[key], other[key]) for key in one)


class Payload:
    """Unpickling this would make a file."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


class Stacked(Payload):
    """The same by way of builtins: `getattr` and `eval` are globals too."""

    def __reduce__(self):
        return eval, (f"__import__('os').mkdir({self.path!r})",)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".bin"])
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_are_read(tmp_path, suffix, zipped):
    state, path = net().state_dict(), tmp_path / f"weights{suffix}"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    found = read_checkpoint(path)
    assert same(state, found.state)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.bin"])
def test_safetensors_are_read_whatever_their_suffix(tmp_path, name):
    state = net().state_dict()
    save_file(state, tmp_path / name)
    read = read_checkpoint(str(tmp_path / name)).state
    assert all(torch.equal(read[key], state[key]) for key in state)


@pytest.mark.parametrize("nest", ["state_dict", "model", "model_state_dict"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "model."])
def test_plain_wrapping_is_taken_off(tmp_path, nest, prefix):
    state = net().state_dict()
    torch.save(
        {"epoch": 3, "lr": [0.1], nest: {prefix + key: value for key, value in state.items()}}, tmp_path / "x.ckpt"
    )
    found = read_checkpoint(tmp_path / "x.ckpt")
    module, _ = fit(net, found.state, "x.ckpt")
    assert same(state, module.state_dict())


@pytest.mark.parametrize("payload", [Payload, Stacked])
@pytest.mark.parametrize(
    "save",
    [
        torch.save,
        lambda content, path: torch.save(content, path, _use_new_zipfile_serialization=False),
        lambda content, path: torch.save(content, path, pickle_protocol=4),
        lambda content, path: path.write_bytes(pickle.dumps(content)),
        lambda content, path: path.write_bytes(pickle.dumps(content, protocol=2)),
    ],
)
def test_a_payload_is_refused_and_never_runs(tmp_path, payload, save):
    save({"weight": torch.zeros(2), "extra": payload(tmp_path / "ran")}, tmp_path / "evil.pth")
    with pytest.raises(CheckpointUnsafe, match="save the state dict alone"):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("protocol", [0, 1])
def test_an_old_pickle_with_a_payload_never_runs(tmp_path, protocol):
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(Payload(tmp_path / "ran"), protocol=protocol))
    with pytest.raises((CheckpointUnsafe, CheckpointUnreadable)):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def test_a_tar_with_a_payload_never_runs(tmp_path):
    content = pickle.dumps(Payload(tmp_path / "ran"))
    with tarfile.open(tmp_path / "evil.pth", "w") as archive:
        for name in ("pickle", "storages", "tensors"):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    with pytest.raises(CheckpointUnreadable):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [net(), {"args": argparse.Namespace(lr=1), "state_dict": net().state_dict()}])
def test_whole_objects_are_refused_by_name(tmp_path, content):
    torch.save(content, tmp_path / "whole.pth")
    with pytest.raises(CheckpointUnsafe, match=r"pickled objects \((torch|argparse)\."):
        read_checkpoint(tmp_path / "whole.pth")


def test_a_torchscript_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:  # its listing is what counts
        for name in ("data.pkl", "constants.pkl", "code/__torch__.py", "version"):
            archive.writestr(f"script/{name}", b"")
    with pytest.raises(CheckpointUnsafe, match="TorchScript"):
        read_checkpoint(tmp_path / "script.pt")


@pytest.mark.filterwarnings("ignore")
def test_a_real_torchscript_archive_is_refused(tmp_path):
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), tmp_path / "script.pt")
    with pytest.raises(CheckpointUnsafe, match="TorchScript"):
        read_checkpoint(tmp_path / "script.pt")


@pytest.mark.parametrize("marker", ["archive_format", "serialized_exported_program.json"])
@pytest.mark.parametrize("folder", ["model/", ""])
def test_an_export_archive_is_refused(tmp_path, marker, folder):
    with zipfile.ZipFile(tmp_path / "model.pt2", "w") as archive:
        archive.writestr(folder + marker, b"pt2")
        archive.writestr(folder + "data.pkl", b"")
    with pytest.raises(CheckpointUnsafe, match=r"torch\.export"):
        read_checkpoint(tmp_path / "model.pt2")


def truncated(content, *, zipped=True):
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=zipped)
    return file.getvalue()[: len(file.getvalue()) // 2]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><html>not found</html>", "not a checkpoint"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n", "Git LFS"),
        (bytes(range(256)), "not a checkpoint"),
        (b"\x80\x02garbage", "damaged|could run code"),
        (truncated(net().state_dict()), "damaged"),
        (truncated(net().state_dict(), zipped=False), "damaged"),
        (b"PK\x03\x04" + bytes(100), "damaged"),
    ],
)
def test_broken_files_say_so(tmp_path, content, said):
    (tmp_path / "broken.pth").write_bytes(content)
    with pytest.raises((CheckpointUnreadable, CheckpointUnsafe), match=said) as caught:
        read_checkpoint(tmp_path / "broken.pth")
    assert caught.value.exit_code == 3
    assert "broken.pth" in caught.value.message


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 100, b"\x10\0\0\0\0\0\0\0{"])
def test_broken_safetensors_say_so(tmp_path, content):
    (tmp_path / "broken.safetensors").write_bytes(content)
    with pytest.raises(CheckpointUnreadable, match=r"whole \.safetensors"):
        read_checkpoint(tmp_path / "broken.safetensors")


def test_a_zip_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("photos/cat.jpg", b"")
    with pytest.raises(CheckpointUnreadable, match=r"torch\.save"):
        read_checkpoint(tmp_path / "x.pth")


@pytest.mark.parametrize(
    ("content", "said"),
    [(torch.zeros(3), "one Tensor"), ([1, 2], "one list"), ({}, "nothing"), ({"epoch": 3}, "epoch")],
)
def test_files_without_a_state_dict(tmp_path, content, said):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointUnreadable, match=said):
        read_checkpoint(tmp_path / "x.pth")


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputMissing, match="no checkpoint at"):
        read_checkpoint(tmp_path / "none.pth")
    with pytest.raises(CheckpointUnreadable, match="not a file"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("classes", [10, 3, 1])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.float64])
def test_the_class_count_comes_from_the_head(classes, dtype):
    saved = net(classes).to(dtype)
    module, found = fit(net, saved.state_dict(), "x.pth")
    assert found == (None if classes == 10 else classes)
    assert not module.training
    assert {parameter.dtype for parameter in module.parameters()} == {torch.float32}
    assert torch.equal(module[4].weight, saved[4].weight.float())


def test_files_from_before_batch_counters_fit():
    state = {key: value for key, value in net().state_dict().items() if not key.endswith("num_batches_tracked")}
    assert fit(net, state, "x.pth")[1] is None


def test_a_mismatch_is_told_key_by_key():
    state = net().state_dict()
    state["0.weight"] = torch.zeros(5, 3, 3, 3)
    state["4.weight"] = torch.zeros(10, 512)
    del state["0.bias"]
    for index in range(5):
        state[f"head.{index}"] = torch.zeros(1)
    with pytest.raises(CheckpointMismatch) as caught:
        fit(net, state, "x.pth")
    said = caught.value.message
    assert "x.pth does not fit" in said
    assert "1 missing in the file (0.bias)" in said
    assert "5 unknown to the model (head.0, head.1, head.2, …)" in said
    assert "2 of another shape" in said
    assert "4.weight: file 10×512, model 10×4" in said


def test_heads_that_disagree_on_the_count_do_not_fit():
    state = net(7).state_dict()
    state["4.bias"] = torch.zeros(8)
    with pytest.raises(CheckpointMismatch, match=r"4\.bias: file 8, model 10"):
        fit(net, state, "x.pth")


def test_tensors_that_cannot_be_copied():
    state = net().state_dict()
    state["4.weight"] = state["4.weight"].to("meta")
    with pytest.raises(CheckpointMismatch):
        load_into(net(), state, "x.pth")
