"""Methods that ask the network many times: `python -m tests.benchmarks.perturbation [ROUNDS]`.

One photograph, the default model, its last layer, loaded beforehand: each method against the bare forward passes that
its definition needs (the folded network, best batch), and against the same method of pytorch-grad-cam and torchcam
where they are installed and have it, in turn in every round; medians of wall time.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from statistics import median
from threading import Event
from typing import Any

import torch
from torch import nn

from cam_cli.engine.allocator import keep_blocks
from cam_cli.models import load
from cam_cli.specs import ClassSpec, ExplainSpec, GeometrySpec, MethodSpec, OutputSpec
from cam_cli.specs.model import ModelSpec
from cam_cli.specs.run import RunSpec
from cam_cli.tasks.explain import explain

from .limit import folded
from .peers import shown
from .photographs import make_photographs

LAYER, CHANNELS, SIZE = "bn2", 1280, 224
BATCH = 16


@dataclass(frozen=True)
class Case:
    """passes: forward passes that the definition needs, of the changed images and of the image itself; None for
    ablationcam, which needs the part behind the layer. peers: names of the same method there."""

    method: str
    passes: int | None
    peers: dict[str, str]


CASES = (
    Case("scorecam", CHANNELS + 1, {"pytorch_grad_cam": "ScoreCAM", "torchcam": "ScoreCAM"}),
    Case("smoothgradcam++:samples=32", 32 + 1, {"torchcam": "SmoothGradCAMpp"}),
    Case("rise:masks=512", 512 + 1, {}),
    Case("ablationcam", None, {"pytorch_grad_cam": "AblationCAM"}),
)


class Clock:
    """A listener that takes the time from the first image on."""

    def begin(self, *told: Any, **more: Any) -> None:
        self.began = time.perf_counter()

    def __getattr__(self, name: str) -> Any:
        return lambda *told, **more: None


def camtool(method: str, photograph: Path) -> float:
    """Seconds from the first image to the end."""
    spec = ExplainSpec(
        (), (str(photograph),), ModelSpec(), ClassSpec(), MethodSpec((method,)), GeometrySpec("squash"),
        OutputSpec(save=("none",)), RunSpec(device="cpu"),
    )  # fmt: skip
    clock = Clock()
    explain(spec, clock, Event(), BytesIO())
    return time.perf_counter() - clock.began


def bare(fast: nn.Module, passes: int) -> float:
    images = torch.randn(BATCH, 3, SIZE, SIZE).contiguous(memory_format=torch.channels_last)
    start = time.perf_counter()
    with torch.inference_mode():
        for _ in range(passes // BATCH):
            fast(images)
        fast(images[: passes % BATCH])
    return time.perf_counter() - start


def peer(package: str, name: str, module: nn.Module, photograph: Path) -> float:
    _, images = shown(photograph, SIZE)
    start = time.perf_counter()
    if package == "torchcam":
        import torchcam.methods

        options: dict[str, Any] = {"num_samples": 32} if name == "SmoothGradCAMpp" else {"batch_size": BATCH}
        with getattr(torchcam.methods, name)(module, target_layer=LAYER, **options) as extractor:
            scores = module(images)
            extractor(scores.squeeze(0).argmax().item(), scores)
    else:
        import pytorch_grad_cam

        with getattr(pytorch_grad_cam, name)(model=module, target_layers=[module.get_submodule(LAYER)]) as cam:
            cam.batch_size = BATCH
            cam(input_tensor=images, targets=None)
    return time.perf_counter() - start


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    keep_blocks()  # before anything, as camtool does: heaps that threads have begun are not joined any more
    module = load("efficientnet_lite0").module
    fast = folded(module, SIZE)
    with tempfile.TemporaryDirectory() as folder:
        (photograph,) = make_photographs(Path(folder), 1)
        for case in CASES:
            works: dict[str, Callable[[], float]] = {"camtool": lambda case=case: camtool(case.method, photograph)}
            if case.passes:
                works["bare forwards"] = lambda case=case: bare(fast, case.passes)
            for package, name in case.peers.items():
                if find_spec(package):
                    works[package] = lambda package=package, name=name: peer(package, name, module, photograph)
            camtool(case.method, photograph)
            found = [{name: work() for name, work in works.items()} for _ in range(rounds)]
            told = [f"{median(one[name] for one in found):.2f} s {name}" for name in works]
            ratios = ", ".join(
                f"{name} / camtool {median(one[name] / one['camtool'] for one in found):.2f}"
                for name in works
                if name != "camtool"
            )
            print(f"{case.method}: {', '.join(told)}; {ratios}", flush=True)


if __name__ == "__main__":
    main()
