"""Prints the tables of docs/tta.md: how good the boxes of each choice are, and what it costs.

    python docs/make/tta.py [FOLDER] [--model NAME] [--size N] [--limit N]

FOLDER holds manifest.csv (path, class, width, height, boxes) and its images; by default the reference data beside the
project, and without it nothing is done. Every map is that of the true class, at --fit squash.

GT-known@20 %: our own rule. The heatmap's largest 8-connected component above 0.2, its box right at IoU ≥ 0.5 with any
box of the truth, half-open, in pixels of the original.
MaxBoxAcc: that of clovaai/wsolevaluation (2020). The raw map bicubic at 224, min–max, the largest contour above a
threshold, inclusive boxes; the best threshold of all is the oracle's. Images are split in two halves by a hash of their
path: the threshold is chosen on the one, and the accuracy beside it is that of the other.
Intervals: 95 %, from 2000 resamplings of the images (seed 0), paired for differences. Seconds: of CPU, one thread.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from cam_cli.engine.selection import Selection
from cam_cli.maps import heatmap
from cam_cli.specs import CamSpec, ClassSpec, ExplainSpec, GeometrySpec, OutputSpec
from cam_cli.specs.model import ModelSpec
from cam_cli.specs.run import RunSpec
from cam_cli.tasks.explainer import Ready, make_explainer, reader
from cam_cli.types import Explanation, Geometry, ImageItem, Picture

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "ilsvrc"
CHOICES = ("none", "flip", "scales", "spread", "best")
THRESHOLDS = np.arange(0.1, 0.7, 0.01)
SIDE = 224  # of wsolevaluation
Array = np.ndarray


@dataclass(frozen=True)
class Row:
    """One image of the manifest. boxes: (n, 4), half-open xyxy, pixels of the stored image."""

    path: Path
    name: str
    target: int
    size: tuple[int, int]
    boxes: Array

    @property
    def held_out(self) -> bool:
        return hashlib.sha256(f"camtool:{self.name}".encode()).digest()[0] % 2 == 1


@dataclass(frozen=True)
class Found:
    """One choice over all images. clean: right at 20 %, bool (n,). wsol: right at each threshold, bool (n, t)."""

    clean: Array
    wsol: Array
    passes: str
    seconds: float


class Silent:
    """A listener that does not."""

    def __getattr__(self, name: str) -> Any:
        return lambda *told: None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DATA)
    parser.add_argument("--model", default="efficientnet_lite0")
    parser.add_argument("--size", type=int)
    parser.add_argument("--limit", type=int)
    asked = parser.parse_args()
    if not (asked.folder / "manifest.csv").is_file():
        print(f"no manifest.csv in {asked.folder}: nothing to measure")
        return
    torch.set_num_threads(1)
    rows = read_manifest(asked.folder)[: asked.limit]
    found = {choice: measure(rows, choice, asked.model, asked.size) for choice in CHOICES}
    print_table(found, np.array([row.held_out for row in rows]))


def read_manifest(folder: Path) -> list[Row]:
    with (folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return [
            Row(
                folder / line["path"],
                line["path"],
                int(line["class"]),
                (int(line["width"]), int(line["height"])),
                np.array([[float(edge) for edge in box.split()] for box in line["boxes"].split(";")]),
            )
            for line in csv.DictReader(file)
        ]


def measure(rows: list[Row], choice: str, model: str, size: int | None) -> Found:
    """Explains every image one by one, and judges its map."""
    spec = ExplainSpec(
        (), (), ModelSpec((model,)), ClassSpec(), CamSpec(tta=choice), GeometrySpec("squash", size), OutputSpec(),
        RunSpec(device="cpu"),
    )  # fmt: skip
    ready = make_explainer(spec, Silent())
    read, clean, wsol, seconds = reader(spec, ready), [], [], 0.0
    for row in rows:
        picture = read(ImageItem(row.name, str(row.path), row.name))
        assert isinstance(picture, Picture), picture
        start = time.process_time()
        raw = explained(ready, picture, row.target)
        seconds += time.process_time() - start
        clean.append(right_at_20(raw, picture.geometry, row.boxes))
        wsol.append(right_by_wsol(raw, row))
    scales = [f"{one.scale:.3g}{' mirrored' * one.flip}" for one in ready.explainer.augmentations]
    return Found(np.array(clean), np.array(wsol), ", ".join(scales), seconds / len(rows))


def explained(ready: Ready, picture: Picture, target: int) -> Array:
    """The raw map of one class."""
    chosen = (Selection(str(target), indices=(target,)),)
    (found,) = replace(ready.explainer, selections=chosen)([picture])
    assert isinstance(found, Explanation), found
    return found.maps[0].raw


def right_at_20(raw: Array, geometry: Geometry, truth: Array) -> bool:
    mask = (heatmap(raw, geometry).heat > 0.2).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count < 2:
        return False
    x, y, width, height, _ = stats[1 + stats[1:, cv2.CC_STAT_AREA].argmax()]
    return overlap(np.array([x, y, x + width, y + height]), truth, 0) >= 0.5


def right_by_wsol(raw: Array, row: Row) -> list[bool]:
    """At each of THRESHOLDS, as wsolevaluation's evaluation.py does it."""
    truth = (row.boxes * (SIDE / np.array(row.size * 2))).astype(int)
    grown = cv2.resize(raw, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    low, high = grown.min(), grown.max()
    grey = ((grown - low) / (high - low or 1) * 255).astype(np.uint8)
    right = []
    for threshold in THRESHOLDS:
        mask = (grey > int(threshold * grey.max())).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)
        x, y, width, height = cv2.boundingRect(max(contours, key=cv2.contourArea)) if contours else (0, 0, 0, 0)
        box = np.array([x, y, min(x + width, SIDE - 1), min(y + height, SIDE - 1)])
        right.append(overlap(box, truth, 1) >= 0.5)
    return right


