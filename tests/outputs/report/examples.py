"""Reports to render: a small one with everything in it, a minimal one, and a realistic one with pictures, from a seed.

`python -m tests.outputs.report.examples DIR` writes the realistic one, to look at.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from cam_cli.outputs.atomic import write
from cam_cli.outputs.report.case import Case
from cam_cli.outputs.report.files import files
from cam_cli.outputs.report.thumbnail import thumbnails

SAMPLES = Path(__file__).resolve().parents[3] / "sample_images"
HOSTILE = "</script><img src=x onerror=\"document.title='broken'\">.jpg"
Json = dict[str, Any]


def minimal() -> Json:
    """The least that the schema allows."""
    nothing: Json = {"count": 0, "ids": []}
    return {
        "schema": "camtool.report/1",
        "command": ["evaluate", "data"],
        "dataset": {
            "format": "folder", "path": "data", "split": None, "images": 0, "classes": 0, "with_labels": 0,
            "with_boxes": 0, "with_masks": 0, "failed": nothing, "without_truth": nothing, "missing_maps": nothing,
            "unknown_classes": {"count": 0, "names": []}, "notes": [], "class_map": None,
        },
        "protocol": {
            "name": "camtool", "modified": [], "fit": "squash", "size": None, "threshold": None, "class": "top",
        },
        "runs": [],
        "comparisons": [],
        "changes": [],
        "gates": [],
        "settings": {"seed": 0, "resamples": 1000, "device": "cpu", "precision": "fp32"},
        "versions": {},
        "timing": {"written": None, "seconds": None},
    }  # fmt: skip


def metric(name: str, value: float | None, n: int = 4, **other: Any) -> Json:
    ends = None if value is None else [value - 0.25, value + 0.125]
    usual: Json = {
        "metric": name, "group": "localisation", "value": value, "ci95": ends, "n": n, "higher_is_better": True,
        "oracle": False, "computed_with": {}, "baselines": {},
    }  # fmt: skip
    return usual | other


def run(name: str, metrics: list[Json], **other: Any) -> Json:
    usual: Json = {
        "run": name, "model": "lite", "network": "efficientnet_lite0", "weights": "lite.pth", "sha256": "ab" * 32,
        "method": name, "layers": ["bn2"], "metrics": metrics, "curves": [], "groups": [],
    }  # fmt: skip
    return usual | other


def small() -> Json:
    """Two runs, one of everything, numbers that are exact in binary."""
    centre = {"centre": {"value": 0.5, "ci95": [0.25, 0.75]}}
    rules = {"threshold": 0.2, "overlap": 0.5}
    report = minimal()
    report["command"] = ["evaluate", "my data", "--fail-under", "gt_known_loc=0.7"]
    report["dataset"] |= {
        "format": "csv", "path": "a/my data", "split": "val", "images": 4, "classes": 2, "with_labels": 4,
        "with_boxes": 3, "failed": {"count": 1, "ids": ["b/broken.jpg"]},
        "notes": [{"what": "size of 0 in the annotation", "count": 3, "where": ["a.xml", "b.xml", "c.xml"]}],
    }  # fmt: skip
    report["protocol"] |= {"size": 224, "threshold": 0.2, "modified": ["threshold"]}
    curve = {"curve": "gt_known_loc", "x": [0, 0.5, 1], "y": [0.5, 0.75, None], "x_name": "threshold",
             "y_name": "accuracy"}  # fmt: skip
    group = {"column": "source", "value": "a", "images": 2,
             "metrics": [{"metric": "gt_known_loc", "value": 0.5, "ci95": [0, 1], "n": 2}]}  # fmt: skip
    report["runs"] = [
        run("cam", [
            metric("gt_known_loc", 0.75, baselines=centre, computed_with=rules),
            metric("deletion_auc", 0.25, group="faithfulness", higher_is_better=False),
        ], curves=[curve], groups=[group]),
        run("gradcam", [
            metric("gt_known_loc", 0.625, baselines=centre, computed_with=rules),
            metric("deletion_auc", None, n=0, group="faithfulness", higher_is_better=False, why="no image has a label"),
        ]),
    ]  # fmt: skip
    report["comparisons"] = [{"metric": "gt_known_loc", "a": "gradcam", "b": "cam", "difference": -0.125,
                              "ci95": [-0.25, -0.0625], "n": 4}]  # fmt: skip
    report["changes"] = [{"run": "cam", "metric": "gt_known_loc", "before": 0.5, "after": 0.75, "difference": 0.25,
                          "ci95": [-0.125, 0.5], "n": 4, "baseline": "old"}]  # fmt: skip
    report["gates"] = [
        {"gate": "gt_known_loc ≥ 0.7", "run": "cam", "metric": "gt_known_loc", "value": 0.75, "bar": 0.7,
         "passed": True, "why": "0.75 ≥ 0.7"},
        {"gate": "gt_known_loc ≥ 0.7", "run": "gradcam", "metric": "gt_known_loc", "value": 0.625, "bar": 0.7,
         "passed": False, "why": "0.625 < 0.7"},
    ]  # fmt: skip
    report["versions"] = {"camtool": "0.1.0", "torch": "2.6.0"}
    report["timing"] = {"written": "2026-01-02T03:04:05+00:00", "seconds": 1.5}
    return report


METRICS = {  # name: group, of maps that are right so often, higher is better
    "gt_known_loc": ("localisation", 0.65, True), "gt_known_loc_best": ("localisation", 0.68, True),
    "top1_loc": ("localisation", 0.55, True), "mean_iou": ("localisation", 0.57, True),
    "pointing_game": ("localisation", 0.92, True), "energy_pointing": ("localisation", 0.61, True),
    "top1_accuracy": ("classification", 0.82, True), "top5_accuracy": ("classification", 0.95, True),
    "insertion_auc": ("faithfulness", 0.59, True), "deletion_auc": ("faithfulness", 0.14, False),
    "average_drop": ("faithfulness", 21.3, False), "randomisation_correlation": ("sanity", 0.09, False),
}  # fmt: skip


def realistic(methods: tuple[str, ...] = ("cam", "gradcam", "layercam"), seed: int = 0, n: int = 663) -> Json:
    """Numbers, intervals and differences as they come from so many images, by a rough normal approximation."""
    random = np.random.default_rng(seed)
    report = copy.deepcopy(small())
    chosen = [part for one in methods for part in ("--method", one)]
    report["command"] = ["evaluate", "data/ilsvrc/manifest.csv", *chosen, "--fail-under", "gt_known_loc=0.63"]
    report["dataset"] |= {"path": "data/ilsvrc/manifest.csv", "split": None, "images": n, "classes": 488,
                          "with_labels": n, "with_boxes": n}  # fmt: skip
    report["protocol"] |= {"modified": []}
    shift = {method: (0.0, 0.021, -0.064, 0.04, -0.09)[index % 5] for index, method in enumerate(methods)}

    def ends(value: float, scale: float) -> list[float]:
        return [value - 1.96 * scale, value + 1.96 * scale]

    def numbers(method: str, n: int) -> list[Json]:
        made = []
        for name, (group, value, higher) in METRICS.items():
            unit = 1 if value <= 1 else 30
            value += shift[method] * unit * (group != "classification")
            spread = unit * (max(value / unit * (1 - value / unit), 0.02) / n) ** 0.5
            bases = {}
            if group == "localisation":
                bases = {base: {"value": value * share, "ci95": ends(value * share, spread)}
                         for base, share in (("centre", 0.83), ("random", 0.55))}  # fmt: skip
            oracle = name.endswith("_best")
            rules = {"threshold": 0.14 if oracle else 0.2, "overlap": 0.5} if group == "localisation" else {}
            made.append(metric(name, value, n, group=group, ci95=ends(value, spread), higher_is_better=higher,
                               oracle=oracle, computed_with=rules, baselines=bases))  # fmt: skip
        return made

    def curve(name: str, axes: tuple[str, str], x: np.ndarray, y: np.ndarray) -> Json:
        return {"curve": name, "x": x.tolist(), "y": y.clip(0, 1).tolist(), "x_name": axes[0], "y_name": axes[1]}

    def curves(method: str) -> list[Json]:
        t, by = np.linspace(0, 1, 101), shift[method]
        part = np.linspace(0, 1, 29)
        return [
            curve("gt_known_loc", ("threshold", "accuracy"), t, (0.68 + by) * np.exp(-((t - 0.14 - by) ** 2) / 0.07)),
            curve("insertion_auc", ("share of pixels", "probability"), part, (0.8 + by) * (1 - np.exp(-5 * part))),
            curve("deletion_auc", ("share of pixels", "probability"), part, 0.82 * np.exp(-(7 + 40 * by) * part)),
            curve("pxap", ("recall", "precision"), t, 0.95 - 0.55 * t ** (2.2 + 8 * by)),
        ]

    def groups(method: str) -> list[Json]:
        made = []
        for index, size in enumerate((212, 164, 131, 97, 59)):
            some = [{key: one[key] for key in ("metric", "value", "ci95", "n")} for one in numbers(method, size)[:4]]
            for one in some:
                by = float(random.normal(0, 0.05))
                one["value"] += by
                one["ci95"] = [end + by for end in one["ci95"]]
            made.append({"column": "source", "value": ("bird", "dog", "vehicle", "instrument", "food")[index],
                         "images": size, "metrics": some})  # fmt: skip
        return made

    report["runs"] = [run(one, numbers(one, n), curves=curves(one), groups=groups(one)) for one in methods]
    value = {(one["run"], number["metric"]): number["value"] for one in report["runs"] for number in one["metrics"]}
    pairs = [(a, b) for index, b in enumerate(methods) for a in methods[index + 1 :]]
    report["comparisons"] = [
        {"metric": name, "a": a, "b": b, "difference": value[a, name] - value[b, name],
         "ci95": ends(value[a, name] - value[b, name], 0.009 if value[a, name] < 1 else 0.4), "n": n}
        for name in ("gt_known_loc", "top1_loc", "pointing_game", "insertion_auc", "deletion_auc") for a, b in pairs
    ]  # fmt: skip
    report["changes"] = [
        {"run": one, "metric": name, "before": value[one, name] + by, "after": value[one, name], "difference": -by,
         "ci95": ends(-by, 0.006), "n": n, "baseline": "runs/last-week"}
        for one in methods[:1] for name, by in (("gt_known_loc", 0.021), ("top1_loc", 0.004), ("deletion_auc", 0.018))
    ]  # fmt: skip
    report["gates"] = [
        {"gate": f"{name} ≥ {bar}", "run": one, "metric": name, "value": value[one, name], "bar": bar,
         "passed": value[one, name] >= bar,
         "why": f"{value[one, name]:.3f} {'≥' if value[one, name] >= bar else '<'} {bar}"}
        for one in methods for name, bar in (("gt_known_loc", 0.63), ("pointing_game", 0.85))
    ]  # fmt: skip
    return report


def cases(methods: tuple[str, ...] = ("cam", "gradcam", "layercam"), each: int = 16, seed: int = 0) -> list[Case]:
    """Windows of the sample photographs under blobs of heat, with the box of the blob and one that is near it."""
    random = np.random.default_rng(seed)
    photographs = [cv2.imread(str(path))[..., ::-1] for path in sorted(SAMPLES.glob("*.*g"))]
    labels = ["space suit", "tabby", "palace", "espresso", "daisy", "missile"]
    made = []
    for index in range(each):
        whole = photographs[index % len(photographs)]
        height, width = (int(random.uniform(0.6, 1) * side) for side in whole.shape[:2])
        y, x = (
            int(random.integers(0, side - part + 1)) for side, part in zip(whole.shape, (height, width), strict=False)
        )
        pixels = np.ascontiguousarray(whole[y : y + height, x : x + width])
        truth = (0.25 * width, 0.2 * height, 0.75 * width, 0.8 * height)
        for method in methods:
            centre = random.uniform(0.35, 0.65, 2) * (width, height)
            reach = random.uniform(0.12, 0.35) * min(width, height)
            far = [(np.arange(side) - at) ** 2 for side, at in zip((height, width), centre[::-1], strict=True)]
            heat = np.exp(-(far[0][:, None] + far[1]) / (2 * reach**2)).astype(np.float32)
            found = tuple(
                float(edge)
                for edge in (*(centre - 1.4 * reach).clip(0), *np.minimum(centre + 1.4 * reach, (width, height)))
            )
            right = overlap(truth, found) >= 0.5
            label = labels[index % len(labels)]
            predicted = (label, "loupe", "vase") if right or index % 2 else ("mushroom", label, "vase")
            flags = ("depth_guessed",) if index % 7 == 3 else ()
            made.append(Case(method, f"val/{label.replace(' ', '_')}/ILSVRC2012_val_{index:08}.JPEG", label, predicted,
                             overlap(truth, found), right, flags, width, height, (truth,), (found,),
                             *thumbnails(pixels, heat)))  # fmt: skip
    return made


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    wide = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    high = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide * high / (areas - wide * high)


if __name__ == "__main__":
    for name, data in files(realistic(), [], cases()):
        write(Path(sys.argv[1]) / name, data)
