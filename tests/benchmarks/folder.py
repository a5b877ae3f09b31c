"""How fast a folder is explained, against the machine's limit and against the scripts that people write today.

    python -m tests.benchmarks.folder [--images 64] [--rounds 5] [--model lite0|resnet50] [--precision fp32|bf16]

From file to written overlay (PNG), Grad-CAM of the top class at the last layer, models loaded beforehand: camtool, the
bare parts (see `limit`), and pytorch-grad-cam and torchcam where they are installed, in turn in every round on the same
photographs; medians. The limit is cores ÷ the core-seconds that an image costs in the bare model (folded, best batch)
plus bare decoding, resizing, drawing and encoding.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

import torch

from cam_cli.models import load
from cam_cli.specs import ClassSpec, ExplainSpec, GeometrySpec, MethodSpec, OutputSpec
from cam_cli.specs.model import ModelSpec
from cam_cli.specs.run import RunSpec
from cam_cli.tasks.explain import explain

from . import peers
from .limit import bare_model, bare_rest
from .photographs import make_photographs

MODELS = {
    "lite0": ("efficientnet_lite0", "bn2"),
    "resnet50": (f"{Path(__file__).with_name('networks.py')}:resnet50", "layer4"),
}


class Clock:
    """A listener that takes the time from the first image on."""

    def begin(self, *told: Any) -> None:
        self.began = time.perf_counter()

    def __getattr__(self, name: str) -> Any:
        return lambda *told: None


def camtool(model: str, photographs: Path, out: Path, precision: str) -> float:
    """Seconds."""
    spec = ExplainSpec(
        (),
        (str(photographs),),
        ModelSpec((model,)),
        ClassSpec(),
        MethodSpec(("gradcam",)),
        GeometrySpec(),
        OutputSpec(str(out), overwrite=True),
        RunSpec(device="cpu", precision=precision),
    )
    clock = Clock()
    explain(spec, clock, Event(), BytesIO())
    return time.perf_counter() - clock.began


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
    rates: dict[str, list[float]] = {"camtool": [], "limit": []} | {
        one: [] for one, there in installed.items() if there
    }
    with tempfile.TemporaryDirectory() as folder:
        photographs = make_photographs(Path(folder, "photographs"), asked.images)
        out = Path(folder, "out")
        module, size = load(name).module, load(name).recipe.size
        camtool(name, photographs[0].parent, out, asked.precision)
        for _ in range(asked.rounds):
            seconds = camtool(name, photographs[0].parent, out, asked.precision)
            rates["camtool"].append(asked.images / seconds)
            torch.set_num_threads(1)
            parts = {"model": bare_model(module, size, asked.precision, 3)} | bare_rest(photographs[:16], size, 3)
            rates["limit"].append(cores / sum(parts.values()))
            torch.set_num_threads(cores)
            for peer in rates.keys() & scripts.keys():
                out.mkdir(exist_ok=True)
                rates[peer].append(asked.images / scripts[peer](module, layer, photographs, out, size))
    print(
        f"{asked.model} {asked.precision}, {asked.images} photographs, {asked.rounds} rounds, {cores} cores; images/s:"
    )
    print("  core-milliseconds of the limit: " + ", ".join(f"{part} {cost * 1e3:.1f}" for part, cost in parts.items()))
    for one, found in rates.items():
        ratio = median(mine / theirs for mine, theirs in zip(rates["camtool"], found, strict=True))
        print(f"  {one:18s} {median(found):6.1f}   camtool is {ratio:.2f} of it")


if __name__ == "__main__":
    main()
