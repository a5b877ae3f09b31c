"""The command in processes that cost no start: forked from one that has imported everything and done nothing.

`python -m tests.faults.warm` is that process: a JSON object a line on stdin, `arguments`, `cwd`, `log` and `fault`; on
stdout the process id of the run, and when it is over its wait status and how long it took.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Over:
    """code: the exit code, negative where a signal ended it. err: what was on stderr and stdout."""

    code: int
    seconds: float
    err: str


class Warm:
    """Forks runs, one at a time."""

    def __init__(self) -> None:
        where = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.warm"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=where, text=True,
        )  # fmt: skip

    def __call__(
        self, cwd: Path, *arguments: str, fault: dict[str, Any] | None = None, kill: Callable[[int], None] | None = None
    ) -> Over:
        """fault: a key of FAULTS and what it is given. kill: called with the process id while the run goes on."""
        asked = {"arguments": arguments, "cwd": str(cwd), "log": str(cwd / "log"), "fault": fault or {}}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        pid = int(self.process.stdout.readline())
        if kill:
            kill(pid)
        status, seconds = json.loads(self.process.stdout.readline())
        return Over(os.waitstatus_to_exitcode(status), seconds, (cwd / "log").read_text(errors="replace"))

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


# What follows runs in the forked process.

TOUCHING = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "os.utime"}


def at_touch(number: int) -> None:
    """Kill -9 just before the file system is changed for the `number`-th time, from 1."""
    left = number

    def hook(event: str, given: tuple) -> None:
        nonlocal left
        written = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (written and given[0] != "/dev/null") or event in TOUCHING:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def at_line(number: int) -> None:
    """Kill -9 in the middle of the `number`-th line that is added to any file, from 1."""
    from cam_cli.outputs.lines import Lines

    add, left = Lines.add, number

    def torn(self: Lines, lines: bytes) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            self.file.write(lines[: random.Random(number).randrange(len(lines))])
            os.kill(os.getpid(), signal.SIGKILL)
        add(self, lines)

    Lines.add = torn


FAULTS = {"at_touch": at_touch, "at_line": at_line}


def child(asked: dict[str, Any]) -> None:
    os.chdir(asked["cwd"])
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    sys.argv = ["camtool", *asked["arguments"]]

    from cam_cli.cli.app import app
    from cam_cli.cli.boundary import guarded

    for name, given in asked["fault"].items():
        FAULTS[name](given)
    code = guarded(app, list(asked["arguments"]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def serve() -> None:
    import cam_cli.cli.app
    import cam_cli.cli.console
    import cam_cli.tasks.closing
    import cam_cli.tasks.explainer
    import cam_cli.tasks.judges
    import cam_cli.tasks.merge  # noqa: F401

    for line in sys.stdin:
        pid, began = os.fork(), time.monotonic()
        if pid == 0:
            child(json.loads(line))
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(json.dumps([status, time.monotonic() - began]), flush=True)


if __name__ == "__main__":
    serve()
