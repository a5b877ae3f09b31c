"""What goes wrong in a run, on purpose. Every fault is started in the process of the run, before it begins."""

import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

TOUCHING = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "os.utime"}


def at_touch(number: int, what: Callable[[], None]) -> None:
    """Just before the file system is changed for the `number`-th time, from 1."""
    left = number

    def hook(event: str, given: tuple) -> None:
        nonlocal left
        written = event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (written and given[0] != os.devnull) or event in TOUCHING:
            left -= 1
            if left == 0:
                what()

    sys.addaudithook(hook)


def at_line(number: int, what: Callable[[Any, bytes], None]) -> None:
    """Before the `number`-th line is added to any file, from 1; `what` is given the `Lines` and the line."""
    from cam_cli.outputs.lines import Lines

    add, left = Lines.add, number

    def changed(self: Lines, lines: bytes) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            what(self, lines)
        add(self, lines)

    Lines.add = changed


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at_line(number: int) -> None:
    """In the middle of it."""

    def torn(lines: Any, line: bytes) -> None:
        lines.file.write(line[: random.Random(number).randrange(len(line))])
        kill()

    at_line(number, torn)


def full() -> None:
    """From now on no byte can be written to any file; the kernel says so."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


def remove() -> None:
    """The output folder, while other threads write in it."""
    while os.path.exists("out"):
        shutil.rmtree("out", ignore_errors=True)


def stuck(number: int) -> None:
    """A thread that finishes results will not end; meanwhile Ctrl-C is pressed, and again."""

    def wait() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)
        time.sleep(300)

    at_finish(number, wait)


def broken() -> None:
    raise RuntimeError("a worker fell over")


def at_finish(number: int, what: Callable[[], None]) -> None:
    """In the thread that finishes the `number`-th result, before it does."""
    from cam_cli.engine.scorer import Scorer
    from cam_cli.outputs.finishing import Finisher

    left = number

    def changed(call: Callable[..., Any]) -> Callable[..., Any]:
        def finish(self: Any, one: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                what()
            return call(self, one)

        return finish

    Finisher.__call__, Scorer.__call__ = changed(Finisher.__call__), changed(Scorer.__call__)


def forked() -> None:
    """Lanes are processes, which a run of so few images has none of, and two of them on any machine. A fault in a lane
    is then one in each of its processes."""
    from cam_cli.tasks import flow

    flow.APART, flow.cores = 1, lambda: 2


def little_memory(most: int) -> None:
    """No more than so many pictures at a time."""
    import torch

    from cam_cli.engine.explain import Explainer

    explain = Explainer.explain

    def allocating(self: Explainer, pictures: Any) -> Any:
        if len(pictures) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return explain(self, pictures)

    Explainer.explain = allocating


def after_listing(changes: dict[str, str | None]) -> None:
    """Files are replaced by others, or removed, between listing and reading."""
    from cam_cli.cli.console import Terminal

    begin = Terminal.begin

    def changing(self: Terminal, *given: Any, **more: Any) -> None:
        for path, other in changes.items():
            os.remove(path)
            if other is not None:
                shutil.copyfile(other, path)
        begin(self, *given, **more)

    Terminal.begin = changing


FAULTS: dict[str, Callable[[Any], None]] = {
    "kill_at_touch": lambda number: at_touch(number, kill),
    "kill_at_line": kill_at_line,
    "kill_at_finish": lambda number: at_finish(number, kill),
    "full_at_touch": lambda number: at_touch(number, full),
    "full_at_line": lambda number: at_line(number, lambda *_: full()),
    "gone_at_line": lambda number: at_line(number, lambda *_: remove()),
    "int_at_line": lambda number: at_line(number, lambda *_: os.kill(os.getpid(), signal.SIGINT)),
    "term_at_line": lambda number: at_line(number, lambda *_: os.kill(os.getpid(), signal.SIGTERM)),
    "worker_at": lambda number: at_finish(number, broken),
    "stuck_at": stuck,
    "asleep_at": lambda number: at_finish(number, lambda: time.sleep(300)),
    "forked": lambda _: forked(),
    "little_memory": little_memory,
    "after_listing": after_listing,
}
"""By name, with what they are given."""
