"""Runs that take a blink: a tiny network, tiny pictures, and folders to be compared."""

import json
from pathlib import Path

import cv2
import numpy as np

NETWORK = "from tests.nets import Residual, seeded\n\n\ndef make():\n    return seeded(Residual())\n"
MODEL = ("-m", "net.py:make", "--size", "32", "--labels", "labels.txt", "--batch-size", "4")
CLASSES = "abcd"


def make(folder: Path, count: int) -> None:
    """`in/` with so many pictures, and one that is none; `data.csv` with a class and a box each; the network."""
    (folder / "in/sub").mkdir(parents=True)
    (folder / "net.py").write_text(NETWORK)
    (folder / "labels.txt").write_text("\n".join(CLASSES))
    rows = ["path,class,boxes"]
    for index in range(count):
        name = f"{'sub/' if index % 5 == 4 else ''}{index:03}.png"
        noise = np.random.default_rng(index).integers(0, 256, (4, 5, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / "in" / name), cv2.resize(noise, (30 + index % 7, 24), interpolation=cv2.INTER_CUBIC))
        rows.append(f"in/{name},{CLASSES[index % 4]},{index % 6} 2 {20 + index % 9} 22")
    (folder / f"in/{count // 2:03}-broken.jpg").write_bytes(b"no picture")
    rows.insert(count // 2, f"in/{count // 2:03}-broken.jpg,a,0 0 9 9")
    (folder / "data.csv").write_text("\n".join(rows) + "\n")


def content(folder: Path) -> dict[str, object]:
    """Everything below an output folder by name, without how it was asked for and how long that took."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name, data = str(path.relative_to(folder)), path.read_bytes()
            found[name] = data
            if name in ("run.json", "report.json"):
                found[name] = timeless(json.loads(data))
            elif name in ("report.html", "report.md"):
                found[name] = None  # they hold the report, and so its timing
    return found


def timeless(document: dict) -> dict:
    """A `run.json` or `report.json` without its timing and the command line, and without what names the folder."""
    kept = {key: value for key, value in document.items() if key not in ("timing", "command")}
    if "spec" in kept:
        spec = kept["spec"] = dict(kept["spec"])
        del spec["arguments"]
        for group in ("output", "report"):
            if group in spec:
                spec[group] = {
                    key: value for key, value in spec[group].items() if key not in ("output", "resume", "overwrite")
                }
    return kept
