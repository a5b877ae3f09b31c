"""Whole files or none."""

import os
from pathlib import Path
from threading import get_ident

from cam_cli.errors import OutputFailed


def write(path: Path, data: bytes) -> None:
    """Writes `path` through a temporary file beside it, so that nobody ever sees half of it. Raises OutputFailed."""
    draft = path.with_name(f".{path.name[:200]}.{os.getpid()}-{get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(data)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise OutputFailed(f"cannot write {path}: {error.strerror or error}") from error
