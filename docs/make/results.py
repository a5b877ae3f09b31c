"""Writes docs/results.md: what five methods measure on the reference data. Half an hour on two idle cores.

    python docs/make/results.py [DATA]

DATA holds ilsvrc/ (manifest.csv) and voc/; by default the reference data beside the project, and without them nothing is
done. Runs the commands that the page shows, in a folder of their own, and sets down their reports.
"""

from __future__ import annotations

import json
import platform
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "results.md"
BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
METHODS = "--method cam --method gradcam++ --method layercam --method eigencam --method fem"
COMMANDS = {
    "ilsvrc": f"camtool evaluate ilsvrc/manifest.csv {METHODS}",
    "bilinear": "camtool evaluate ilsvrc/manifest.csv --method cam --interpolation bilinear",
    "wsol": f"camtool evaluate ilsvrc/manifest.csv {METHODS} --protocol wsol",
    "voc": f"camtool evaluate voc --class-map voc-from-imagenet {METHODS}",
    "faithful": f"camtool evaluate ilsvrc/manifest.csv {METHODS} --metrics faithfulness,sanity --sample 50",
}
"""At `--protocol wsol` a method besides cam is marked as modified, which it is: the kit's is CAM."""

HEAD = """# Results

Measured by `docs/make/results.py` on {versions}; network `efficientnet_lite0` (75 % top-1 on ImageNet, 4.7 M
parameters, {weights}), `--fit squash` at 224 px, its last layer. In brackets 95 % intervals of a bootstrap
over images (1000 resamples, seed 0); *centre* and *random* are the same numbers of a centred Gaussian and of noise in the
place of the map. Names and definitions: [metrics.md](metrics.md). At this network's last layer, which pooling and one
linear layer follow, Grad-CAM, HiResCAM and XGrad-CAM are CAM but for a factor, so they are not repeated.
"""
ILSVRC = """
## ILSVRC2012

663 photographs of the validation set, 488 classes, squashed to 227×227 by who published them, with class and boxes.

```
{command}
```

{table}
{differences}
"""
PUBLISHED = """
Beside them what was published, on the 50 000 photographs (1 − error), and what differs:

| network and method | top-1 localisation | MaxBoxAcc (V2) | source, and what differs |
|---|---|---|---|
| efficientnet_lite0, CAM (here) | {top1} | {v1} ({v2}) | 663 of the photographs, at the size above |
| GoogLeNet-GAP, CAM | 0.436 | – | Zhou et al. 2016, table 2: 56.4 % error; 20 % of the maximum; a weaker classifier (35.0 % top-1 error) |
| VGG-16, Grad-CAM | 0.435 | – | Selvaraju et al. 2017, table 1: 56.51 % error; 15 % of the maximum; 30.4 % top-1 error |
| ResNet-50, CAM | – | ≈ 0.64 (0.637) | Choe et al. 2020: trained anew at a finer grid (28×28), their table of V2; V1 unverified, for its table was not at hand |
| centre (here, in their frame) | – | {c1} ({c2}) | their centred Gaussian has 0.525 in V2 on all photographs: these 663 have larger, more central objects |

The first plain prototype of this project, on the same photographs and network, had top-1 accuracy 0.824, GT-known 0.650,
top-1 localisation 0.549, pointing 0.919 and MaxBoxAcc 0.676. {prototype}
"""
VOC = """
## PASCAL VOC 2012, mapped

53 photographs with VOC's XML; ImageNet's classes stand for VOC's ([datasets.md](datasets.md)): a VOC class scores the log
of the summed exponentials of its ImageNet logits, and the map is that score's. Several classes an image, so that shares are
over pairs of image and class; objects marked difficult are left out.

```
{command}
```

{table}
Few photographs, so wide intervals; `person`, the most frequent class, has three ImageNet classes that show one.
"""
FAITHFUL = """
## Faithfulness

50 of the ILSVRC photographs, drawn with seed 0; of each the most probable class.

```
{command}
```

{table}
Published for ResNet-50 on other data, so for orientation alone: RISE's paper has deletion 0.108 and insertion 0.727 for RISE,
0.123 and 0.677 for Grad-CAM. A centred map does well in all that masks the picture, for objects are in the middle; what it
cannot do is change with the network's weights (`randomisation_correlation` 1) or with the class (`class_correlation` 1).
"""


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else BESIDE
    if not (data / "ilsvrc" / "manifest.csv").is_file():
        print(f"no ilsvrc/manifest.csv in {data}: nothing to measure")
        return
    with tempfile.TemporaryDirectory() as folder:
        reports = {name: run(command, data, Path(folder, name)) for name, command in COMMANDS.items()}
    PAGE.write_text(page(reports), encoding="utf-8")


