"""Writes docs/performance.md: what `tests/benchmarks` measure on this machine. Half an hour on two cores.

    python docs/make/performance.py [--only NAME]...

pytorch-grad-cam and torchcam are measured beside camtool where they are installed: `pip install '.[parity]'`. Nothing else
should run meanwhile. --only: print these, write nothing.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PAGE = TOP / "docs" / "performance.md"
PACKAGES = ("torch", "torchvision", "opencv-python-headless", "numpy", "isal", "grad-cam", "torchcam")
RUNS = {
    "folder": (
        "A folder, from file to overlay",
        "folder --images 2048 --rounds 4",
        "folder --images 2048 --rounds 4 --precision bf16",
        "folder --images 128 --rounds 3 --model resnet50",
        "folder --images 128 --rounds 3 --model resnet50 --precision bf16",
    ),
    "flat": ("A long run", "flat"),
    "perturbation": ("Methods that ask the network many times", "perturbation 3"),
    "localisation": ("Judging a map", "localisation"),
    "start_up": ("Before anything happens", "start_up"),
}
TEXTS = {
    "folder": """Grad-CAM of the top class at the last layer, every photograph written as a PNG overlay of its own size into a new folder,
models loaded beforehand, everything in turn in every round; medians, in brackets the least and the most of the rounds. *limit*
is the machine's: cores ÷ the core-seconds that an image costs in the bare network (batch norms folded, channels last, torch's
own operators, best batch) plus bare decoding, resizing, drawing and encoding, each with the other cores idle; *limit, all cores
busy* is the same measured on every core at once, where none has memory and caches for itself; *own limit* with the network
as camtool runs it, which is quicker. The peers' scripts, on the first 64 photographs, are those of their READMEs: one picture
after another, all cores for each.""",
    "flat": """The default network; the photographs of one folder, one command each. Memory is that of the command and the processes
it forks, each of these at its own highest, what they share counted once.""",
    "perturbation": """One photograph, the default network. *bare forwards*: the passes that the definition needs, of the folded network, at the
best batch; the ratio there is the part of camtool's time that they are, or above 1 where camtool is quicker.""",
    "localisation": """All localisation metrics of one image against one forward pass of the default network over it.""",
    "start_up": """`--help` against a bare Typer app with as many commands; one photograph against `import torch, cv2`, loading the weights and
one forward pass.""",
}
HEAD = """# Performance

Written by `docs/make/performance.py`; the harness is `tests/benchmarks/`. Ratios of things timed in turn in one run on one
machine ({machine}; {versions}); on another they differ, and the seconds more so.
"""
TAIL = """
## What makes it so

- **Lanes.** On a CPU every core takes whole batches from file to written overlay by itself, with one thread of arithmetic:
  nothing waits for anything, and no core is idle while another reads or writes. From 384 images on, on Linux, each is a
  process, forked once the network is loaded, for threads hand Python's lock to each other some 20 times an image. On a GPU threads read ahead and write behind
  one stream of batches, through pinned memory.
- **A quicker network.** From 16 images on, or where a method asks the network many times, batch norms are folded into
  convolutions, a convolution and the activation behind it are one pass over memory (oneDNN; the default network, timm's, and
  others that keep the activation in the norm), and memory is channels-last; kept only where the scores on noise stay the same
  to 10⁻⁴ of the largest, and not at the layers that are looked at. TensorFlow's odd pixel of padding is a row of zeros in
  the kernel instead of a copy of the picture.
- **Memory that stays.** glibc gives large blocks back to the system after every layer, and their pages are zeroed again for the
  next; blocks up to 128 MiB are kept, in one heap for all threads.
- **No idle threads.** OpenCV's and NumPy's own threads, which small products wake and which then wait busily, are off; those
  that loading has left behind with OpenMP end before the lanes begin, for beside them all sleep between two steps.
- **Channels last from the file on.** A photograph is resized, cut and stacked as it was decoded, so that nothing is sorted anew.
- **No gradients where none are needed.** Everything before the layer runs without a graph; a method that needs gradients
  gets them of the tail alone.
- **Copies together.** The noisy copies of `smoothgradcam++`, like the masked ones of `scorecam` and `rise`, go through the
  network in passes of 16; noise is drawn by as many threads as compute.
- **Nothing before its time.** A command's options and code are imported when it is called, and Python looks for no garbage in
  what is imported.
- **PNG by hand.** One filter, and deflate by ISA-L where it is installed, for overlays and every other picture.
- **bfloat16** (`--precision bf16`): folded in float32, then cast. Maps stay close (correlation ≥ 0.995 on the sample
  images) and the first class stays the same wherever the two highest scores are 0.25 apart; the tests hold it to that.

## How near that is

A folder comes within a tenth of the limit with both networks, in float32 and bfloat16, by the medians; how far single rounds
lie from them is in the brackets. Nearest to a tenth, and most easily beyond it on a busy machine, is the default network in
bfloat16, where the network takes the least and everything else weighs the most: a file is created and put in its place, a
record made.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=RUNS)
    only = parser.parse_args().only
    parts = []
    for name in only or RUNS:
        title, *commands = RUNS[name]
        told = "\n".join(f"$ python -m tests.benchmarks.{command}\n{measured(command)}" for command in commands)
        parts.append(f"\n## {title}\n\n{TEXTS[name]}\n\n```\n{told}```\n")
    if not only:
        PAGE.write_text(HEAD.format(machine=machine(), versions=versions()) + "".join(parts) + TAIL, encoding="utf-8")


def measured(command: str) -> str:
    """What a benchmark prints."""
    print(f"$ python -m tests.benchmarks.{command}", flush=True)
    argv = [sys.executable, "-m", *f"tests.benchmarks.{command}".split()]
    found = subprocess.run(argv, cwd=TOP, check=True, stdout=subprocess.PIPE, text=True).stdout
    print(found, flush=True)
    return found


def machine() -> str:
    """Cores, processor and system."""
    names = [line.partition(":")[2].strip() for line in cpu_lines() if line.startswith("model name")]
    return f"{os.cpu_count()} cores, {(names or [platform.processor()])[0]}, {platform.system()}"


def cpu_lines() -> list[str]:
    info = Path("/proc/cpuinfo")
    return info.read_text().splitlines() if info.exists() else []


def versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


if __name__ == "__main__":
    main()
