"""What the machine could do at best: the core-seconds that an image needs in the bare parts, each timed alone.

`python -m tests.benchmarks.limit MODEL PRECISION FOLDER ROUNDS` prints them as JSON, by part; "own model" is the
network as camtool runs it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from cam_cli.engine.allocator import keep_blocks
from cam_cli.models import load
from cam_cli.models.network import Specimen
from cam_cli.models.quicker import fold_into, pairs, quicker
from cam_cli.outputs.png import png

BATCHES = (4, 8, 16)
TABLE = cv2.applyColorMap(np.arange(256, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)


def parts(model: str, precision: str, folder: Path, rounds: int, processes: int) -> dict[str, float]:
    """The parts, measured by so many processes at once: with one for each core none has memory and caches for itself.
    Their means."""
    argv = [sys.executable, "-m", __name__, model, precision, str(folder), str(rounds)]
    running = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(processes)]
    found = [json.loads(one.communicate()[0]) for one in running]
    assert not any(one.returncode for one in running)
    return {part: sum(one[part] for one in found) / processes for part in found[0]}


def core_seconds(work: Callable[[], object], rounds: int) -> float:
    """Median of a few, after one that does not count, on one thread."""
    work()
    found = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return median(found)


def folded(module: nn.Module, size: int) -> nn.Module:
    """A copy with every batch normalisation in its convolution, channels last: torch's own operators."""
    copy = deepcopy(module)
    with torch.no_grad():
        for norm, conv in pairs(Specimen.of(module, size)).items():
            fold_into(copy, conv, norm, fuse=False)
    return copy.to(memory_format=torch.channels_last)


def bare_models(module: nn.Module, size: int, precision: str, rounds: int) -> tuple[float, float]:
    """Core-seconds an image at the best batch: of the folded network, and of the network as camtool runs it."""
    networks = folded(module, size), quicker(Specimen.of(module, size), frozenset(), fold=True)
    bare, own = (bare_model(one, size, precision, rounds) for one in networks)
    return bare, own


def bare_model(module: nn.Module, size: int, precision: str, rounds: int) -> float:
    """Core-seconds an image at the best batch."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    fast = deepcopy(module).to(dtype)
    costs = []
    with torch.inference_mode():
        for batch in BATCHES:
            images = torch.randn(batch, 3, size, size).to(dtype).contiguous(memory_format=torch.channels_last)
            costs.append(core_seconds(lambda images=images: fast(images), rounds) / batch)
    return min(costs)


def bare_rest(photographs: list[Path], size: int, rounds: int) -> dict[str, float]:
    """Core-seconds an image of reading and decoding, resizing, drawing and encoding: OpenCV, torch and the PNG encoder,
    called directly."""
    data = [np.fromfile(path, np.uint8) for path in photographs]
    pictures = [cv2.imdecode(one, cv2.IMREAD_COLOR) for one in data]
    mean = torch.tensor(0.5)

    def resize(picture: np.ndarray) -> torch.Tensor:
        planes = torch.from_numpy(picture)[None].permute(0, 3, 1, 2)
        grown = F.interpolate(planes, (256, 341), mode="bicubic", antialias=True)
        return (grown[0, :, 16 : 16 + size, 58 : 58 + size].float() / 255 - mean) / 0.5

    grid = np.random.default_rng(0).random((7, 7), np.float32)

    def draw(picture: np.ndarray) -> np.ndarray:
        heat = cv2.resize(grid, (picture.shape[1], picture.shape[0]), interpolation=cv2.INTER_LINEAR)
        levels = cv2.convertScaleAbs(heat, alpha=255)
        return cv2.addWeighted(picture, 0.5, cv2.applyColorMap(levels, TABLE), 0.5, 0)

    drawn = [draw(picture) for picture in pictures]
    parts = {
        "read and decode": lambda: [cv2.imdecode(np.fromfile(one, np.uint8), cv2.IMREAD_COLOR) for one in photographs],
        "resize": lambda: [resize(picture) for picture in pictures],
        "draw": lambda: [draw(picture) for picture in pictures],
        "encode": lambda: [png(picture) for picture in drawn],
    }
    return {name: core_seconds(work, rounds) / len(photographs) for name, work in parts.items()}


def main() -> None:
    model, precision, folder, rounds = sys.argv[1:]
    keep_blocks()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    network = load(model)
    bare, own = bare_models(network.module, network.recipe.size, precision, int(rounds))
    photographs = sorted(Path(folder).iterdir())[:16]
    rest = bare_rest(photographs, network.recipe.size, int(rounds))
    print(json.dumps({"model": bare, **rest, "own model": own}))


if __name__ == "__main__":
    main()
