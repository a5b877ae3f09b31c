"""Exports in a whole run."""

import json
from io import BytesIO
from threading import Event

import pytest

from cam_cli.errors import CamtoolError, ClassUnknown, InputMissing, OutputRefused, UsageError
from cam_cli.specs import CamSpec, ClassSpec, ExplainSpec, GeometrySpec, MethodSpec, OutputSpec
from cam_cli.specs.boxes import BoxSpec
from cam_cli.specs.export import ExportSpec
from cam_cli.specs.model import ModelSpec
from cam_cli.specs.run import RunSpec
from cam_cli.tasks.explain import explain

from .records import tree


class Silent:
    """A listener that keeps the notes."""

    def __init__(self):
        self.notes = []

    def note(self, topic, text):
        self.notes.append((topic, text))

    def __getattr__(self, name):
        return lambda *_, **__: None


def run(inputs, export: ExportSpec, output: OutputSpec, method: CamSpec = CamSpec(), boxes=BoxSpec()):  # noqa: B008
    listener = Silent()
    groups = ModelSpec(), ClassSpec(), method, GeometrySpec(), output, RunSpec()
    spec = ExplainSpec((), tuple(map(str, inputs)), *groups, boxes, export)
    explain(spec, listener, Event(), BytesIO())
    return [text for topic, text in listener.notes if topic == "export"]


def test_a_run_exports_and_the_next_clears(photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo("in/a.png"), photo("in/sub/b.png")
    (tmp_path / "in/c.jpg").write_bytes(b"no picture")
    told = run(["in"], ExportSpec(("coco,yolo", "csv")), OutputSpec("out", ("none",)))
    assert told == [
        "coco: 2 images, 2 boxes, 1 failed left out: coco.json",
        "yolo: 2 images, 2 boxes, 1 failed left out: yolo/data.yaml",
        "csv: 2 images, 2 boxes, 1 failed left out: boxes.csv",
    ]
    assert tree(tmp_path / "out") == sorted(
        [
            "boxes.csv",
            "coco.json",
            "coco_results.json",
            "results.csv",
            "results.jsonl",
            "yolo/data.yaml",
            "yolo/train.txt",
        ]
        + [f"yolo/{name}" for name in ("images/train/a.png", "images/train/sub/b.png", "labels/train/a.txt")]
        + ["yolo/labels/train/sub/b.txt"]
    )
    whole = json.loads((tmp_path / "out/coco.json").read_text())
    assert len(whole["categories"]) == 1000
    x, y, width, height = whole["annotations"][0]["bbox"]
    assert (x >= 0, y >= 0, x + width <= 64, y + height <= 48) == (True,) * 4
    assert "efficientnet_lite0@" in whole["info"]["description"]
    assert json.loads((tmp_path / "out/run.json").read_text())["spec"]["export"]["export"] == ["coco,yolo", "csv"]
    run(["in"], ExportSpec(), OutputSpec("out", ("overlay",), overwrite=True))
    assert tree(tmp_path / "out") == ["a.cam.png", "results.csv", "results.jsonl", "sub/b.cam.png"]
    assert (tmp_path / "in/a.png").stat().st_nlink == 1


@pytest.mark.parametrize(
    ("export", "output", "error", "message"),
    [
        (ExportSpec(("boxes",)), OutputSpec("out"), UsageError, "no export is called 'boxes'"),
        (ExportSpec(("",)), OutputSpec("out"), UsageError, "no export is called ''"),
        (ExportSpec(("csv",)), OutputSpec("a.png"), UsageError, "-o a.png takes one result, --export writes several"),
        (ExportSpec(("csv",)), OutputSpec("-"), UsageError, "-o - takes one result"),
        (ExportSpec(("coco",), ids_from="none.json"), OutputSpec("out"), InputMissing, "none.json: no such file"),
        (ExportSpec(("coco",), ids_from="truth.json"), OutputSpec("out"), InputMissing, "1 of 1 images are not in it"),
        (
            ExportSpec(("csv",), classes_only=("tabby,nope",)),
            OutputSpec("out"),
            ClassUnknown,
            "no class is called 'nope'",
        ),
    ],
)
def test_refusals_before_anything_is_written(export, output, error, message, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "truth.json").write_text('{"images": [{"id": 1, "file_name": "b.png"}], "categories": []}')
    with pytest.raises(error, match=message):
        run([photo("in/a.png")], export, output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "truth.json"]


def test_several_methods_are_refused_before_the_old_run_goes(photo, tmp_path):
    one = photo("in/a.png")
    run([one], ExportSpec(("coco",)), OutputSpec(str(tmp_path / "out"), ("none",)))
    both = MethodSpec(methods=("cam", "gradcam"))
    with pytest.raises(UsageError, match="one method and layer"):
        run([one], ExportSpec(("coco",)), OutputSpec(str(tmp_path / "out"), ("none",), overwrite=True), both)
    assert (tmp_path / "out/coco.json").exists()


def test_a_command_that_makes_no_boxes(photo, tmp_path, camtool):
    with pytest.raises(UsageError, match="use camtool localize"):
        run([photo("in/a.png")], ExportSpec(("coco",)), OutputSpec(str(tmp_path / "out")), boxes=None)
    ran = camtool("explain", "in", "--export", "coco")
    assert (ran.code, ran.out) == (2, b"")
    assert "error[UsageError]: No such option: --export" in ran.err


def test_a_strangers_file_stays(photo, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/coco.json").write_text("mine")
    with pytest.raises(OutputRefused, match=r"coco\.json exists and no run recorded it"):
        run([photo("in/a.png")], ExportSpec(("coco",)), OutputSpec(str(tmp_path / "out"), ("none",)))
    assert (tmp_path / "out/coco.json").read_text() == "mine"


@pytest.mark.parametrize("options", [{"masks": True}, {"ids_from": "x"}, {"classes_only": ("tabby",)}])
def test_options_that_need_another(options):
    with pytest.raises(CamtoolError, match="add --export"):
        ExportSpec(**options)
    if "classes_only" not in options:
        with pytest.raises(UsageError, match="add --export coco"):
            ExportSpec(("csv",), **options)
