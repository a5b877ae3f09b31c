"""Which classes of an image to explain: the values of `--class` and `--against`, read once, applied to every image."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from cam_cli.errors import UsageError

from .answers import POSITIVE, Reading

Find = Callable[[str], int]
"""A name, WNID or index to a class index; raises ClassUnknown."""

WORD = re.compile(r"(not:)?(top\d*|all|truth)", re.IGNORECASE)


@dataclass(frozen=True)
class Selection:
    """One value of `--class`. ranks: places in the ranking, from 0. truth: the true class. sign: −1 after `not:`."""

    text: str
    ranks: range = range(0)
    indices: tuple[int, ...] = ()
    truth: bool = False
    sign: int = 1

    def choose(
        self, best: Callable[[int], Sequence[int]], names: Sequence[str], truths: Sequence[int] = ()
    ) -> Iterator[tuple[int, str]]:
        """(class index, name part of its files) for one image. The part is a function of the options: a rank, `truth`,
        or index-class; `not-` in front after `not:`.

        best: so many class indices, best first. names: of all classes. truths: the image's true classes, as far as
        they are known.
        """
        no = "not-" if self.sign < 0 else ""
        ranked = best(self.ranks.stop) if self.ranks else ()
        for rank in self.ranks:
            yield ranked[rank], f"{no}{rank + 1}"
        for index in self.indices:
            yield index, f"{no}{index}-{file_part(names[index])}"
        for index in truths if self.truth else ():
            yield index, f"{no}truth" if len(truths) == 1 else f"{no}truth-{index}"


def parse_selections(texts: Sequence[str], find: Find, reading: Reading) -> tuple[Selection, ...]:
    """Reads the values of `--class`. Raises UsageError, and what `find` raises."""
    chosen = {one.text: one for one in (parse(text, find, reading) for text in texts)}
    if not chosen:
        raise UsageError("--class was given no value")
    return tuple(chosen.values())


def parse(typed: str, find: Find, reading: Reading) -> Selection:
    """`top` of a single logit is its positive class, whatever the answer; `top1` is the answer of every model."""
    text = typed.casefold() if WORD.fullmatch(typed) else typed
    if text.casefold().startswith("not:"):
        return replace(parse_plain(text[4:], find, reading), text=text, sign=-1)
    return parse_plain(text, find, reading)


def parse_plain(text: str, find: Find, reading: Reading) -> Selection:
    classes = len(reading.labels)
    if text == "truth":
        return Selection(text, truth=True)
    if text == "all":
        return Selection(text, indices=tuple(range(classes)))
    if text == "top" and reading.one_logit:
        return Selection(text, indices=(POSITIVE,))
    if match := re.fullmatch(r"top(\d*)", text):
        top = int(match[1] or 1)
        if not top:
            raise UsageError("--class top0 selects nothing; top is the first, top5 the five most probable")
        return Selection(text, ranks=range(min(top, classes)))
    return Selection(text, indices=(find(text),))


def parse_against(typed: str, find: Find, reading: Reading) -> Selection:
    """Reads `--against`: one class, or `second`, the runner-up. Raises UsageError, and what `find` raises."""
    if typed.casefold() == "second":
        return Selection(typed, ranks=range(1, min(2, len(reading.labels))))
    one = parse(typed, find, reading)
    if one.sign < 0 or len(one.ranks) + len(one.indices) + one.truth != 1:
        raise UsageError(f"--against takes one class (top, second, truth, a name, a WNID, an index), not {typed}")
    return one


def several(selections: Sequence[Selection]) -> bool:
    """Whether one image can get maps of more than one class, so that file names must tell them apart."""
    return len(selections) > 1 or max(len(selections[0].ranks), len(selections[0].indices)) > 1


def file_part(name: str) -> str:
    """A class name as a part of a file name: letters and digits of any script, the rest as single hyphens."""
    return re.sub(r"\W+", "-", name).strip("-")[:60]
