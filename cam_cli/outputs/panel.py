"""Everything about one image, side by side."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cam_cli.maps import window
from cam_cli.render.overlay import overlay
from cam_cli.render.panel import panel, tile
from cam_cli.types import Explanation, Prediction

from .encode import encode
from .kind import Drawn, Sheet, asserted


class Panel(Sheet):
    """The picture, then a column a method and layer, a row a class; captions above. Where the truth is known they say
    which class is predicted, which is true, and whether that is right."""

    infix = "panel"

    def part(self, explanation: Explanation, drawn: Drawn) -> np.ndarray:
        assert explanation.pixels is not None
        seen, palette = window(explanation.geometry), self.style.colours_of(drawn.heatmap)
        picture = overlay(explanation.pixels, drawn.heatmap.heat, palette, self.style.alpha, seen)
        what = role(explanation, drawn.map.target) + drawn.caption
        return tile(
            picture, "  ·  ".join([what, *drawn.heatmap.flags, f"{drawn.map.method} at {'+'.join(drawn.map.layers)}"])
        )

    def join(self, explanation: Explanation, parts: Sequence[np.ndarray]) -> bytes:
        """A map that was asked for in two ways, as the best class and as the true one, is shown once."""
        assert explanation.pixels is not None
        words = [explanation.item.id, asserted(explanation.predictions[0])]
        if explanation.truth and explanation.correct is not None:
            words.append("right" if explanation.correct else f"wrong, true: {asserted(explanation.truth)}")
        picture = tile(explanation.pixels, "  ·  ".join(words))
        rows: dict[Any, dict[Any, np.ndarray]] = {}
        for one, part in zip(explanation.maps, parts, strict=True):
            row = rows.setdefault((one.target, one.sign, one.against), {})
            row.setdefault((one.method, one.layers), part)
        return encode(panel([[picture, *row.values()] for row in rows.values()]), self.style.format)


def role(explanation: Explanation, target: Prediction) -> str:
    """`predicted: `, `true: ` or both, of a class where the truth is known; else nothing."""
    if not explanation.truth:
        return ""
    known = {"predicted": explanation.predictions[0], "true": explanation.truth}
    roles = [word for word, one in known.items() if one.index == target.index]
    return f"{' and '.join(roles)}: " if roles else ""
