"""Pictures to learn from, made by the tests: shapes on textured backgrounds, with labels, and boxes to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SHAPES = ("disc", "triangle", "cross", "ring")


def texture(draw: np.random.Generator, side: int) -> np.ndarray:
    """A background: noise of two grains and a slope, in colours of its own; uint8 (side, side, 3)."""
    coarse = cv2.resize(draw.normal(0, 30, (6, 6, 3)), (side, side), interpolation=cv2.INTER_CUBIC)
    slope = np.linspace(-25, 25, side)[:, None, None] * draw.normal(size=3)
    found = draw.uniform(70, 180, 3) + coarse + slope + draw.normal(0, 12, (side, side, 3))
    return np.clip(found, 0, 255).astype(np.uint8)


def shape(canvas: np.ndarray, kind: str, centre: tuple[int, int], radius: int, colour: Sequence[int]) -> None:
    x, y = centre
    if kind == "disc":
        cv2.circle(canvas, centre, radius, colour, cv2.FILLED, cv2.LINE_AA)
    elif kind == "ring":
        cv2.circle(canvas, centre, radius - radius // 5, colour, max(2, radius // 3), cv2.LINE_AA)
    elif kind == "triangle":
        corners = np.array([[x, y - radius], [x - radius, y + radius], [x + radius, y + radius]])
        cv2.fillPoly(canvas, [corners], colour, cv2.LINE_AA)
    else:
        arm = max(2, radius // 4)
        cv2.rectangle(canvas, (x - arm, y - radius), (x + arm, y + radius), colour, cv2.FILLED)
        cv2.rectangle(canvas, (x - radius, y - arm), (x + radius, y + arm), colour, cv2.FILLED)


def scene(number: int, side: int) -> tuple[np.ndarray, dict[str, tuple[int, int, int, int]]]:
    """The picture of that number, uint8 (side, side, 3), and the half-open boxes of its shapes by kind; one or two
    shapes, of any colour, that do not overlap."""
    draw = np.random.default_rng(number)
    canvas, boxes = texture(draw, side), {}
    for kind in draw.permutation(SHAPES)[: draw.integers(1, 3)]:
        for _ in range(50):
            radius = int(draw.integers(side // 9, side // 5))
            x, y = (int(draw.integers(radius + 1, side - radius - 1)) for _ in range(2))
            box = x - radius, y - radius, x + radius + 1, y + radius + 1
            if all(apart(box, other) for other in boxes.values()):
                colour = [int(part) for part in draw.choice([0, 255], 3)]
                shape(canvas, str(kind), (x, y), radius, colour)
                boxes[str(kind)] = box
                break
    return canvas, boxes


def apart(one: Sequence[int], other: Sequence[int]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def write_scenes(folder: Path, numbers: Sequence[int], side: int, table: str) -> list[Path]:
    """Scenes as JPEGs in `folder`, and a table of them beside: path, labels, boxes, size. Returns the pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    rows, paths = ["path,labels,boxes,width,height"], []
    for number in numbers:
        picture, boxes = scene(number, side)
        path = folder / f"{number:04}.jpg"
        cv2.imwrite(str(path), picture)
        paths.append(path)
        drawn = ";".join(f"{kind} {' '.join(map(str, box))}" for kind, box in boxes.items())
        rows.append(f"{path.name},{';'.join(boxes)},{drawn},{side},{side}")
    (folder / table).write_text("\n".join(rows) + "\n")
    return paths


COLOURS = {"red": (40, 40, 230), "green": (40, 200, 40), "blue": (220, 60, 40)}  # BGR


def patches(number: int, side: int = 32) -> tuple[np.ndarray, tuple[str, ...]]:
    """A small grey picture with a patch of one or two colours, and what they are called: for networks of a few weights.
    Every sixth has none."""
    draw = np.random.default_rng(number)
    canvas = np.clip(draw.normal(110, 20, (side, side, 3)), 0, 255).astype(np.uint8)
    names = [] if number % 6 == 5 else [*draw.permutation(list(COLOURS))[: 1 + number % 2]]
    for place, name in enumerate(names):
        x, y = int(draw.integers(0, side // 2)), int(draw.integers(0, side // 4)) + place * side // 2
        canvas[y : y + side // 4, x : x + side // 3] = COLOURS[str(name)]
    return canvas, tuple(map(str, names))


def write_patches(folder: Path, numbers: Sequence[int], only_one: bool = False) -> dict[str, tuple[str, ...]]:
    """Those pictures as `NNN.png` in a folder: labels by name. only_one: none but those of one colour."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for number in numbers:
        picture, names = patches(number)
        if only_one and len(names) != 1:
            continue
        found[f"{number:03}.png"] = names
        cv2.imwrite(str(folder / f"{number:03}.png"), picture)
    return found
