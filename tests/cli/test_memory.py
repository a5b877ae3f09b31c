"""Memory does not grow with the number of images."""

import subprocess
import sys

import pytest

from tests.cli.test_explain import environment

SCRIPT = """
import resource, sys
from cam_cli.cli.app import app
from cam_cli.cli.boundary import guarded
code = guarded(app, ["gradcam", "in", "-o", sys.argv[1], "-q", "--limit", sys.argv[1]])
print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.slow
def test_peak_memory_is_flat(photo, tmp_path):
    first = photo("in/000.png", 400, 300)
    for index in range(1, 1200):
        (first.parent / f"{index:04}.png").hardlink_to(first)
    peaks = []
    for count in (120, 1200):
        command = [sys.executable, "-c", SCRIPT, str(count)]
        ran = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
        code, peak = ran.stderr.split()
        assert code == "0"
        peaks.append(int(peak))
    assert peaks[1] <= 1.1 * peaks[0], f"{peaks[0]} KiB for 120 images, {peaks[1]} KiB for 1200"
