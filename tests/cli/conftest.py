"""`evaluate`: whole evaluations of painted pictures."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from cam_cli.outputs.report.schema import report_schema
from tests.conftest import Ran
from tests.painted import NETWORK, write


@dataclass
class Evaluated:
    """A run of `camtool evaluate`. folder: its output."""

    ran: Ran
    folder: Path

    @property
    def code(self) -> int:
        return self.ran.code

    @property
    def err(self) -> str:
        return self.ran.err

    @property
    def error(self) -> str:
        """The last line on stderr, without the program's name."""
        return self.err.splitlines()[-1].removeprefix("camtool: ")

    @property
    def report(self) -> dict:
        """`report.json`, which its schema must allow."""
        whole = json.loads((self.folder / "report.json").read_text())
        jsonschema.validate(whole, report_schema())
        return whole

    @property
    def rows(self) -> list[dict]:
        return [json.loads(line) for line in (self.folder / "rows.jsonl").read_text().splitlines()]

    def metric(self, name: str, run: int = 0) -> dict:
        return next(one for one in self.report["runs"][run]["metrics"] if one["metric"] == name)

    def values(self, run: int = 0) -> dict[str, float | None]:
        return {one["metric"]: one["value"] for one in self.report["runs"][run]["metrics"]}

    def group(self, column: str, value: str, run: int = 0) -> dict[str, tuple[float | None, int]]:
        """Of the images with that value: the numbers and what they are over."""
        groups = self.report["runs"][run]["groups"]
        (found,) = (one for one in groups if (one["column"], one["value"]) == (column, value))
        return {one["metric"]: (one["value"], one["n"]) for one in found["metrics"]}


@pytest.fixture
def evaluate(camtool, tmp_path) -> Callable[..., Evaluated]:
    """`evaluate(*arguments)` of the pictures and the table that `tests.painted.write` makes in the working folder, by
    the network that sees colours. data, model, out: others. For haste there are few resamples and, without
    --baselines, no baselines."""
    write(tmp_path)

    def run(*arguments: object, data: str = "data.csv", model: str | None = NETWORK, out: str = "out") -> Evaluated:
        named = [] if model is None or "--maps" in arguments else ["-m", model, "--labels", "labels.txt"]
        named += [] if "--resamples" in arguments else ["--resamples", "20"]
        named += [] if "--baselines" in arguments else ["--no-baselines"]
        return Evaluated(camtool("evaluate", data, *named, "-o", out, *arguments), tmp_path / out)

    return run
