"""One joining of shards."""

from __future__ import annotations

from dataclasses import dataclass

from . import OutputSpec
from .option import again


@dataclass(frozen=True)
class JoinedSpec:
    output: str | None = again(OutputSpec, "output", None, metavar="DIR", help="A folder. [default: camtool-out]")
    overwrite: bool = again(OutputSpec, "overwrite", False)


@dataclass(frozen=True)
class MergeSpec:
    """arguments: the command line as it was typed, to be kept. shards: output folders."""

    arguments: tuple[str, ...]
    shards: tuple[str, ...]
    joined: JoinedSpec
