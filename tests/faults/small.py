"""Runs that take a blink: a tiny network, tiny pictures, and folders to be compared."""

import json
import re
from io import BytesIO
from math import isclose
from pathlib import Path

import cv2
import numpy as np

NETWORK = "from tests.nets import Residual, seeded\n\n\ndef make():\n    return seeded(Residual())\n"
MODEL = ("-m", "net.py:make", "--size", "32", "--labels", "labels.txt", "--batch-size", "4")
CLASSES = "abcd"
COMMANDS = {
    "localize": ("localize", "in", *MODEL, "--save", "overlay,raw", "--export", "coco,yolo,csv", "-c", "top2"),
    "two models": ("gradcam", "in", *MODEL, "-m", "other=net.py:make", "--save", "panel", "--name", "{stem}_{model}"),
    "only": ("explain", "in", *MODEL, "--method", "gradcam", "--truth", "data.csv", "--only", "wrong"),
    "evaluate": ("evaluate", "data.csv", *MODEL, "--save-maps", "--metrics", "gt_known_loc", "--resamples", "9"),
    "maps": ("evaluate", "data.csv", "--maps", "whole/maps", "--metrics", "gt_known_loc", "--resamples", "9"),
}
FAILED = 5  # the exit code of all of them: one picture is broken


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
            found[name] = data.replace(str(folder.resolve()).encode(), b"HERE")
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


def near(one: object, other: object) -> bool:
    """Whether two contents are the same but for the last digits of numbers; pictures are not looked at."""
    if isinstance(one, bytes) and isinstance(other, bytes):
        if one.startswith(b"\x93NUMPY"):
            return bool(np.allclose(np.load(BytesIO(one)), np.load(BytesIO(other)), rtol=0, atol=1e-5))
        if b"\0" in one:
            return True
        return near([*map(value, one.decode().splitlines())], [*map(value, other.decode().splitlines())])
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(near(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(near, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-5, abs_tol=1e-5)
    return one == other


def value(line: str) -> object:
    """A line of a text file: JSON, or words and numbers."""
    try:
        return json.loads(line)
    except ValueError:
        words = re.split(r"[][{}\s,;]", line)
        return [float(word) if re.fullmatch(r"-?\d+\.\d*(e-\d+)?", word) else word for word in words]
