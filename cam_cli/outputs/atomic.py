"""Whole files or none."""

import errno
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident

from cam_cli.errors import ImageUnwritable, OutputFailed

NO_LINK = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS)
"""Another device, not ours to link, too many links of one file, a file system without hard links."""
DRAFT = re.compile(r"\.camtool-\d+-\d+\.part")
"""What is half written is called."""


def draft_beside(path: Path) -> Path:
    """Where this thread drafts what is to be at `path`."""
    return path.with_name(f".camtool-{os.getpid()}-{get_ident()}.part")


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what is there when the block ends takes its place, so that nobody ever sees half
    of it.

    Raises ImageUnwritable where the name is too long for the file system, OutputFailed for everything else.
    """
    draft = draft_beside(path)
    try:
        if not path.parent.is_dir():  # asking takes no lock of the folder, in which other threads write, too
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield draft
            os.replace(draft, path)
        finally:  # after replacing, too: a rename of one link of a file onto another leaves both
            if os.path.lexists(draft):
                draft.unlink(missing_ok=True)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise ImageUnwritable(f"the name {path.name} is too long for the file system; use --name") from error
        raise OutputFailed(f"cannot write {path}: {error.strerror or error}") from error


def write(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Writes `path`, in pieces where `data` is several. Raises as `draft_of`."""
    with draft_of(path) as draft, draft.open("wb") as file:
        file.writelines((data,) if isinstance(data, bytes) else data)


def place(path: Path, original: str, link: bool) -> bool:
    """Puts a file that exists at `path` too: as a hard link, or as a copy where that is asked for or a link cannot be.
    Returns whether it is a link. Raises as `draft_of`."""
    with draft_of(path) as draft:
        if link:
            try:
                os.link(os.path.realpath(original), draft)
                return True
            except OSError as error:
                if error.errno not in NO_LINK:
                    raise
        shutil.copyfile(original, draft)
        return False
