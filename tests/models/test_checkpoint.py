"""Weight files of every kind, whole and broken; nothing in them ever runs."""

import argparse
import hashlib
import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from cam_cli.errors import CheckpointMismatch, CheckpointUnreadable, CheckpointUnsafe, InputMissing
from cam_cli.models.checkpoint import Checkpoint, opened, read_checkpoint
from cam_cli.models.fitting import fit, load_into
from cam_cli.types import Recipe
from tests.nets import seeded


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


@pytest.mark.parametrize(
    "nest", ["state_dict", "model", "model_state_dict", "net", "network", "ema", "model_ema", "state_dict_ema"]
)
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model."])
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
    ids=lambda value: "file" if isinstance(value, bytes) else None,  # torch writes addresses
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


def test_boxes_in_boxes_are_opened():
    state = net().state_dict()
    boxes, notes = opened({"epoch": 1, "model": {"ema": {"module": {"state_dict": state}}}})
    assert boxes[-1] is state
    assert notes == ["took the averaged weights under 'ema'; it holds no others"]


def test_plain_weights_are_taken_before_averaged_ones(tmp_path):
    plain, averaged = seeded(net(), 1).state_dict(), seeded(net(), 2).state_dict()
    torch.save({"state_dict_ema": averaged, "state_dict": plain}, tmp_path / "x.pth")
    found = read_checkpoint(tmp_path / "x.pth")
    assert same(plain, found.state)
    assert found.notes == (f"{tmp_path / 'x.pth'}: took the weights under 'state_dict', not 'state_dict_ema'",)


def test_a_network_whose_child_is_called_model_keeps_it(tmp_path):
    state = {f"model.{key}": value for key, value in net().state_dict().items()}
    torch.save(state, tmp_path / "x.pth")
    assert same(state, read_checkpoint(tmp_path / "x.pth").state)


def test_a_file_that_holds_itself(tmp_path):
    content = {"epoch": 1}
    content["model"] = content
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(CheckpointUnreadable, match="no tensors"):
        read_checkpoint(tmp_path / "x.pth")


@pytest.mark.parametrize(
    "said",
    [
        {"classes": ["cat", "dog"]},
        {"class_names": ("cat", "dog")},
        {"labels": ["cat", "dog"]},
        {"idx_to_class": {0: "cat", 1: "dog"}},
        {"idx_to_class": {"1": "dog", "0": "cat"}},
        {"class_to_idx": {"dog": 1, "cat": 0}},
        {"meta": {"categories": ["cat", "dog"]}},
        {"labels": torch.tensor([1, 0]), "classes": ["cat", "dog"]},  # labels of a data set, not names
    ],
)
def test_class_names_are_read(tmp_path, said):
    torch.save({"state_dict": net(2).state_dict(), **said}, tmp_path / "x.pth")
    assert read_checkpoint(tmp_path / "x.pth").classes == ("cat", "dog")


@pytest.mark.parametrize("said", [{}, {"classes": 2}, {"class_to_idx": {"a": 0, "b": 2}}, {"classes": [1, 2]}])
def test_what_names_no_classes(tmp_path, said):
    torch.save({"state_dict": net(2).state_dict(), **said}, tmp_path / "x.pth")
    assert read_checkpoint(tmp_path / "x.pth").classes is None


RECIPE = {"size": 96, "resize": 112, "mean": [0.1, 0.2, 0.3], "std": [1, 1, 0.5], "interpolation": "bicubic"}
ASSUMED = Recipe(224, 256, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bilinear", "assumed")


def test_what_camtool_itself_writes_is_read(tmp_path):
    said = {"classes": ["cat", "dog"], "recipe": RECIPE, "activation": "sigmoid", "model": "efficientnet_lite0"}
    torch.save({"state_dict": net(2).state_dict(), **said}, tmp_path / "x.pth")
    metadata = {key: value if isinstance(value, str) else json.dumps(value) for key, value in said.items()}
    save_file(net(2).state_dict(), tmp_path / "x.safetensors", metadata)
    for name in ("x.pth", "x.safetensors"):
        found = read_checkpoint(tmp_path / name)
        assert (found.classes, found.activation) == (("cat", "dog"), "sigmoid")
        assert found.recipe_over(ASSUMED) == Recipe(96, 112, (0.1, 0.2, 0.3), (1, 1, 0.5), "bicubic", "checkpoint")


def test_a_recipe_in_part_is_filled_up():
    found = Checkpoint("x.pth", "", {}, recipe={"size": 64, "note": "anything"})
    assert found.recipe_over(ASSUMED) == replace(ASSUMED, size=64, resize=64, source="checkpoint")
    assert Checkpoint("x.pth", "", {}).recipe_over(ASSUMED) is ASSUMED


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 0}, {"size": 10**9}, {"size": "224"}, {"resize": True}, {"mean": [0.5, 0.5]}, {"mean": 0.5},
        {"mean": [float("nan"), 0, 0]}, {"std": [0, 1, 1]}, {"interpolation": "lanczos"}, {"interpolation": ["a"]},
    ],
)  # fmt: skip
def test_a_recipe_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(CheckpointUnreadable, match="recipe whose"):
        Checkpoint("x.pth", "", {}, recipe=wrong).recipe_over(ASSUMED)


