"""What a task tells whoever runs it; a terminal is one such listener."""

from collections.abc import Mapping
from typing import Any, Protocol


class Listener(Protocol):
    def note(self, topic: str, text: str) -> None:
        """A fact people want to see once: the model, the layer, what was assumed."""

    def warn(self, text: str) -> None:
        """Something that may not be what was meant."""

    def begin(self, total: int, what: str = "explaining", done: int = 0) -> None:
        """So many images, or epochs, are about to be gone through, `done` of them already. what: for people."""

    def progress(self, done: int, count: int) -> None:
        """So many of the passes that one map takes are done; maps of a single pass do not tell."""

    def result(self, record: dict[str, Any], paths: tuple[str, ...], data: bytes | None) -> None:
        """One image is done, in input order: its record, the paths written, and bytes that were asked for on stdout."""

    def judged(self, image: str, error: Mapping[str, str] | None) -> None:
        """One image of an evaluation is done, in the data's order: its path, and its error's kind and message."""

    def learnt(self, epoch: Mapping[str, Any], best: bool) -> None:
        """One epoch of a training is done: its numbers, as `train.json` has them; whether it is the best so far."""

    def left_out(self, image: str, correct: bool | None) -> None:
        """One image is done, and `--only` leaves it out: its path, and whether the model is right about it."""


class Muted:
    """Passes on what is to be heard of something that has been told before: no notes."""

    def __init__(self, listener: Listener):
        self.listener = listener

    def note(self, topic: str, text: str) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return getattr(self.listener, name)
