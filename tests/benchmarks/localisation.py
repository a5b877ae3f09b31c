"""What judging a map costs: `python -m tests.benchmarks.localisation [ROUNDS]`.

All localisation metrics of one image (one class, a box and a mask) against one forward pass of the default model over
it, on the sample pictures, in turn in one run; seconds of one core, medians, the median of their ratios. The metrics
share what they make of a map, so that their own rows do not add up: each is also timed alone.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch

from cam_cli.choice import ModelChoice
from cam_cli.metrics import METRICS
from cam_cli.metrics.metric import Found, Rules
from cam_cli.models import load
from cam_cli.types import Geometry, ImageItem, Object, Truth

PICTURES = Path(__file__).resolve().parents[2] / "sample_images"
FILES = ("location", "corloc", "mean_iou", "maxboxacc", "pxap", "pointing", "energy", "location_ap")


def answers(folder: Path) -> list[Callable[[], tuple[Found, Truth]]]:
    """Of each picture: makes its answer afresh, with the map of its first guess, and a truth in the middle of it."""
    argv = ["cam", PICTURES, "--fit", "squash", "--save", "raw", "-o", folder, "--quiet"]
    subprocess.run([sys.executable, "-m", "cam_cli", *argv], check=True, capture_output=True)
    records = [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]
    return [answer(record, folder) for record in records]


def answer(record: dict, folder: Path) -> Callable[[], tuple[Found, Truth]]:
    width, height = record["width"], record["height"]
    geometry = Geometry(width, height, 224, 224, (224 / width, 224 / height), (0.0, 0.0), "squash")
    raw = np.load(folder / record["maps"][0]["files"]["raw"])
    names = tuple(one["name"] for one in record["predictions"])
    box = width * 0.2, height * 0.2, width * 0.8, height * 0.8
    truth = Truth(ImageItem(record["id"], "", ""), names[:1], (Object(names[0], box),))
    mask = np.zeros((height, width), np.uint8)
    mask[height // 5 : height * 4 // 5, width // 5 : width * 4 // 5] = 1
    chances = {f"class {number}": number / 1000 for number in range(999)} | {names[0]: 0.5}
    return lambda: (Found(geometry, {names[0]: raw}, names, chances, masks={names[0]: mask}), truth)


def core_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    network = load(ModelChoice("lite0", "efficientnet_lite0")).module.eval()
    targets = dict.fromkeys(one.target for one in METRICS.values() if one.target.split(":")[0].split(".")[-1] in FILES)
    judges = [METRICS.load(next(name for name in METRICS if METRICS[name].target == one))(Rules()) for one in targets]

    @torch.no_grad()
    def forward() -> None:
        network(torch.zeros(1, 3, 224, 224))

    def judge(make: Callable[[], tuple[Found, Truth]]) -> None:
        case = make()
        for one in judges:
            one.row(*case)

    with tempfile.TemporaryDirectory() as folder:
        cases = answers(Path(folder))
        forward(), judge(cases[0])
        pairs = [(core_seconds(lambda: judge(one)), core_seconds(forward)) for _ in range(rounds) for one in cases]  # noqa: B023
        mine, theirs = (median(column) for column in zip(*pairs, strict=True))
        ratio = median(one / other for one, other in pairs)
        print(f"all localisation metrics {mine * 1e3:.1f} ms, a forward pass {theirs * 1e3:.1f} ms, ", end="")
        print(f"median ratio of {len(pairs)} pairs {ratio:.2f}; alone:")
        for one in judges:
            alone = median(core_seconds(lambda: one.row(*make())) for _ in range(rounds) for make in cases)  # noqa: B023
            print(f"  {', '.join(one.names)}: {alone * 1e3:.1f} ms")


if __name__ == "__main__":
    main()