def run(command: str, data: Path, output: Path) -> dict[str, Any]:
    """The report of one command, run where the data are."""
    print(f"$ {command}", flush=True)
    argv = [sys.executable, "-m", "cam_cli", *shlex.split(command)[1:], "-o", str(output)]
    subprocess.run(argv, cwd=data, check=True)
    report: dict[str, Any] = json.loads((output / "report.json").read_text())
    return report


def page(reports: dict[str, dict[str, Any]]) -> str:
    ilsvrc, wsol = reports["ilsvrc"], reports["wsol"]
    versions = {"Python": platform.python_version(), **ilsvrc["versions"]}
    told = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "PIL")
    cam = numbers(ilsvrc, "cam")
    kit = numbers(wsol, "cam")
    return (
        HEAD.format(versions=told, weights=ilsvrc["runs"][0]["weights"])
        + ILSVRC.format(command=COMMANDS["ilsvrc"], table=table(ilsvrc), differences=differences(ilsvrc))
        + PUBLISHED.format(
            top1=interval(cam["top1_loc"]),
            v1=interval(kit["maxboxacc"]),
            v2=interval(kit["maxboxacc_v2"]),
            c1=f"{kit['maxboxacc']['baselines']['centre']['value']:.3f}",
            c2=f"{kit['maxboxacc_v2']['baselines']['centre']['value']:.3f}",
            prototype=prototype(cam, numbers(reports["bilinear"], "cam")),
        )
        + VOC.format(command=COMMANDS["voc"], table=table(reports["voc"]))
        + FAITHFUL.format(command=COMMANDS["faithful"], table=table(reports["faithful"]))
    )


def prototype(cam: dict[str, Any], bilinear: dict[str, Any]) -> str:
    """What is lower than the prototype's, by how many photographs, and what resizing alone moves."""
    n = cam["gt_known_loc"]["n"]
    before = {"gt_known_loc": 0.650, "top1_loc": 0.549, "pointing_game": 0.919}
    gone = ", ".join(f"{name} by {round((was - cam[name]['value']) * n)}" for name, was in before.items())
    known, accuracy = bilinear["gt_known_loc"]["value"], bilinear["top1_accuracy"]["value"]
    return (
        f"Ours are lower by single photographs of {n} ({gone}), a tenth of the intervals. Resizing moves as many: pictures resized "
        f"bilinearly (`--interpolation bilinear`) give GT-known {known:.3f} and top-1 accuracy {accuracy:.3f}; the network's own "
        "recipe, which is the default, is bicubic. A point lies in a box here if its pixel's centre does."
    )


def numbers(report: dict[str, Any], method: str) -> dict[str, Any]:
    (run,) = [run for run in report["runs"] if run["method"] == method]
    return {one["metric"]: one for one in run["metrics"]}


def table(report: dict[str, Any]) -> str:
    """A row a metric, a column a method."""
    runs = {run["method"]: numbers(report, run["method"]) for run in report["runs"]}
    baselines = [*next(one["baselines"] for one in report["runs"][0]["metrics"] if one["baselines"])]
    lines = [
        "| metric | " + " | ".join([*runs, *baselines, "n"]) + " |",
        "|---" * (len(runs) + len(baselines) + 2) + "|",
    ]
    for name, first in next(iter(runs.values())).items():
        cells = [interval(own[name]) for own in runs.values()]
        cells += [f"{first['baselines'][one]['value']:.3f}" if first["baselines"] else "–" for one in baselines]
        arrow = "" if first["higher_is_better"] else " ↓"
        lines.append(f"| `{name}`{arrow} | " + " | ".join([*cells, str(first["n"])]) + " |")
    return "\n".join(lines) + "\n"


def differences(report: dict[str, Any]) -> str:
    """What differs from the first run for sure, for the numbers that papers quote."""
    first = report["runs"][0]
    lines = []
    for one in report["comparisons"]:
        if one["a"] == first["run"] and one["metric"] in ("gt_known_loc", "maxboxacc", "pointing_game", "top1_loc"):
            low, high = one["ci95"]
            sure = "" if low <= 0 <= high else " *"
            other = one["b"].removeprefix(f"{first['model']}.")
            lines.append(
                f"| `{one['metric']}` | {first['method']} − {other} | {one['difference']:+.3f} [{low:+.3f}, {high:+.3f}]{sure} |"
            )
    head = "Paired differences on the same photographs (* where the interval excludes 0):\n\n| metric | of | difference |\n|---|---|---|\n"
    return head + "\n".join(sorted(lines)) + "\n"


def interval(one: dict[str, Any]) -> str:
    low, high = one["ci95"]
    return f"{one['value']:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
