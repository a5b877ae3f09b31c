"""What is drawn of the boxes that maps found."""

from collections.abc import Sequence
from itertools import cycle

from cam_cli.render.boxes import PALETTE, Mark

from .kind import Drawn


def marks(maps: Sequence[Drawn]) -> list[Mark]:
    """A mark a map: a colour for each class, class negated and class held against another, in the order in which they
    come; labels name the method and layers where there are several."""
    questions = [(one.map.target.index, one.map.sign, one.map.against) for one in maps]
    colours = dict(zip(dict.fromkeys(questions), cycle(PALETTE)))
    several = len({one.column for one in maps}) > 1
    found = []
    for one, question in zip(maps, questions, strict=True):
        boxes = one.regions.boxes if one.regions else ()
        where = f"  ·  {one.column}" if several else ""
        labels = [one.titled(f"{box.score:.2f}") + where for box in boxes]
        found.append(Mark([box.xyxy for box in boxes], labels, one.heatmap.peak, colours[question]))
    return found
