"""The command in processes that cost no start: forked from one that has imported everything and done nothing.

`python -m tests.faults.warm` is that process. It takes a JSON object a line on stdin, `arguments`, `cwd` and `faults`,
and gives on stdout the process id of the run, and when that is over an object with what `Over` holds.
"""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from importlib import import_module
from io import StringIO
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

from .injected import FAULTS

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Over:
    """A run that has ended. code: the exit code, negative where a signal ended it."""

    code: int
    seconds: float
    out: str
    err: str


class Warm:
    """Forks runs, one at a time."""

    def __init__(self) -> None:
        where = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.warm"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=where, text=True,
        )  # fmt: skip

    def __call__(self, cwd: Path, *arguments: str, kill: Callable[[int], None] | None = None, **faults: Any) -> Over:
        """faults: names of FAULTS, with what they are given. kill: called with the process id while the run goes on."""
        asked = {"arguments": arguments, "cwd": str(cwd), "faults": faults}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        if kill:
            kill(pid)
        return Over(**json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def killing(seconds: float) -> Callable[[int], None]:
    """A kill -9 after so many seconds."""

    def kill(pid: int) -> None:
        time.sleep(seconds)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    return kill


# What follows runs in the warm process.


def child(asked: dict[str, Any], out: int, err: int) -> None:
    os.chdir(asked["cwd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.argv = ["camtool", *asked["arguments"]]

    from cam_cli.cli.app import app
    from cam_cli.cli.boundary import guarded

    for name, given in asked["faults"].items():
        FAULTS[name](given)
    code = guarded(app, list(asked["arguments"]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def drained(pipes: list[int]) -> list[bytes]:
    """Everything that comes out of them, until nobody writes any more."""
    found = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as ready:
        for pipe in pipes:
            ready.register(pipe, selectors.EVENT_READ)
        while ready.get_map():
            for key, _ in ready.select():
                piece = os.read(key.fd, 1 << 16)
                found[key.fd] += piece
                if not piece:
                    ready.unregister(key.fd)
                    os.close(key.fd)
    return [found[pipe] for pipe in pipes]


def load() -> None:
    """Everything that a run imports on its way, which is half of its time."""
    from cam_cli.cli.app import app
    from cam_cli.cli.boundary import guarded

    for room in ("methods", "metrics", "render", "outputs", "datasets", "engine", "tasks", "cli"):
        package = import_module(f"cam_cli.{room}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    with redirect_stderr(StringIO()):
        guarded(app, ["gradcam", "there is no such file"])


def serve() -> None:
    load()
    for line in sys.stdin:
        (out, to_out), (err, to_err) = os.pipe(), os.pipe()
        pid, began = os.fork(), time.monotonic()
        if pid == 0:
            child(json.loads(line), to_out, to_err)
        os.close(to_out)
        os.close(to_err)
        print(pid, flush=True)
        said = drained([out, err])
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        told = {"code": code, "seconds": time.monotonic() - began}
        out, err = (one.decode(errors="replace") for one in said)
        print(json.dumps({**told, "out": out, "err": err}), flush=True)


if __name__ == "__main__":
    serve()