def overlap(box: Array, others: Array, inclusive: int) -> float:
    """The largest intersection over union of `box` (4,) with any of `others` (n, 4)."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]) + inclusive
    common = sides.clip(0).prod(1)
    areas = [(one[..., 2:] - one[..., :2] + inclusive).prod(-1) for one in (box, others)]
    return float((common / (areas[0] + areas[1] - common)).max())


def print_table(found: dict[str, Found], held_out: Array) -> None:
    n, plain = len(held_out), found["none"]
    print(f"{n} images, {held_out.sum()} of them held out\n")
    print("| `--tta` | passes (size) | GT-known@20 % | less `none` | MaxBoxAcc | less `none` |", end="")
    print(" held out | less `none` | seconds |\n|---|---|---|---|---|---|---|---|---|")
    for choice, one in found.items():
        oracle, chosen = best(one.wsol), best(one.wsol[~held_out])
        other = plain.wsol[:, best(plain.wsol[~held_out])]
        cells = [
            f"`{choice}`",
            one.passes,
            value(one.clean),
            value(one.clean, plain.clean),
            f"{value(one.wsol[:, oracle])} at {THRESHOLDS[oracle]:.2f}",
            value(one.wsol[:, oracle], plain.wsol[:, best(plain.wsol)]),
            f"{value(one.wsol[held_out, chosen])} at {THRESHOLDS[chosen]:.2f}",
            value(one.wsol[held_out, chosen], other[held_out]),
            f"{one.seconds:.3f} (×{one.seconds / plain.seconds:.1f})",
        ]
        print("| " + " | ".join("–" if text is None else text for text in cells) + " |", flush=True)


def best(right: Array) -> int:
    """The threshold at which most are right; the lowest such."""
    return int(right.mean(0).argmax())


def value(right: Array, plain: Array | None = None) -> str | None:
    """The share, or its difference from that of `plain`, with its interval; None for no difference at all."""
    if plain is right or (plain is not None and (plain == right).all()):
        return None
    scores = right.astype(float) - (0 if plain is None else plain)
    picks = np.random.default_rng(0).integers(len(scores), size=(2000, len(scores)))
    low, high = np.percentile(scores[picks].mean(1), [2.5, 97.5])
    sign = "" if plain is None else "+"
    return f"{scores.mean():{sign}.3f} [{low:{sign}.3f}, {high:{sign}.3f}]"


if __name__ == "__main__":
    main()
