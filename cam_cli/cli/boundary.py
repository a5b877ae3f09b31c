"""Where errors become one line and an exit code, and where signals become a request to stop."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from types import FrameType
from typing import Any, NoReturn

import typer

from cam_cli.errors import CamtoolError


class Interrupted(BaseException):
    """Told to stop at once; `code` is the exit code. (Not a KeyboardInterrupt, which Typer turns into another.)"""

    def __init__(self, code: int):
        self.code = code


class Stop(Event):
    """Set by a signal once `armed`, that is from when there are files to finish; `code` is then the exit code."""

    armed = False
    code = 0


@contextmanager
def interruptible() -> Iterator[Stop]:
    """Inside, Ctrl-C and SIGTERM set `Stop` when it is armed, so that files in hand are finished; before that they
    break off with Interrupted. The second time the process ends at once: files appear whole or not at all, so nothing
    is lost by it. A signal that the caller has switched off (nohup, &) stays off."""
    stop = Stop()

    def request(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            break_off(128 + number)
        if not stop.armed:
            raise Interrupted(128 + number)
        stop.code = 128 + number
        stop.set()

    former = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    heeded = [number for number, handler in former.items() if handler is not signal.SIG_IGN]
    try:
        for number in heeded:
            signal.signal(number, request)
        yield stop
    finally:
        for number in heeded:
            signal.signal(number, former[number])


def break_off(code: int) -> NoReturn:
    """Ends the process without waiting for its threads, which may have minutes to go."""
    if sys.stderr and sys.stderr.isatty():
        os.write(sys.stderr.fileno(), b"\n\x1b[?25h")  # the bar hides the cursor
    os._exit(code)


def guarded(app: Callable[..., Any], arguments: list[str]) -> int:
    """Runs the app; returns the exit code. Every error of ours, or of usage, is one line on stderr; `--debug` adds the
    traceback. Anything else is a bug of ours and says so."""
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except CamtoolError as error:
        return told(error.kind, error.message, error.exit_code, arguments)
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # no command given: Typer has printed the help
            return 2
        return told("UsageError", usage(error), 2, arguments)
    except Interrupted as error:
        return error.code
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except ImportError as error:
        if "lib" not in str(error) or ".so" not in str(error):
            return told("Bug", bug(error), 1, arguments)
        return told("LibraryMissing", f"{error}; {LIBRARIES}", 1, arguments)
    except Exception as error:
        return told("Bug", bug(error), 1, arguments)


LIBRARIES = (
    "OpenCV needs a system library that is not here: install it (Debian, Ubuntu: apt-get install libgl1 libglib2.0-0), "
    "or replace opencv-python by opencv-python-headless"
)


def bug(error: Exception) -> str:
    return f"{type(error).__name__}: {error}; this is a mistake in camtool: please report it with the output of --debug"


def usage(error: Any) -> str:
    """A usage error of Typer's, with where to look."""
    text = " ".join(str(error.format_message()).split()).removesuffix(".").replace("Value error, ", "")
    context = getattr(error, "ctx", None)
    return f"{text}; see `{context.command_path if context else 'camtool'} --help`"


def told(kind: str, message: str, code: int, arguments: list[str]) -> int:
    if "--debug" in arguments:
        import traceback

        traceback.print_exc()
    if sys.stderr:
        print(f"camtool: error[{kind}]: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return code
