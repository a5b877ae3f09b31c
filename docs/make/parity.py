"""Writes docs/parity.md: every method against its peers. Needs the extra `parity`; minutes.

pip install '.[parity,lite]' && PYTHONPATH=. python docs/make/parity.py
"""

import platform
from collections import Counter
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from cam_cli.methods import METHODS
from tests.parity.comparisons import ALONE, COMPARISONS, Comparison, differences
from tests.parity.deviations import DEVIATIONS
from tests.parity.networks import Place
from tests.parity.places import EVERY

PAGE = Path(__file__).parents[1] / "parity.md"
PEERS = ("grad-cam", "torchcam", "captum")
RUNS_ON = ("torch", "torchvision", "numpy")
HEAD = """# Parity

Our maps and those of three other libraries, of the same networks, layers, images and classes. Written on
{versions} by

```
pip install '.[parity,lite]' && PYTHONPATH=. python docs/make/parity.py
```

Networks have seeded random weights, with scores and normalisation like a trained one's. Most rows are of three of
different kinds, {networks}, at two layers each; the last column but one says how many
networks × layers, and which where fewer than three. Maps are compared raw and signed at the layer's own size where the
peer has them so, else after a ReLU. *correlation*: Pearson's, of the image and layer where it is least. *difference*:
the largest of any cell, each map scaled from 0 to 1. Correlations are cut, not rounded: 1 is within {unit:g} of it.

`pytest tests/parity` holds each to a bound.

"""
SAME = """## The same formula

| method | peer | correlation | difference | networks × layers | note |
|---|---|---|---|---|---|
"""
OTHER = """
## Another formula

The first two figures are our map against the peer's, the next two our map with the peer's deviation put in against the
peer's: where those agree, the deviation is all there is between the two.

| method | peer | correlation | difference | with it: correlation | difference | networks × layers | the peer |
|---|---|---|---|---|---|---|---|
"""
LONE = """
## No peer

None of the three has these; they are tested otherwise.

| method | tested by |
|---|---|
"""


def in_order(entries: tuple[Comparison, ...]) -> list[Comparison]:
    names = list(METHODS)
    return sorted(entries, key=lambda one: names.index(one.method.partition(":")[0]))


def figures(one: Comparison) -> str:
    """The two cells of a row."""
    found = list(differences(one))
    correlation, difference = min(each[1] for each in found), max(each[2] for each in found)
    return f"{shown(correlation)} | {f'{difference:.1e}' if difference else 0}"


UNIT = 1e-6


def shown(correlation: float) -> str:
    """Cut towards −1, so that only what is within UNIT of 1 reads 1."""
    return "1" if correlation > 1 - UNIT else f"{(correlation // UNIT) * UNIT:.6f}"


def extent(where: tuple[Place, ...]) -> str:
    """How many networks and layers; by name where there are fewer than three networks."""
    counts = Counter(place.name for place in where)
    layers = "–" if where[0].layer is None else "/".join(map(str, sorted(set(counts.values()))))
    return f"{len(counts) if len(counts) > 2 else ', '.join(counts)} × {layers}"


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |\n"


def page() -> str:
    versions = [f"{name} {version(name)}" for name in (*PEERS, *RUNS_ON)] + [f"Python {platform.python_version()}"]
    networks = ", ".join(dict.fromkeys(place.name for place in EVERY))
    text = HEAD.format(versions=", ".join(versions), networks=networks, unit=UNIT) + SAME
    for one in in_order(COMPARISONS):
        text += row(f"`{one.method}`", one.peer, figures(one), extent(one.where), one.note)
    text += OTHER
    for one in in_order(DEVIATIONS):
        again = figures(replace(one, ours=one.again))
        text += row(f"`{one.method}`", one.peer, figures(one), again, extent(one.where), one.note)
    return text + LONE + "".join(row(f"`{name}`", how) for name, how in ALONE.items())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
