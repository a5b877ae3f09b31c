"""Writes docs/metrics.md from the registry: `python docs/make/metrics.py`. A test holds the page against it."""

import inspect
from pathlib import Path

from cam_cli.metrics import METRICS
from cam_cli.metrics.listing import described
from cam_cli.specs.protocols import PROTOCOLS, Protocol

PAGE = Path(__file__).parents[1] / "metrics.md"
HEAD = """# Metrics

What `camtool evaluate` computes: the values of `--metrics`, and of the gates. Written by `docs/make/metrics.py`; the
definitions below are those of the code, in `cam_cli/metrics`.

*better*: which way. *asks*: forward passes about one map, beyond the one that made it. Every number comes with the
interval that holds 95 % of the bootstrap's resamples of the images, with how many images (or image and class pairs) it
is over, and, where a map plays a part, with the same number of a centred and of a random map.

| metric | group | better | needs | asks | what it is |
|---|---|---|---|---|---|
"""
PROTOCOLS_HEAD = """
## Protocols

`--protocol NAME` sets what a publication fixes; an option given besides it is listed as `modified` in the report.

| protocol | source | methods | fit | size | threshold | metrics |
|---|---|---|---|---|---|---|
"""


def page() -> str:
    kinds = dict.fromkeys(METRICS.load(name) for name in METRICS)
    definitions = "".join(definition(kind) for kind in kinds)
    protocols = "".join(protocol(name, one) for name, one in PROTOCOLS.items())
    return HEAD + "".join(map(row, METRICS)) + PROTOCOLS_HEAD + protocols + "\n## Definitions\n" + definitions


def row(name: str) -> str:
    told = described(name)
    cells = [told[key] or "" for key in ("group", "better", "needs", "passes", "what")]
    return f"| `{name}` | {' | '.join(map(str, cells))} |\n"


def protocol(name: str, one: Protocol) -> str:
    methods, metrics = (", ".join(names) or "the default" for names in (one.methods, one.metrics))
    return f"| `{name}` | {one.source} | {methods} | {one.fit} | {one.size or ''} | {one.threshold} | {metrics} |\n"


def definition(kind: type) -> str:
    """The docstring as it stands, and that of what it is a case of, if that is no mere base."""
    above = [one for one in kind.__mro__[1:] if one.__module__ == kind.__module__ and one.__doc__]
    texts = [inspect.cleandoc(one.__doc__) for one in (kind, *above)]
    return f"\n### {', '.join(kind.names)}\n\n```\n" + "\n\n".join(texts) + "\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