def test_a_trusted_file_runs_and_only_then(tmp_path):
    torch.save({"state_dict": net().state_dict(), "extra": Payload(tmp_path / "ran")}, tmp_path / "x.pth")
    with pytest.raises(CheckpointUnsafe, match="--trust-checkpoint"):
        read_checkpoint(tmp_path / "x.pth")
    assert not (tmp_path / "ran").exists()
    assert list(read_checkpoint(tmp_path / "x.pth", trust=True).state) == list(net().state_dict())
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("wrap", [lambda whole: whole, lambda whole: {"model": whole, "epoch": 3}])
def test_a_whole_network_is_read_when_trusted(tmp_path, wrap):
    whole = seeded(net())
    torch.save(wrap(whole), tmp_path / "x.pth")
    assert same(whole.state_dict(), read_checkpoint(tmp_path / "x.pth", trust=True).state)


@pytest.mark.filterwarnings("ignore")
def test_trust_opens_no_programs(tmp_path):
    torch.jit.save(torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)), tmp_path / "script.pt")
    with pytest.raises(CheckpointUnsafe, match="TorchScript"):
        read_checkpoint(tmp_path / "script.pt", trust=True)
    (tmp_path / "net.onnx").write_bytes(b"\x08\x07\x12\x07pytorch")
    with pytest.raises(CheckpointUnsafe, match="ONNX"):
        read_checkpoint(tmp_path / "net.onnx", trust=True)


@pytest.mark.parametrize("name", ["net.onnx", "net.pth"])
def test_onnx_graphs_are_refused_with_what_to_do(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x08\x07\x12\x07pytorch\x1a\x032.1:\x00")
    with pytest.raises(CheckpointUnsafe, match=r"ONNX graph.*save the state dict alone"):
        read_checkpoint(tmp_path / name)


HUGE = 10**10


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "huge",
    [
        lambda: torch.zeros(1, 1).expand(HUGE, 4),
        lambda: torch.empty(HUGE, 4, device="meta"),
        lambda: torch.sparse_coo_tensor(torch.zeros(2, 0), torch.zeros(0), (HUGE, 4)),
        lambda: torch.nested.nested_tensor([torch.zeros(4)] * 3),
    ],
)
def test_tensors_that_claim_more_than_the_file_holds(tmp_path, huge):
    torch.save({**net().state_dict(), "4.weight": huge()}, tmp_path / "x.pth")
    with pytest.raises(CheckpointUnsafe, match=r"4\.weight"):
        read_checkpoint(tmp_path / "x.pth")


def rezipped(path, target, change, compression=zipfile.ZIP_STORED):
    """`path` as another archive, with what `change(name, bytes)` makes of each entry."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))


def test_a_zip_bomb_is_refused_unopened(tmp_path):
    torch.save(net().state_dict(), tmp_path / "x.pth")
    blow = lambda name, data: bytes(10**7) if name.endswith("data/0") else data  # noqa: E731
    rezipped(tmp_path / "x.pth", tmp_path / "bomb.pth", blow, zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointUnsafe, match="unpacks to more than its own size"):
        read_checkpoint(tmp_path / "bomb.pth")


def test_a_payload_beside_good_tensors_never_runs(tmp_path):
    torch.save(net().state_dict(), tmp_path / "x.pth")
    evil = pickle.dumps(Payload(tmp_path / "ran"), protocol=2)
    rezipped(tmp_path / "x.pth", tmp_path / "evil.pth", lambda name, data: evil if name.endswith("data.pkl") else data)
    with pytest.raises(CheckpointUnsafe):
        read_checkpoint(tmp_path / "evil.pth")
    assert not (tmp_path / "ran").exists()


def safetensors(header, data=b""):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "content",
    [
        struct.pack("<Q", 2**62) + b"{}",
        safetensors({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4]}}, bytes(4)),
        safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}}, bytes(12)),
        safetensors({"a": {"dtype": "P64", "shape": [1], "data_offsets": [0, 8]}}, bytes(8)),
        safetensors({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}, bytes(7)),
        safetensors({"__metadata__": {"classes": "[" * 100_000}}),
    ],
)
def test_safetensors_that_lie(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(CheckpointUnreadable):
        read_checkpoint(tmp_path / "x.safetensors")
