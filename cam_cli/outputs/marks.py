"""What is drawn of the boxes that maps found."""

from collections.abc import Sequence

from cam_cli.render.boxes import PALETTE, Mark

from .kind import Drawn


def marks(maps: Sequence[Drawn]) -> list[Mark]:
    """A mark a map: a colour a class, in the order in which classes come; labels name the method and layers where there
    are several."""
    classes = list(dict.fromkeys(one.map.target.index for one in maps))
    several = len({(one.map.method, one.map.layers) for one in maps}) > 1
    found = []
    for one in maps:
        boxes = one.regions.boxes if one.regions else ()
        how = f"  ·  {one.map.method} at {'+'.join(one.map.layers)}" if several else ""
        labels = [f"{one.map.target.name}  {box.score:.2f}{how}" for box in boxes]
        colour = PALETTE[classes.index(one.map.target.index) % len(PALETTE)]
        found.append(Mark([box.xyxy for box in boxes], labels, one.heatmap.peak, colour))
    return found
