"""Writes docs/results-train.md: what heads of `camtool train` find where nobody showed them a box.

    python docs/make/train_results.py [DATA] [--work DIR]

DATA holds weak/ (VOC, with lists train and val); by default the reference data beside the project, and without them
nothing is done. Runs the commands that the page shows, in DIR, where a report that is there already is not made again;
without --work in a folder of their own. Half an hour on two cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "results-train.md"
BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data"
POOLS = "avg", "max", "lse"  # what the others are compared with comes first
METRICS = "classification_ap,location_ap,pointing_game,corloc,mean_iou,maxboxacc"
TRAIN = "camtool train weak --split train --val-split val --pool {pool} -o {pool}.safetensors"
BLIND = "camtool train weak --split train --pool {pool} -o blind-{pool}.safetensors"
MEASURE = f"camtool evaluate weak --split val --checkpoint {{name}}.safetensors --metrics {METRICS}"
HALF = "camtool train halves --split learn --val 0 --pool {pool}"
JUDGE = "camtool evaluate halves --split held --metrics classification_ap,location_ap,mean_iou"
VARIED = "avg", "max"
VARIANTS = {
    "the defaults": "",
    "a lower rate": "--lr 0.001",
    "a higher rate": "--lr 0.01",
    "no adaptation layer": "--adapt none",
    "less dropout": "--dropout 0.2",
    "more decay": "--weight-decay 0.1",
    "no changed copies": "--views 1",
    "the network's own size": "--size 224",
    "a larger size": "--size 416",
    "a finer layer": "--layer layer3",
}
PROTOTYPE = {"avg": (1.000, 0.982, 0.56), "max": (0.999, 0.945, 0.21)}
"""classification_ap, location_ap and mean_iou."""

HEAD = """# What `camtool train` finds

Measured by `docs/make/train_results.py` on {versions}; network `efficientnet_lite0` ({weights}), and all
defaults of `camtool train`. In brackets 95 % intervals of a bootstrap over images (1000 resamples, seed 0); *centre* and *random* are the same
numbers of a centred Gaussian and of noise in the place of the map. Definitions: [metrics.md](metrics.md).

The data: 413 photographs, five classes (apple, banana, orange, kangaroo, raccoon; 19 photographs show several), VOC XML with
the flaws it was published with. List `train` has {learn} of them, `val` {choose}; there is no third. Training reads labels
alone. The first table measures on `val`, whose labels, not boxes, had also chosen the epoch to keep; the second one on `val`
when nothing of it had been looked at. Defaults were chosen within `train` (last table), by its boxes, as nobody could who
has none.

```
{train}
{measure}
```

{table}
"""
CLAIM = """Oquab et al. (2015) and Zhou et al. (2016) say that a network which is told only which classes are in a picture tells
where they are, and that the maximum finds the most telling part of a thing, the average its extent. So it is here, with two
reservations. All three tell the classes apart and find their places; the boxes of the average fit far better than those of the
maximum, log-sum-exp lies between, and that is sure. But the maximum does not find places *better*: it learns from one cell a
picture, which with some hundred pictures is little, and both its classification and its pointing are behind the average's. And
the average's boxes are hardly better than those of a map that is always hottest in the middle, which also has a location mAP of
0.90: these things are large and central. `--tta spread`, in the same pass, helps the boxes (CorLoc, MaxBoxAcc) and costs some
pointing.

Paired differences on the same photographs (* where the interval excludes 0):

{changes}
## Beside the prototype

The first plain prototype of this project trained the same layers (320 px squashed, 1280→256→5, 30 epochs) and was measured on
251 other photographs of the same collections, which are not here.

{prototype}
The maximum's boxes and places are better than the prototype's, its classification a little worse; the average's three are all
a little lower. Of these four differences none is sure: the prototype's figures lie within the intervals or at their edge, and
are of other photographs, whose things may be of other sizes (mean IoU of a box in the middle is not known there). How many
photographs it learnt from is not recorded either; here it is 266. What else differs: six changed copies of each picture,
rescaled from 0.7 to 1.4, take turns; the rate is higher, and warmed up and lowered; the best epoch is kept, not the last.
"""
UNSEEN = """
## When nothing of `val` is looked at

The same with the epoch chosen on a tenth of `train`, drawn by the seed (the default), and measured on `val`:

