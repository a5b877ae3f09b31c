"""Whether a long run costs what a short one costs: `python -m tests.benchmarks.flat [SHORT LONG]` (500 and 10 000).

Two folders of photographs through `camtool gradcam`, each in a process of its own: images/s from the first image to the
last, and the peak of memory (the process's largest resident set).
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from .photographs import make_photographs

DIFFERENT = 64  # photographs; the others are links to them


def main() -> None:
    counts = [int(one) for one in sys.argv[1:]] or [500, 10_000]
    with tempfile.TemporaryDirectory() as folder:
        kept = make_photographs(Path(folder, "kept"), DIFFERENT)
        found = {count: measured(kept, count, Path(folder)) for count in counts}
    for count, (rate, peak) in found.items():
        print(f"{count} images: {rate:.1f} images/s, {peak:.0f} MB")
    (rate, peak), (later, grown) = found[counts[0]], found[counts[-1]]
    print(f"{counts[-1]} against {counts[0]}: {later / rate:.3f} of the speed, {grown / peak:.3f} of the memory")


def measured(photographs: list[Path], count: int, folder: Path) -> tuple[float, float]:
    """images/s, and MB."""
    inputs, out = folder / f"in{count}", folder / f"out{count}"
    inputs.mkdir()
    for number in range(count):
        os.link(photographs[number % len(photographs)], inputs / f"{number:06d}.jpg")
    argv = [sys.executable, "-m", "cam_cli", "gradcam", str(inputs), "-o", str(out), "--quiet"]
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    assert status == 0, status
    timing = json.loads((out / "run.json").read_text())["timing"]
    scale = 1024 if sys.platform == "darwin" else 1
    return count / timing["seconds"], used.ru_maxrss / 1024 / scale


if __name__ == "__main__":
    assert resource  # this platform counts what a child used
    main()
