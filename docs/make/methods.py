"""Writes docs/methods.md from the registry: `python docs/make/methods.py`. A test holds the page against it."""

import re
from pathlib import Path

from cam_cli.methods import METHODS
from cam_cli.methods.method import Needs, Summed

PAGE = Path(__file__).parents[1] / "methods.md"
HEAD = """# Methods

What `--method` takes. Written by `docs/make/methods.py`; each method's file in `cam_cli/methods` holds its
formula, its symbols, and where the paper and popular implementations differ.

*reads*: what of one layer a method is given; those that read none work on the picture. *eigen*: whether it takes
`--smooth eigen`. `--tta` works for all.

| method | what it shows | reads | eigen | source |
|---|---|---|---|---|
"""


def page() -> str:
    return HEAD + "".join(row(name) for name in METHODS)


def row(name: str) -> str:
    kind = METHODS.load(name)
    what = METHODS[name].summary
    eigen = "yes" if issubclass(kind, Summed) else ""
    return f"| `{name}` | {what} | {reads(kind.needs)} | {eigen} | {source(kind.__doc__)} |\n"


def reads(needs: Needs) -> str:
    names = {Needs.ACTIVATIONS: "activations", Needs.GRADIENTS: "gradients", Needs.HEAD: "the head"}
    return ", ".join(name for need, name in names.items() if need in needs) or "no layer"


def source(text: str) -> str:
    """The first paper that a docstring names, as a link."""
    if found := re.search(r"arXiv:(\d{4}\.\d{4,5})", text):
        return f"[arXiv:{found[1]}](https://arxiv.org/abs/{found[1]})"
    found = re.search(r"doi:(10\.\d{4}/\S+?)[,.;)]*(\s|$)", text)
    return f"[doi:{found[1]}](https://doi.org/{found[1]})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