```
{train}
```

{table}
"""
TRIED = """
## Options, one at a time

Within `train`: heads that learnt from the {learn} photographs whose name has an odd hash, measured on the {held} others; with
`--val 0`, so that the last epoch is kept. A * marks what differs from the defaults for sure (the interval of the paired
difference excludes 0).

```
{train}
{judge}
```

{table}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=BESIDE)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    if not (asked.data / "weak" / "Annotations").is_dir():
        print(f"no weak/Annotations in {asked.data}: nothing to measure")
        return
    with tempfile.TemporaryDirectory() as folder:
        work = (asked.work or Path(folder)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page(work, (asked.data / "weak").resolve()), encoding="utf-8")


def page(work: Path, data: Path) -> str:
    link(work / "weak", data)
    seen, unseen, tried = {}, {}, {}
    for pool in POOLS:
        learn(TRAIN.format(pool=pool), work, "features")
        compared = ["--baseline", POOLS[0]] if pool != POOLS[0] else []
        seen[pool] = measure(MEASURE.format(name=pool), work, pool, *compared)
    wide = measure(f"{MEASURE.format(name='avg')} --tta spread", work, "avg-spread")
    for pool in POOLS:
        learn(BLIND.format(pool=pool), work, "features-blind")
        unseen[pool] = measure(MEASURE.format(name=f"blind-{pool}"), work, f"blind-{pool}")
    counts = halves(work / "halves", data)
    for pool in VARIED:
        models = []
        for place, option in enumerate(VARIANTS.values()):
            name = f"{pool}{re.sub('[^a-z0-9.]+', '-', f' {option}'.rstrip())}"
            learn(f"{HALF.format(pool=pool)} {option} -o {name}.safetensors", work, f"features-{kind(option)}")
            models += ["-m", f"v{place}=trained@{name}.safetensors"]
        tried[pool] = measure(f"{JUDGE} --no-baselines", work, f"halves-{pool}", *models)
    record = json.loads((work / f"{POOLS[0]}.train.json").read_text())
    versions = {"Python": platform.python_version(), **record["versions"]}
    any_pool = "|".join(POOLS)
    return (
        HEAD.format(
            versions=", ".join(f"{name} {version}" for name, version in versions.items() if name != "PIL"),
            weights=record["network"]["weights"],
            learn=record["data"]["images"]["learn"],
            choose=record["data"]["images"]["choose"],
            train=TRAIN.format(pool=any_pool).replace(f"{any_pool}.", "POOL."),
            measure=MEASURE.format(name="POOL"),
            table=table({**seen, "avg, `--tta spread`": wide}),
        )
        + CLAIM.format(changes=changes(seen), prototype=prototype(seen))
        + UNSEEN.format(train=BLIND.format(pool=any_pool).replace(f"{any_pool}.", "POOL."), table=table(unseen))
        + TRIED.format(
            **counts,
            train=f"{HALF.format(pool=any_pool)} OPTION -o NAME.safetensors",
            judge=JUDGE,
            table=variants(tried),
        )
    )


def link(path: Path, target: Path) -> None:
    if not path.exists():
        path.symlink_to(target)


def learn(command: str, work: Path, features: str) -> None:
    """Runs one training, unless its file is there. features: where they are kept, for the next one that has the same."""
    argv = shlex.split(command)
    if not (work / argv[argv.index("-o") + 1]).exists():
        run([*argv, "--cache", features, "--keep-cache"], work)


def measure(command: str, work: Path, output: str, *more: str) -> dict[str, Any]:
    """The report of one evaluation, which is made unless it is there."""
    if not (work / output / "report.json").exists():
        run([*shlex.split(command), *more, "-o", output, "--overwrite"], work)
    report: dict[str, Any] = json.loads((work / output / "report.json").read_text())
    return report


def run(argv: list[str], work: Path) -> None:
    print("$", shlex.join(argv), flush=True)
    subprocess.run([sys.executable, "-m", "cam_cli", *argv[1:], "--quiet"], cwd=work, check=True)


def kind(option: str) -> str:
    """A word for the features that an option needs."""
    own = option.split()[:1] and option.split()[0] in ("--views", "--size", "--layer")
    return option.replace(" ", "") if own else "halves"


