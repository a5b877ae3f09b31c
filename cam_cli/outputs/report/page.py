"""`report.html`: one page that needs nothing else, no network and no server."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from cam_cli.outputs.record import json_bytes

from .case import Case
from .embedded import embedded

PARTS = Path(__file__).with_name("web")
SCRIPTS = (
    "data", "dom", "runs", "table", "whisker", "columns", "gates", "numbers", "chart", "readout", "differences",
    "groups", "gallery", "filters", "dialog", "about", "page",
)  # fmt: skip
"""The page's script, in this order in one scope."""
STYLES = ("page", "table", "chart", "gallery", "dialog", "narrow", "print")
INERT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def page(report: dict[str, Any], cases: Sequence[Case] = ()) -> bytes:
    """The report with its cases as one HTML file, UTF-8. Without pictures it stays near 100 KB; what it leaves out of
    a large report it says.

    Names come from files and models and may be hostile: they are data in a JSON block that no `<` can end, the script
    makes text of them and nothing else, and the page's policy lets run only this script, show only embedded pictures,
    and fetch nothing.
    """
    style = "".join(part(f"{name}.css") for name in STYLES)
    script = f'(() => {{\n"use strict";\n{"".join(part(f"{name}.js") for name in SCRIPTS)}}})();\n'
    filled = {
        "policy": policy(style, script),
        "style": style,
        "script": script,
        "data": inert(embedded(report, cases)),
    }
    return b"".join(pieces(part("page.html"), filled))


def policy(style: str, script: str) -> str:
    """Content-Security-Policy: nothing but this style and script, by their hashes, and `data:` pictures."""
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in (style, script)]
    return (
        f"default-src 'none'; style-src {hashes[0]}; script-src {hashes[1]}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def inert(value: Any) -> str:
    """JSON that can stand in a script element: nothing in it is HTML, and no line separator is raw."""
    text = json_bytes(value).decode()
    for character, escape in INERT.items():
        text = text.replace(character, escape)
    return text


def part(name: str) -> str:
    return (PARTS / name).read_text(encoding="utf-8")


def pieces(template: str, filled: dict[str, str]) -> Iterable[bytes]:
    """The template with each `{name}` replaced once, in its order; what is put in is not looked at again."""
    for name in ("policy", "style", "data", "script"):
        before, template = template.split(f"{{{name}}}", 1)
        yield before.encode()
        yield filled[name].encode()
    yield template.encode()
