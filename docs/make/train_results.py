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

from plain_head import plain_head

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

Measured by `docs/make/train_results.py` on {versions};
network `efficientnet_lite0` ({weights}), frozen, and all defaults of
`camtool train`. In brackets 95 % intervals of a bootstrap over images (1000 resamples, seed 0); *centre* and *random* are the
same numbers of a centred Gaussian and of noise in the place of the map. Definitions: [metrics.md](metrics.md).

The data: 413 photographs, five classes (apple, banana, orange, kangaroo, raccoon; 19 photographs show several), VOC XML with
the flaws it was published with. List `train` has {learn} of them, `val` {choose}; there is no third. Training reads labels
alone. The first table measures on `val`, whose labels, not boxes, had also chosen the epoch to keep; the second one on `val`
when no training had looked at it. Options were tried within `train` (last table; the rate was chosen there before, in two
halves), by its boxes, as nobody could who has none. `val` was not quite unseen while the command was made: its labels showed that
to stop by mean average precision alone stops too early, and an average's head at an older rate had been measured on its boxes.

```
{train}
{measure}
```

{table}
"""
CLAIM = """Oquab et al. (2015) and Zhou et al. (2016) say that a network which is told only which classes are in a picture tells
where they are, and that the maximum finds the most telling part of a thing, the average its extent. So it is here, with two
reservations. All three tell the classes apart and find their places; at the ordinary threshold, a fifth of the highest value,
the boxes of the average fit better than those of the maximum, and log-sum-exp lies between: in CorLoc and mean IoU that is sure.
In MaxBoxAcc, at the threshold that is best for each, it is rather the other way round: the maximum's spot is in the right place
and small. But the maximum does not find places *better*: classification, location and pointing do not differ for sure. And the
average's boxes are not much better than those of a map that is always hottest in the middle, which also has a location mAP
of 0.90: these things are large and central. `--tta spread`, in the same pass, helps the boxes (CorLoc, MaxBoxAcc) and costs
some location.

Paired differences on the same photographs (* where the interval excludes 0):

{changes}
## Beside a plain head

The first prototype of this project trained the same layers (320 px squashed, 1280→256→5, 30 epochs) and was measured on
251 other photographs, which are not here; from how many it learnt is not recorded. So its recipe is repeated on those that are
here, as far as it is recorded (`docs/make/plain_head.py`), and measured by the same command:

{prototype}
With the maximum `camtool train` is ahead of the plain head in all three for sure, and by much: it takes off what all features
have in common before a head learns from them ([train.md](train.md)), without which one cell a picture teaches little. With the
average neither is ahead for sure: every cell teaches there, and the plain recipe is enough. The prototype's own figures, of
other photographs and of a head that learnt from others, lie within the intervals of `camtool train`'s or below them, but for
the average's IoU, which is above by a hair: on these photographs its recipe does not reach that either.
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
difference excludes 0); of so many, one or two will be luck.

```
{train}
{judge} -m NAME=trained@FILE …
```

{table}
Classification hardly minds. The maximum's boxes are wider the coarser the grid, and widest without adaptation layers, whose
places are better too while it classifies worse; the average's places are not. The rates, dropouts and decays beside the defaults
change little. A larger size brings the average nothing for the time it takes, the network's own costs it boxes. `layer3` is no
place to end this trunk: its features do not tell classes yet.
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
    seen, plain, unseen, tried = {}, {}, {}, {}
    for pool in POOLS:
        learn(TRAIN.format(pool=pool), work, "features")
        compared = ["--baseline", POOLS[0]] if pool != POOLS[0] else []
        seen[pool] = measure(MEASURE.format(name=pool), work, pool, *compared)
    for pool in PROTOTYPE:
        name = f"plain-{pool}"
        if not (work / f"{name}.safetensors").exists():
            plain_head(work / f"{pool}.safetensors", pool, work / "weak", "train", work / f"{name}.safetensors")
        plain[pool] = measure(MEASURE.format(name=name), work, name, "--baseline", pool)
    wide = measure(f"{MEASURE.format(name='avg')} --tta spread", work, "avg-spread")
    for pool in POOLS:
        learn(BLIND.format(pool=pool), work, "features-blind")
        unseen[pool] = measure(MEASURE.format(name=f"blind-{pool}"), work, f"blind-{pool}")
    counts = halves(work / "halves", data)
    for pool in VARIED:
        models = []
        for place, option in enumerate(VARIANTS.values()):
            name = f"half-{pool}{slug(option)}"
            learn(f"{HALF.format(pool=pool)} {option} -o {name}.safetensors", work, f"features{kind(option)}")
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
        + CLAIM.format(changes=changes(seen), prototype=prototype(seen, plain))
        + UNSEEN.format(train=BLIND.format(pool=any_pool).replace(f"{any_pool}.", "POOL."), table=table(unseen))
        + TRIED.format(
            **counts,
            train=f"{HALF.format(pool='|'.join(VARIED))} OPTION -o NAME.safetensors",
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
    return slug(option) if option.startswith(("--views", "--size", "--layer")) else "-halves"


def slug(option: str) -> str:
    """An option as a part of a file's name: `-lr-0.01`."""
    return re.sub("[^a-z0-9.]+", "-", f" {option}") if option else ""


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


def prototype(seen: dict[str, dict[str, Any]], plain: dict[str, dict[str, Any]]) -> str:
    """plain: reports that say how they differ from those `seen`."""
    lines = ["| | classification mAP | location mAP | mean IoU |", "|---|---|---|---|"]
    for pool, before in PROTOTYPE.items():
        own, other = (numbers(reports[pool]["runs"][0]) for reports in (seen, plain))
        less = {one["metric"]: one for one in plain[pool]["changes"]}
        wanted = "classification_ap", "location_ap", "mean_iou"
        rows = {
            "prototype, other photographs": [f"{before[0]:.3f}", f"{before[1]:.3f}", f"{before[2]}"],
            "plain head": [interval(other[name]) for name in wanted],
            "`camtool train`": [interval(own[name]) for name in wanted],
            "`camtool train` − plain head": [difference(negative(less[name])) for name in wanted],
        }
        lines += [f"| {pool}, {title} | " + " | ".join(cells) + " |" for title, cells in rows.items()]
    return "\n".join(lines) + "\n"


def negative(one: dict[str, Any]) -> dict[str, Any]:
    low, high = one["ci95"]
    return {"difference": -one["difference"], "ci95": (-high, -low)}


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
