"""Whole files or none."""

import errno
import os
from pathlib import Path
from threading import get_ident

from cam_cli.errors import ImageUnwritable, OutputFailed


def write(path: Path, data: bytes) -> None:
    """Writes `path` through a temporary file beside it, so that nobody ever sees half of it.

    Raises ImageUnwritable where the name is too long for the file system, OutputFailed for everything else.
    """
    draft = path.with_name(f".camtool-{os.getpid()}-{get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(data)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise ImageUnwritable(f"the name {path.name} is too long for the file system; use --name") from error
        raise OutputFailed(f"cannot write {path}: {error.strerror or error}") from error
