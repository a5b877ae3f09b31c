"""The output folder of a shard, read back to be joined with the others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cam_cli.errors import InputMissing, ShardUnfit, UsageError
from cam_cli.models.labels import Labels
from cam_cli.specs.shard import Shard

from . import atomic
from .folder import LEFT_OUT, SHARD, Folder, read_run
from .lines import whole_lines
from .record import json_bytes

SCHEMA = "camtool.shard/1"


def write_share(folder: Folder, labels: Labels | None, whole: Set[str]) -> None:
    """What joining shards needs beside their records: the classes that exports name, and the ids of the whole listing
    whose stem keeps the suffix. Raises OutputFailed."""
    known = None if labels is None else {"names": labels.names, "wnids": labels.wnids}
    atomic.write(folder.path / SHARD, json_bytes({"schema": SCHEMA, "labels": known, "whole": sorted(whole)}) + b"\n")


@dataclass(frozen=True)
class Share:
    """path: of the folder. run: its `run.json`. shard: which it is."""

    path: Path
    run: Mapping[str, Any]
    shard: Shard

    @classmethod
    def read(cls, path: str) -> Share:
        """Raises InputMissing, and ShardUnfit for a folder that holds no shard, or one that is not finished."""
        folder = Path(path)
        if not folder.is_dir():
            raise InputMissing(f"{path}: no such folder; check the path")
        run = read_run(folder) or {}
        try:
            shard, finished = Shard.parse(run["spec"]["run"]["shard"]), run["finished"]
        except (KeyError, TypeError, UsageError):
            raise ShardUnfit(f"{path} holds no shard; name output folders of runs with --shard I/N") from None
        if not finished:
            raise ShardUnfit(f"{path} (shard {shard}) is not finished; complete it with --resume")
        return cls(folder, run, shard)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.path} (shard {self.shard})"

    @cached_property
    def kept(self) -> Mapping[str, Any]:
        """What `write_share` wrote. Raises ShardUnfit."""
        try:
            return dict(json.loads((self.path / SHARD).read_bytes()))
        except (OSError, ValueError, RecursionError) as error:
            raise ShardUnfit(f"{self.path / SHARD} cannot be read ({error}); run shard {self.shard} again") from error

    @property
    def labels(self) -> Labels:
        known = self.kept["labels"] or {"names": (), "wnids": None}
        return Labels(tuple(known["names"]), None if known["wnids"] is None else tuple(known["wnids"]))

    @property
    def whole(self) -> Set[str]:
        """The ids whose stem keeps the suffix. Raises ShardUnfit."""
        return frozenset(self.kept["whole"])

    def records(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of one of its files, in order. Raises ShardUnfit."""
        path = self.path / name
        try:
            for _, line in whole_lines(path):
                yield dict(json.loads(line))
        except (OSError, ValueError, RecursionError) as error:
            raise ShardUnfit(f"{path} cannot be read ({error}); run shard {self.shard} again") from error


def interleaved(shares: Sequence[Share], name: str, images: int, models: int, size: int) -> Iterator[tuple[Share, Any]]:
    """The records of all shards, in the order of the whole run, each with the shard it is of; what `--only` left out in
    its place. shares: in their order, all of them. name: the file that has them. images, size: of the whole run, and of
    its batches; each image has `models` records.

    Raises ShardUnfit where a shard has fewer records than it should, or more.
    """
    results = [share.records(name) for share in shares]
    passed_by = [share.records(LEFT_OUT) for share in shares]
    next_left = [next(one, None) for one in passed_by]
    for image in range(images):
        turn = image // size % len(shares)
        for place in range(image * models, (image + 1) * models):
            left = next_left[turn]
            if left is not None and left["place"] == place:
                next_left[turn] = next(passed_by[turn], None)
                yield shares[turn], left
                continue
            record = next(results[turn], None)
            if record is None:
                raise ShardUnfit(f"{shares[turn].name} lacks results; complete it with --resume")
            yield shares[turn], record
    for turn, share in enumerate(shares):
        if next(results[turn], None) is not None or next_left[turn] is not None:
            raise ShardUnfit(f"{share.name} has more results than images; run it again")
