"""Prints the tables of docs/tta.md: how good the boxes of each choice of --tta are.

    python docs/make/tta.py [DATA] [--model NAME]...

DATA holds manifest.csv and its images (ILSVRC2012 photographs with boxes); by default the reference data beside the
project, and without it nothing is done. Everything is measured by `camtool evaluate`, of `cam`, at --fit squash; less
`none`: paired, by --baseline. Held out: the images whose path has an odd hash; its threshold is chosen on the others, by
--threshold calibrated.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

BESIDE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "ilsvrc"
CHOICES = {"none": "1", "flip": "2", "scales": "3", "spread": "1", "best": "4"}
"""Of each choice how many passes over an image."""
COLUMNS = {"gt_known_loc": "GT-known at 20 %", "maxboxacc": "MaxBoxAcc"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=BESIDE)
    parser.add_argument("--model", action="append")
    asked = parser.parse_args()
    if not (asked.data / "manifest.csv").is_file():
        print(f"no manifest.csv in {asked.data}: nothing to measure")
        return
    for model in asked.model or ["efficientnet_lite0"]:
        with tempfile.TemporaryDirectory() as folder:
            print_table(model, asked.data, Path(folder))


def print_table(model: str, data: Path, folder: Path) -> None:
    with (data / "manifest.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    halves = {"seen": [row for row in rows if not held_out(row[0])], "held": [row for row in rows if held_out(row[0])]}
    for name, half in halves.items():
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *half])
    print(f"\n`{model}`, {len(rows)} images, {len(halves['held'])} of them held out\n")
    titles = [title for name in COLUMNS.values() for title in (name, "less `none`")]
    print("| `--tta` | passes | " + " | ".join([*titles, "held out", "less `none`"]) + " |")
    print("|---" * (len(titles) + 4) + "|", flush=True)
    for choice, passes in CHOICES.items():
        whole = run(model, choice, data, data / "manifest.csv", folder, list(COLUMNS))
        calibrated = ["--threshold", f"calibrated:{folder / 'seen.csv'}"]
        held = run(model, choice, data, folder / "held.csv", folder, ["gt_known_loc_calibrated"], *calibrated)
        cells = [f"`{choice}`", passes]
        for report in (whole, held):
            for number in report["runs"][0]["metrics"]:
                if number["metric"] in (*COLUMNS, "gt_known_loc_calibrated"):
                    at = number["computed_with"]["threshold"]
                    cells += [f"{interval(number)} at {at:.2f}", less(report, number["metric"])]
        print("| " + " | ".join(cells) + " |", flush=True)


def held_out(path: str) -> bool:
    return hashlib.sha256(f"camtool:{path}".encode()).digest()[0] % 2 == 1


def run(
    model: str, choice: str, data: Path, table: Path, folder: Path, metrics: list[str], *more: str
) -> dict[str, Any]:
    """The report of one evaluation, compared with that of `none` where there is one."""
    output = folder / f"{table.stem}.{choice}"
    before = folder / f"{table.stem}.none"
    argv = [
        sys.executable,
        "-m",
        "cam_cli",
        "evaluate",
        str(table),
        "--images",
        str(data),
        "-m",
        model,
        "-o",
        str(output),
    ]
    argv += ["--method", "cam", "--tta", choice, "--metrics", ",".join(metrics), "--no-baselines", "--quiet", *more]
    argv += ["--baseline", str(before)] if before.exists() else []
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    report: dict[str, Any] = json.loads((output / "report.json").read_text())
    return report


def interval(one: dict[str, Any]) -> str:
    low, high = one["ci95"]
    return f"{one['value']:.3f} [{low:.3f}, {high:.3f}]"


def less(report: dict[str, Any], metric: str) -> str:
    change = next((one for one in report["changes"] if one["metric"] == metric), None)
    if change is None:
        return "–"
    low, high = change["ci95"]
    return f"{change['difference']:+.3f} [{low:+.3f}, {high:+.3f}]"


if __name__ == "__main__":
    main()
