"""A family by name: one literal table, readable without importing any member (and so without torch)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .errors import CamtoolError, nearest


@dataclass(frozen=True)
class Entry:
    """One member of a family.

    target: `"package.module:attribute"`, imported only when the member is chosen.
    summary: one line for lists, help and documentation.
    extra: the pip extra a member needs beyond the ordinary dependencies, or "".
    """

    target: str
    summary: str
    extra: str = ""


class Registry(Mapping[str, Entry]):
    """A family's table. `canonical`, `entry` and `load` take what a person typed and raise `unknown` for a name it does
    not hold; `load` imports the member.

    folded: spellings that it makes equal are one name.
    """

    def __init__(
        self,
        noun: str,
        unknown: type[CamtoolError],
        entries: dict[str, Entry],
        folded: Callable[[str], str] = str,
    ):
        self.noun, self.unknown, self.entries, self.folded = noun, unknown, entries, folded

    def __getitem__(self, name: str) -> Entry:
        return self.entries[name]

    def canonical(self, name: str) -> str:
        """The table's own spelling of a name. Raises `unknown`."""
        names = {self.folded(known): known for known in self.entries}
        if self.folded(name) not in names:
            known = ", ".join(self.entries)
            raise self.unknown(f"no {self.noun} is called {name!r}{nearest(name, list(self.entries))} (known: {known})")
        return names[self.folded(name)]

    def entry(self, name: str) -> Entry:
        """The entry a person named. Raises `unknown`."""
        return self.entries[self.canonical(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def load(self, name: str) -> Any:
        module, _, attribute = self.entry(name).target.partition(":")
        return getattr(import_module(module), attribute)
