"""Lanes in processes of their own, which share no lock of Python's: forked, so that nothing is loaded twice."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar

import torch

from cam_cli.errors import OutOfMemory

from .allocator import c_function, give_back

if TYPE_CHECKING:
    from .lanes import Lane

Item = TypeVar("Item")
Done = TypeVar("Done")
DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG of linux/prctl.h


def forkable() -> bool:
    """Whether lanes may be forked: on Linux; what other systems' libraries and the drivers of accelerators hold does
    not outlive it."""
    return sys.platform == "linux" and not torch.accelerator.is_available()


@contextmanager
def apart(lanes: Sequence[Lane[Item, Done]]) -> Iterator[Sequence[Lane[Item, Done]]]:
    """`lanes`, each in a process that ends with the block, and with this process; where the system gives no more
    processes, as they are. What goes to them and comes back is pickled. To be entered before other threads begin, and
    not while any that have computed end."""
    forked: list[Apart[Item, Done]] = []
    give_back()
    try:
        try:
            forked.extend(map(Apart, lanes))
        except OSError:
            end(forked)
            forked.clear()
        yield forked or lanes
    finally:
        end(forked)


class Apart(Generic[Item, Done]):
    """One lane, in its process."""

    def __init__(self, lane: Lane[Item, Done]):
        self.here, there = Pipe()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            serve(lane, there, parent)
        there.close()

    def __call__(self, batch: list[Item]) -> Iterator[Done]:
        """Raises what the lane raises, after what it did before that, and as `lost`."""
        try:
            self.here.send_bytes(pickle.dumps(batch))  # plainly: `send` would share a tensor's memory
            done, error = self.here.recv()
        except (EOFError, OSError):
            raise lost(self.ended()) from None
        yield from done
        if error:
            raise error

    def dismiss(self) -> None:
        """Lets the process end, which is in no batch, or has ended."""
        with suppress(OSError):
            self.here.send_bytes(pickle.dumps(None))
        self.here.close()

    def ended(self) -> int:
        """Waits for the process's end; its exit code, negative where a signal ended it, 0 where it was asked before."""
        try:
            return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        except ChildProcessError:
            return 0


def end(forked: Sequence[Apart[Item, Done]]) -> None:
    """All at once: what each held takes the system a while to take back."""
    for one in forked:
        one.dismiss()
    for one in forked:
        one.ended()


def lost(code: int) -> Exception:
    """What to say of a process that ended in the middle of a batch."""
    if code == -signal.SIGKILL:
        return OutOfMemory(
            "one of the run's processes was killed, as the system does when memory runs out; use a smaller "
            "--batch-size or fewer --workers, and --resume to complete what is there"
        )
    return RuntimeError(f"one of the run's processes ended with code {code}")


def serve(lane: Lane[Item, Done], there: Connection, parent: int) -> NoReturn:
    """The life of a lane's process. Signals to stop are for its parent, which lets it finish what it has in hand."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if prctl := c_function("prctl"):
            prctl(DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() == parent:  # else it died before that
            while (batch := there.recv()) is not None:
                there.send_bytes(answer(lane, batch))
        code = 0
    except (EOFError, OSError):
        pass  # nobody asks, or listens, any more
    except BaseException:
        os.write(2, traceback.format_exc().encode())  # sys.stderr may be locked by a thread that was not forked
    finally:
        os._exit(code)


def answer(lane: Lane[Item, Done], batch: list[Item]) -> bytes:
    """What was done of a batch, and what went wrong then, if anything."""
    done: list[Done] = []
    try:
        done.extend(lane(batch))
    except Exception as error:
        return pickle.dumps((done, portable(error)))
    return pickle.dumps((done, None))


def portable(error: Exception) -> Exception:
    """`error` with where it was raised; of one that cannot be pickled, what it says."""
    error.add_note("In one of the run's processes:\n" + "".join(traceback.format_tb(error.__traceback__)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
