"""Makes the pictures of the docs: `python docs/make/pictures.py`, from the project's top folder."""

import shutil
import subprocess
import tempfile
from pathlib import Path

EIGHT = "cam", "gradcam++", "layercam", "eigencam", "scorecam", "ablationcam", "fullgrad", "guided_gradcam"
PICTURES = {
    "astronaut": [
        "--method",
        "cam",
        "--method",
        "gradcam",
        "--fit",
        "keep",
        "-c",
        "space shuttle",
        "-c",
        "crash helmet",
    ],
    "coffee": [part for method in EIGHT for part in ("--method", method)],
}

with tempfile.TemporaryDirectory() as out:
    Path("docs/images").mkdir(exist_ok=True)
    for name, options in PICTURES.items():
        command = ["camtool", "explain", f"sample_images/{name}.png", *options, "--save", "panel", "--format", "jpg"]
        subprocess.run([*command, "-o", f"{out}/{name}"], check=True)
        shutil.copy(Path(out) / name / f"{name}.panel.jpg", f"docs/images/{name}.panel.jpg")
