"""A part of the data drawn to choose by: seeded, every class in proportion, groups kept together. Torch-free."""

from __future__ import annotations

from random import Random

import numpy as np

from cam_cli.errors import UsageError

from .samples import Samples

LEARN, CHOOSE = 0, 1


def drawn(samples: Samples, part: float, seed: int) -> tuple[list[int], list[int]]:
    """The rows to learn from and those to choose by, each in the samples' order; about `part` of the images, and of
    those of every class, are of the latter.

    The greedy rule of Sechidis et al., ECML PKDD 2011 ("On the stratification of multi-label data"), with groups for
    images: while some are left, take the class of which fewest are left, and put each group that shows it on the side
    that lacks most of that class; if both lack the same, where most images are missing. What shows nothing comes last.
    Ours: the first group of a class always goes to what is learnt from.
    Raises UsageError where so few groups leave nothing to choose by.
    """
    rows: dict[str, list[int]] = {}
    for row, group in enumerate(samples.groups):
        rows.setdefault(group, []).append(row)
    names = list(rows)
    Random(seed).shuffle(names)
    sides = Sides(samples, rows, part)
    shown = {name: np.flatnonzero(sides.shows[name]) for name in names}
    of_class: list[list[str]] = [[] for _ in samples.classes]
    for name in names:
        for label in shown[name].tolist():
            of_class[label].append(name)
    left, counts = dict.fromkeys(names), samples.present.sum(0).astype(float)
    while counts.max(initial=0) > 0:
        label = int(np.where(counts > 0, counts, np.inf).argmin())
        for name in of_class[label]:
            if name in left:
                sides.put(name, sides.lacking_most(label) if sides.learnt[shown[name]].all() else LEARN)
                counts -= sides.shows[name]
                del left[name]
    for name in left:
        sides.put(name, int(sides.missing[CHOOSE] > sides.missing[LEARN]))
    if not sides.rows[CHOOSE]:
        raise UsageError(
            f"--val {part:g} of {len(samples)} images in {len(names)} groups is none; raise it, name other data with "
            "--val-data, or give --val 0 to choose by nothing"
        )
    return sorted(sides.rows[LEARN]), sorted(sides.rows[CHOOSE])


class Sides:
    """Both sides of a split while it is drawn. lacking: float (2, k), how many images of a class each is to get yet;
    missing: float (2,), how many in all. learnt: bool (k,), the classes that are learnt already."""

    def __init__(self, samples: Samples, groups: dict[str, list[int]], part: float):
        shares = np.array([1 - part, part])
        self.groups = groups
        self.shows = {name: samples.present[rows].sum(0) for name, rows in groups.items()}
        self.lacking = np.outer(shares, samples.present.sum(0)).astype(float)
        self.missing = shares * len(samples)
        self.learnt = np.zeros(len(samples.classes), bool)
        self.rows: tuple[list[int], list[int]] = ([], [])

    def lacking_most(self, label: int) -> int:
        learn, choose = self.lacking[:, label].round(6)
        if learn != choose:
            return int(choose > learn)
        return int(self.missing[CHOOSE] > 0)

    def put(self, name: str, side: int) -> None:
        self.rows[side].extend(self.groups[name])
        self.lacking[side] -= self.shows[name]
        self.missing[side] -= len(self.groups[name])
        if side == LEARN:
            self.learnt |= self.shows[name] > 0
