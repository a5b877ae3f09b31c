"""Whether a long run costs what a short one costs: `python -m tests.benchmarks.flat [SHORT LONG]` (500 and 10 000).

Two folders of photographs through `camtool gradcam`, one command each: images/s from the first image to the last, and
the peak of memory: the command's resident set and those of the processes it forks, each of these at its own highest,
pages that they share counted once (Linux's Pss); elsewhere the largest resident set. It is asked every half second; the
highest of each the system itself keeps, or a long run, which is asked more often, would seem to need more.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
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
    peak = 0.0
    while child.poll() is None:
        peak = max(peak, resident(child.pid))
        time.sleep(0.5)
    assert child.returncode == 0, child.returncode
    timing = json.loads((out / "run.json").read_text())["timing"]
    scale = 1 << (20 if sys.platform == "darwin" else 10)
    return count / timing["seconds"], peak or resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / scale


def resident(pid: int) -> float:
    """MB of a process and its children; 0 where the system does not say."""
    try:
        threads = Path(f"/proc/{pid}/task").iterdir()
        family = [pid, *(int(one) for thread in threads for one in (thread / "children").read_text().split())]
        # The command itself had the most while it loaded, before it forked: of it what it has now.
        return sum(at_highest(one) if one != pid else facts(one, "smaps_rollup")["Pss"] for one in family) / 1024
    except (FileNotFoundError, ProcessLookupError):  # it has just ended, or this is not Linux
        return 0


def at_highest(pid: int) -> int:
    """kB of a process when it had the most, as far as they are its own."""
    now = facts(pid, "smaps_rollup")
    return facts(pid, "status")["VmHWM"] - (now["Rss"] - now["Pss"])


def facts(pid: int, file: str) -> dict[str, int]:
    """The kB lines of a file of /proc."""
    lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    return {words[0].rstrip(":"): int(words[1]) for words in map(str.split, lines) if words[-1] == "kB"}


if __name__ == "__main__":
    main()
