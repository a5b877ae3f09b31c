"""What a run came to: what is through, what is not, and how fast."""

import pytest

from cam_cli.tasks.outcome import Outcome
from cam_cli.tasks.summary import Summary


def test_what_only_passed_by_is_through(monkeypatch):
    summary = Summary(10, 2, "out", before=1, started=100.0)
    summary.done, summary.failed = 6, 2
    summary.leave(True)
    summary.leave(None)
    monkeypatch.setattr("time.monotonic", lambda: 102.0)
    assert (summary.total, summary.not_done, summary.noun) == (20, 10, "result")
    assert summary.pace == pytest.approx((6 + 2 - 1) / 2)
    assert (summary.right, summary.wrong) == (1, 0)
    assert summary.counts() == {
        "total": 20, "done": 6, "failed": 2, "flagged": 0,
        "maps": 0, "boxes": 0, "right": 1, "wrong": 0, "left_out": 2,
    }  # fmt: skip


def test_of_an_evaluation_what_is_done_is_through(monkeypatch):
    outcome = Outcome(5, 1, "out", before=2, started=100.0)
    drawn = {"run": {"drawn": {"flags": ["all_zero"]}}}
    for error, flags, runs in ((None, [], {}), (None, [], drawn), ({"kind": "x"}, [], {}), (None, ["cropped"], {})):
        outcome.add({"error": error, "flags": flags, "runs": runs})
    monkeypatch.setattr("time.monotonic", lambda: 104.0)
    assert (outcome.not_done, outcome.noun, outcome.pace) == (1, "image", 0.25)
    assert outcome.counts() == {"total": 5, "done": 3, "failed": 1, "flagged": 2}
