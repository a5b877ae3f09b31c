"""Which classes of an image to explain: the values of `--class`, read once, applied to every image's scores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cam_cli.errors import UsageError


@dataclass(frozen=True)
class Selection:
    """One value of `--class`. `choose` gives (class index, name part of its files) for one image.

    The name part is a function of the options: a rank for `top`, else index-class.
    """

    text: str
    top: int = 0
    indices: tuple[int, ...] = ()

    def choose(self, ranking: Sequence[int], names: Sequence[str]) -> Iterator[tuple[int, str]]:
        """ranking: all class indices, best first. names: of all classes."""
        for rank, index in enumerate(ranking[: self.top], start=1):
            yield index, str(rank)
        for index in self.indices:
            yield index, f"{index}-{file_part(names[index])}"


def parse_selections(texts: Sequence[str], find: Callable[[str], int], classes: int) -> tuple[Selection, ...]:
    """Reads the values of `--class`. `find` turns a name, WNID or index into a class index and raises ClassUnknown."""
    chosen: dict[str, Selection] = {}
    for typed in texts:
        text = typed.casefold() if re.fullmatch(r"top\d*|all", typed.casefold()) else typed
        if match := re.fullmatch(r"top(\d*)", text):
            top = int(match[1] or 1)
            if not top:
                raise UsageError("--class top0 selects nothing; top is the first, top5 the five most probable")
            chosen[text] = Selection(text, top=min(top, classes))
        elif text == "all":
            chosen[text] = Selection(text, indices=tuple(range(classes)))
        elif text == "truth" or text.startswith("not:"):
            raise UsageError(f"--class {text}: this version does not know the truth or explain against a class yet")
        else:
            chosen[text] = Selection(text, indices=(find(text),))
    if not chosen:
        raise UsageError("--class was given no value")
    return tuple(chosen.values())


def several(selections: Sequence[Selection]) -> bool:
    """Whether one image can get maps of more than one class, so that file names must tell them apart."""
    return len(selections) > 1 or selections[0].top > 1 or len(selections[0].indices) > 1


def file_part(name: str) -> str:
    """A class name as a part of a file name: letters and digits of any script, the rest as single hyphens."""
    return re.sub(r"\W+", "-", name).strip("-")[:60]