def halves(folder: Path, data: Path) -> dict[str, int]:
    """The list `train` in two: names with an odd hash, and the others."""
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True, exist_ok=True)
    for name in ("Annotations", "JPEGImages"):
        link(folder / name, data / name)
    names = (data / "ImageSets/Main/train.txt").read_text().split()
    odd = {name: hashlib.sha256(name.encode()).digest()[0] % 2 for name in names}
    parts = {"learn": [name for name in names if odd[name]], "held": [name for name in names if not odd[name]]}
    for part, members in parts.items():
        (lists / f"{part}.txt").write_text("\n".join(members) + "\n")
    return {part: len(members) for part, members in parts.items()}


def numbers(run: dict[str, Any]) -> dict[str, Any]:
    return {one["metric"]: one for one in run["metrics"]}


def table(reports: dict[str, dict[str, Any]]) -> str:
    """A row a metric, a column a head, and beside them what maps reach that know nothing."""
    found = {name: numbers(report["runs"][0]) for name, report in reports.items()}
    first = next(iter(found.values()))
    baselines = [*first["mean_iou"]["baselines"]]
    lines = ["| | " + " | ".join([*found, *baselines, "n"]) + " |", "|---" * (len(found) + len(baselines) + 2) + "|"]
    for name in METRICS.split(","):
        own = first[name]
        cells = [interval(one[name]) for one in found.values()]
        cells += [f"{own['baselines'][one]['value']:.3f}" if own["baselines"] else "–" for one in baselines]
        lines.append(f"| `{name}` | " + " | ".join([*cells, str(own["n"])]) + " |")
    return "\n".join(lines) + "\n"


def changes(reports: dict[str, dict[str, Any]]) -> str:
    """What the other heads have more than the first one."""
    others = {name: {one["metric"]: one for one in reports[name]["changes"]} for name in POOLS[1:]}
    lines = ["| | " + " | ".join(f"{name} − {POOLS[0]}" for name in others) + " |", "|---" * (len(others) + 1) + "|"]
    for metric in METRICS.split(","):
        cells = [difference(one[metric]) for one in others.values()]
        lines.append(f"| `{metric}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def prototype(reports: dict[str, dict[str, Any]]) -> str:
    lines = ["| | classification mAP | location mAP | mean IoU |", "|---|---|---|---|"]
    for pool, before in PROTOTYPE.items():
        own = numbers(reports[pool]["runs"][0])
        cells = [interval(own[name]) for name in ("classification_ap", "location_ap", "mean_iou")]
        lines.append(
            f"| {pool}, prototype | " + " | ".join(f"{value:.3f}" for value in before[:2]) + f" | {before[2]} |"
        )
        lines.append(f"| {pool}, here | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def variants(reports: dict[str, dict[str, Any]]) -> str:
    """A row an option, three columns a pooling."""
    titles = [f"{pool}: {name}" for pool in reports for name in ("class.", "location", "IoU")]
    lines = ["| | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    for place, (words, option) in enumerate(VARIANTS.items()):
        cells = [cell for report in reports.values() for cell in row(report, f"v{place}")]
        lines.append(f"| {words}{f' (`{option}`)' if option else ''} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def row(report: dict[str, Any], model: str) -> list[str]:
    """Three numbers of one run, each marked where it differs from the first run's for sure."""
    name = f"{model}.cam"
    own = next(numbers(one) for one in report["runs"] if one["run"] == name)
    other = {
        one["metric"]: one for one in report["comparisons"] if {one["a"], one["b"]} == {report["runs"][0]["run"], name}
    }
    wanted = ("classification_ap", "location_ap", "mean_iou")
    return [f"{own[one]['value']:.3f}" + " *" * (one in other and sure(other[one])) for one in wanted]


def interval(one: dict[str, Any]) -> str:
    low, high = one["ci95"]
    return f"{one['value']:.3f} [{low:.3f}, {high:.3f}]"


def difference(one: dict[str, Any]) -> str:
    low, high = one["ci95"]
    return f"{one['difference']:+.3f} [{low:+.3f}, {high:+.3f}]{' *' * sure(one)}"


def sure(one: dict[str, Any]) -> bool:
    low, high = one["ci95"]
    return not low <= 0 <= high


if __name__ == "__main__":
    main()
