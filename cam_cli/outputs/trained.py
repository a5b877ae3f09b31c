"""The files of a training, all named after its checkpoint: whose they are, and what of them a run may replace."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cam_cli.errors import OutputFailed, OutputRefused


@dataclass(frozen=True)
class TrainedFiles:
    """checkpoint: `birds.safetensors`; beside it the record, the curve, and a folder for what is needed meanwhile."""

    checkpoint: Path

    @property
    def record(self) -> Path:
        return self.checkpoint.with_suffix(".train.json")

    @property
    def curve(self) -> Path:
        return self.checkpoint.with_suffix(".curve.png")

    @property
    def work(self) -> Path:
        return self.checkpoint.with_suffix(".work")

    @property
    def state(self) -> Path:
        """Of the training after its last epoch."""
        return self.work / "state.safetensors"

    @property
    def features(self) -> Path:
        return self.work / "features"

    @property
    def all(self) -> tuple[Path, ...]:
        return self.checkpoint, self.record, self.curve, self.state

    def check(self, overwrite: bool, resume: bool) -> None:
        """Looks, and touches nothing. Raises OutputRefused where one of the files is there and neither option is given,
        or where nothing can be written there."""
        folder = self.checkpoint.absolute().parent
        there = next(one for one in (folder, *folder.parents) if one.exists() or one.is_symlink())
        if not there.is_dir():
            raise OutputRefused(f"{self.checkpoint} cannot be written: {there} is a file; choose another -o")
        if not os.access(there, os.W_OK | os.X_OK):
            raise OutputRefused(f"{self.checkpoint} cannot be written: no permission in {there}; choose another -o")
        for path in self.all:
            if path.is_dir():
                raise OutputRefused(f"{path} is a folder; choose another -o")
        if overwrite or resume:
            return
        if self.state.exists():
            raise OutputRefused(
                f"a training of {self.checkpoint} was stopped; --resume goes on, --overwrite starts anew"
            )
        if there_is := next((path for path in self.all if path.exists()), None):
            raise OutputRefused(f"{there_is} exists; --overwrite replaces it, or choose another -o")

    def is_one(self, path: str) -> bool:
        """Whether a file that is there is one of these."""
        return Path(path).exists() and any(one.exists() and one.samefile(path) for one in self.all)

    def begin(self, overwrite: bool) -> None:
        """Makes the folder; with `overwrite` an earlier run's state, checkpoint, record and curve go. Raises
        OutputFailed."""
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            if overwrite:
                for path in self.all:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise OutputFailed(
                f"{self.work} cannot be written: {error.strerror or error}; choose another -o"
            ) from error

    def end(self) -> None:
        """Removes what was needed meanwhile, and the folder if it is empty then: features may stay."""
        self.state.unlink(missing_ok=True)
        with suppress(OSError):
            self.work.rmdir()
