"""Weights from elsewhere: whole or not at all, quietly, and in one line where there is no connection."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlparse

import torch

from cam_cli.choice import DEFAULT_MODEL
from cam_cli.errors import ModelUnknown, WeightsUnavailable

from . import package

STALLED = 30  # seconds without a byte after which a download has failed
REACHED = 10  # seconds in which the hub must answer at all


def downloaded(name: str, url: str) -> Path:
    """Where the file of `url` lies in torch's own cache, after a download if need be; whole or not at all.

    Raises WeightsUnavailable with the reason and what works without a connection.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / Path(urlparse(url).path).name
    if path.is_file():
        return path
    hashed = re.search(r"-([0-9a-f]{8,})\.", path.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with impatient():
            # Writes beside the target and renames after the hash was checked.
            torch.hub.download_url_to_file(url, str(path), hashed[1] if hashed else None, progress=False)
    except (OSError, HTTPException, RuntimeError) as error:  # URLError is an OSError; a wrong hash is a RuntimeError
        raise unavailable(name, url, getattr(error, "reason", None) or error) from error
    return path


@contextmanager
def impatient() -> Iterator[None]:
    """Inside, a connection that stalls fails; torch.hub itself would wait for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(STALLED)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def from_hub(name: str, repository: str, files: list[str], needed: str) -> Path:
    """The folder in the hub's own cache that holds a repository's `files` (globs), downloaded unless one that matches
    `needed` is there already. Raises ModelUnknown, WeightsUnavailable."""
    hub = package("huggingface_hub")
    hub.utils.disable_progress_bars()
    hub.utils.logging.set_verbosity_error()
    try:
        folder = Path(hub.snapshot_download(repository, allow_patterns=files, local_files_only=True))
        if any(folder.glob(needed)):
            return folder
    except hub.errors.LocalEntryNotFoundError:
        pass
    except hub.errors.HFValidationError as error:
        raise ModelUnknown(f"{name} is neither a folder here nor an id of the hub ({error})") from error
    try:
        # One question first: the hub's client asks six times, for half a minute, where there is no connection.
        hub.utils.get_session().head(hub.constants.ENDPOINT, timeout=REACHED)
        folder = Path(hub.snapshot_download(repository, allow_patterns=files))
    except hub.errors.RepositoryNotFoundError as error:
        raise ModelUnknown(
            f"the hub has no {repository} that is open to you; check the name, or log in with `hf auth login`"
        ) from error
    except Exception as error:  # the client's own tree, its transport's, and the file system's
        raise unavailable(name, f"{hub.constants.ENDPOINT}/{repository}", error) from error
    if not any(folder.glob(needed)):
        raise WeightsUnavailable(f"{repository} on the hub holds no {needed}; --checkpoint FILE uses a file you have")
    return folder


def unavailable(name: str, url: str, reason: object) -> WeightsUnavailable:
    return WeightsUnavailable(
        f"the weights of {name} cannot be downloaded from {url} ({reason}); --model {DEFAULT_MODEL} works offline, "
        "and --checkpoint FILE uses a file you have"
    )
