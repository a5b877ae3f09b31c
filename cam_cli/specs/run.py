"""How a run goes, and how it talks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cam_cli.errors import UsageError

from .option import RUN, TERMINAL, amount, option
from .shard import Shard

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class RunSpec:
    limit: int | None = option(None, "--limit", panel=RUN, minimum=1, metavar="N", help="Only the first N images.")
    sample: int | None = option(
        None, "--sample", panel=RUN, minimum=1, metavar="N", help="A random N of the images, in listing order."
    )
    seed: int = option(
        0, "--seed", panel=RUN, minimum=0, metavar="S", help="Of --sample, and of methods that draw random numbers."
    )
    shard: str | None = option(
        None, "--shard", panel=RUN, metavar="I/N", help="Only part I of N, for `camtool merge`: 1/4, 2/4, …"
    )
    device: str = option(
        "auto", "--device", panel=RUN, metavar="NAME", help="auto (cuda, then mps, then cpu), or a name.", free=True
    )
    precision: Precision = option(
        "fp32", "--precision", panel=RUN, help="Arithmetic of the forward pass; maps stay float32."
    )
    batch_size: str = option(
        "auto", "--batch-size", panel=RUN, metavar="N", help="Images a forward pass, or auto.", free=True
    )
    workers: int | None = option(
        None,
        "--workers",
        panel=RUN,
        minimum=1,
        metavar="N",
        help="Threads that read and write. [default: the cores]",
        free=True,
    )
    max_failures: str = option(
        "0",
        "--max-failures",
        panel=RUN,
        metavar="N|P%",
        help="How many images may fail before the exit code is 5.",
        free=True,
    )
    dry_run: bool = option(
        False,
        "--dry-run",
        panel=RUN,
        help="Say what would be done and what it costs, on stdout; do nothing.",
        free=True,
    )
    nul: bool = option(False, "-0", panel=RUN, help="Paths on stdin are separated by NUL.")

    def __post_init__(self) -> None:
        if self.batch_size != "auto" and not (self.batch_size.isdecimal() and int(self.batch_size) > 0):
            raise UsageError(f"--batch-size takes a positive number or auto, not {self.batch_size!r}")
        _ = self.failures_allowed(0), self.part

    @property
    def part(self) -> Shard:
        """Of --shard; without it, all of one. Raises UsageError."""
        return Shard(1, 1) if self.shard is None else Shard.parse(self.shard)

    def failures_allowed(self, total: int) -> float:
        """How many of `total` images may fail: --max-failures, a count or a percentage."""
        return amount("--max-failures", self.max_failures, total)


@dataclass(frozen=True)
class TerminalSpec:
    """How a run talks; it changes no result, so `run.json` does not keep it."""

    json: bool = option(False, "--json", panel=TERMINAL, help="One JSON object an image on stdout, in input order.")
    print0: bool = option(
        False, "--print0", panel=TERMINAL, help="End the written paths with NUL instead of a newline."
    )
    quiet: bool = option(False, "--quiet", "-q", panel=TERMINAL, help="Errors only on stderr.")
    verbose: bool = option(False, "--verbose", "-v", panel=TERMINAL, help="Say more on stderr: a line an image.")
    debug: bool = option(False, "--debug", panel=TERMINAL, help="Show the traceback of an error.")
