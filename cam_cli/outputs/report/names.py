"""Names of files, classes and runs in a GitHub-flavoured markdown table, whatever is in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

LONGEST = 80  # characters
CODE = re.compile(r"[^`|\\<>&]+")
"""What a code span holds literally, in a table too: no end of the span or cell, nothing that needs an escape."""
SPECIAL = re.compile(r"[!-/:-@[-`{-~]")
HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Control and format characters (new lines, and marks that turn the direction of text), surrogates, separators."""


def code(name: str) -> str:
    """A name as code, on one line: at most 80 characters of it, what cannot be seen as `\\n`, `\\u202e` …

    Plain ones stand between backticks, where neither emphasis, mentions nor links begin. What could end the span, the
    cell or begin HTML stands in `<code>` with every punctuation mark as a character reference, which markdown never
    takes for structure.
    """
    text = visible(name, LONGEST) or "–"
    if CODE.fullmatch(text):
        return f"`{text}`"
    return f"<code>{SPECIAL.sub(lambda one: f'&#{ord(one[0])};', text)}</code>"


def codes(names: Sequence[str], most: int, count: int | None = None) -> str:
    """The first names, and how many more there are of `count`."""
    shown = [code(name) for name in names[:most]]
    more = (len(names) if count is None else count) - len(shown)
    return ", ".join([*shown, f"… {more} more"] if more > 0 else shown)


def shortened(text: str, longest: int) -> str:
    """At most so many characters; the end of a path says more than its middle, so the middle goes."""
    if len(text) <= longest:
        return text
    tail = longest * 2 // 3
    return f"{text[: longest - tail - 1]}…{text[-tail:]}"


def visible(text: str, longest: int) -> str:
    """At most so many characters, those that do not show spelled as Python does."""
    near = shortened(text, 4 * longest)  # spelling makes it longer only, so the middle is cut from it again
    return shortened("".join(spelled(one) if unicodedata.category(one) in HIDDEN else one for one in near), longest)


def spelled(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def words(text: str, longest: int = 3 * LONGEST) -> str:
    """Running text from elsewhere, such as a gate's reason: what markdown or HTML would read is escaped."""
    return re.sub(r"[\\`*_\[\]<>&|~#@$!]", lambda one: f"&#{ord(one[0])};", visible(text, longest))


def fenced(text: str, longest: int) -> str:
    """A block of code of one line."""
    line = visible(text, longest)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence}\n{line}\n{fence}"
