"""Makes the picture of the README: `python docs/make/pictures.py`, from the project's top folder."""

import shutil
import subprocess
import tempfile
from pathlib import Path

COMMAND = [
    "camtool", "explain", "sample_images/astronaut.png", "--method", "cam", "--method", "gradcam", "--fit", "keep",
    "--class", "space shuttle", "--class", "crash helmet", "--save", "panel", "--format", "jpg",
]  # fmt: skip

with tempfile.TemporaryDirectory() as out:
    subprocess.run([*COMMAND, "-o", out], check=True)
    Path("docs/images").mkdir(exist_ok=True)
    shutil.copy(Path(out) / "astronaut.panel.jpg", "docs/images/astronaut.panel.jpg")
