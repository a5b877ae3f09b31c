"""The files beside a checkpoint: their names, and when they may be touched."""

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save

from cam_cli.errors import OutputFailed, OutputRefused
from cam_cli.outputs.trained import TrainedFiles
from cam_cli.training.saving import in_order


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return TrainedFiles(Path("out/birds.v2.safetensors"))


def test_names(files):
    found = (files.record, files.curve, files.work, files.state, files.features)
    assert [path.name for path in found] == [
        "birds.v2.train.json", "birds.v2.curve.png", "birds.v2.work", "state.safetensors", "features",
    ]  # fmt: skip
    assert {path.parent for path in found[:3]} == {Path("out")}


@pytest.mark.parametrize("name", ["checkpoint", "record", "curve", "state"])
def test_what_is_there_is_not_taken(files, name):
    path = getattr(files, name)
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    words = "was stopped; --resume goes on" if name == "state" else f"{path} exists; --overwrite"
    with pytest.raises(OutputRefused, match=words):
        files.check(False, False)
    files.check(True, False)
    files.check(False, True)
    files.begin(False)
    assert path.read_text() == "mine"
    files.begin(True)
    assert not path.exists()


def test_places_that_cannot_be_written(files, tmp_path):
    Path("out").write_text("a file")
    with pytest.raises(OutputRefused, match="out is a file"):
        files.check(True, False)
    with pytest.raises(OutputFailed):
        files.begin(False)
    Path("out").unlink()
    files.checkpoint.mkdir(parents=True)
    with pytest.raises(OutputRefused, match="is a folder"):
        files.check(True, False)


def test_the_end_leaves_what_is_not_its_own(files):
    files.begin(False)
    files.state.write_text("")
    (files.work / "mine.txt").write_text("mine")
    files.end()
    assert [one.name for one in files.work.iterdir()] == ["mine.txt"]
    (files.work / "mine.txt").unlink()
    files.end()
    assert not files.work.exists()


def test_a_file_with_its_text_in_order_reads_the_same(tmp_path):
    tensors = {"b": torch.randn(3, 5), "a": torch.arange(7), "c": torch.zeros(0)}
    told = {key: json.dumps(f'ä{key}\n"') for key in "zyxwvutsrqp"}
    plain, ordered = save(tensors, told), in_order(save(tensors, told))
    assert {in_order(save(tensors, told)) for _ in range(5)} == {ordered}
    (tmp_path / "x.safetensors").write_bytes(ordered)
    with safe_open(tmp_path / "x.safetensors", "pt") as file:
        assert file.metadata() == told
        assert all(torch.equal(file.get_tensor(key), tensor) for key, tensor in tensors.items())
    assert len(ordered) == pytest.approx(len(plain), abs=200)
