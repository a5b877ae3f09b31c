"""Everything about one image, side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cam_cli.maps import window
from cam_cli.render.overlay import overlay
from cam_cli.render.panel import panel, tile
from cam_cli.types import ClassMap, Explanation

from .encode import encode
from .kind import Drawn, Sheet, asserted


class Panel(Sheet[np.ndarray]):
    """The picture, then a column a method and layer, a row a class; captions above. Where the truth is known they say
    which class is predicted, which is true, and whether that is right."""

    infix = "panel"

    def part(self, explanation: Explanation, drawn: Drawn) -> np.ndarray:
        assert explanation.pixels is not None
        seen, palette = window(explanation.geometry), self.style.colours_of(drawn.heatmap)
        picture = overlay(explanation.pixels, drawn.heatmap.heat, palette, self.style.alpha, seen)
        what = role(explanation, drawn.map) + drawn.caption
        return tile(picture, "  ·  ".join([what, *drawn.flags, drawn.column]))

    def join(self, explanation: Explanation, parts: Sequence[np.ndarray]) -> bytes:
        """A map that was asked for in two ways, as the best class and as the true one, is shown once."""
        assert explanation.pixels is not None
        picture = tile(explanation.pixels, "  ·  ".join(verdict(explanation)))
        rows: dict[Any, dict[Any, np.ndarray]] = {}
        for one, part in zip(explanation.maps, parts, strict=True):
            row = rows.setdefault((one.target, one.sign, one.against), {})
            row.setdefault((one.method, one.layers), part)
        return encode(panel([[picture, *row.values()] for row in rows.values()]), self.style.format)


def verdict(explanation: Explanation) -> list[str]:
    """The picture's caption: what the model says; where the truth is known, that first, and whether it is right."""
    name = "  ·  ".join(filter(None, [explanation.item.id, explanation.item.model]))
    best, truth = asserted(explanation.predictions[0]), explanation.truth
    if truth is None or explanation.correct is None:
        return [name, best]
    return [f"right: {best}" if explanation.correct else f"wrong: {best}, true: {asserted(truth)}", name]


def role(explanation: Explanation, one: ClassMap) -> str:
    """Which class a map explains, `predicted: `, `true: ` or both, where the truth is known; else nothing."""
    if explanation.truth is None or one.sign < 0:
        return ""
    known = {"predicted": explanation.predictions[0], "true": explanation.truth}
    roles = [word for word, its in known.items() if its.index == one.target.index]
    return f"{', '.join(roles)}: " if roles else ""
