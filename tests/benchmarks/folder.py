"""How fast a folder is explained, against the machine's limit and against the scripts that people write today.

    python -m tests.benchmarks.folder [--images 64] [--rounds 5] [--model lite0|resnet50] [--precision fp32|bf16]

From file to written overlay (PNG), Grad-CAM of the top class at the last layer, models loaded beforehand: camtool, the
bare parts (see `limit`), pytorch-grad-cam and torchcam where they are installed (on the first 64, for they take one
after the other), and camtool again, in turn in every round on the same photographs, into a new folder; medians, and of
the ratios the least and the most. The limit is cores ÷ the core-seconds that an image costs in the bare model (folded,
best batch) plus bare decoding, resizing, drawing and encoding, measured with the other cores idle; "limit, all cores
busy" is the same measured on every core at once, where none has memory and caches for itself; "own limit" with the
model as camtool runs it, which is quicker.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from statistics import median

import torch

from cam_cli.engine.allocator import keep_blocks
from cam_cli.models import load

from . import peers
from .limit import parts
from .photographs import make_photographs

MODELS = {
    "lite0": ("efficientnet_lite0", "bn2"),
    "resnet50": (f"{Path(__file__).with_name('networks.py')}:resnet50", "layer4"),
}


def camtool(model: str, photographs: Path, out: Path, precision: str) -> float:
    """Seconds, the models loaded. `out` is new: after files were removed ext4 looks for other inodes than those just
    freed, for minutes, with every file."""
    options = ["--model", model, "--precision", precision, "--device", "cpu", "--quiet", "-o", str(out)]
    argv = [sys.executable, "-m", "cam_cli", "gradcam", str(photographs), *options]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    seconds: float = json.loads((out / "run.json").read_text())["timing"]["seconds"]
    return seconds


def summed(parts: dict[str, float]) -> float:
    return sum(cost for part, cost in parts.items() if part != "own model")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", choices=MODELS, default="lite0")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    asked = parser.parse_args()
    name, layer = MODELS[asked.model]
    cores = os.cpu_count() or 1
    installed = {"pytorch-grad-cam": find_spec("pytorch_grad_cam"), "torchcam": find_spec("torchcam")}
    scripts = {"pytorch-grad-cam": peers.pytorch_grad_cam, "torchcam": peers.torchcam}
    rates: dict[str, list[float]] = {"camtool": [], "limit": [], "limit, all cores busy": [], "own limit": []}
    rates |= {one: [] for one, there in installed.items() if there}
    keep_blocks()
    with tempfile.TemporaryDirectory() as folder:
        photographs = make_photographs(Path(folder, "photographs"), asked.images)
        theirs = Path(folder, "theirs")
        theirs.mkdir()
        outs = (Path(folder, f"out{number}") for number in count())
        module, size = load(name).module, load(name).recipe.size
        camtool(name, photographs[0].parent, next(outs), asked.precision)
        for _ in range(asked.rounds):
            before = camtool(name, photographs[0].parent, next(outs), asked.precision)
            alone = parts(name, asked.precision, photographs[0].parent, 3, 1)
            busy = parts(name, asked.precision, photographs[0].parent, 3, cores)
            rates["limit"].append(cores / summed(alone))
            rates["limit, all cores busy"].append(cores / summed(busy))
            rates["own limit"].append(cores / (summed(alone) - alone["model"] + alone["own model"]))
            torch.set_num_threads(cores)
            for peer in rates.keys() & scripts.keys():
                few = photographs[:64]
                rates[peer].append(len(few) / scripts[peer](module, layer, few, theirs, size))
            after = camtool(name, photographs[0].parent, next(outs), asked.precision)
            rates["camtool"].append(2 * asked.images / (before + after))
    print(
        f"{asked.model} {asked.precision}, {asked.images} photographs, {asked.rounds} rounds, {cores} cores; images/s:"
    )
    for title, found in {"limit": alone, "limit, all cores busy": busy}.items():
        listed = ", ".join(f"{part} {cost * 1e3:.1f}" for part, cost in found.items())
        print(f"  core-milliseconds, {title}: {listed}")
    for one, measured in rates.items():
        ratios = [mine / other for mine, other in zip(rates["camtool"], measured, strict=True)]
        spread = f"{median(ratios):.2f} of it ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"  {one:21s} {median(measured):6.1f}   camtool is {spread}")


if __name__ == "__main__":
    main()
