"""From a heatmap to boxes: the options."""

from __future__ import annotations

from dataclasses import dataclass

from cam_cli.errors import UsageError

from .option import BOXES, amount, option


@dataclass(frozen=True)
class BoxSpec:
    threshold: str = option(
        "0.2",
        "--threshold",
        panel=BOXES,
        metavar="T|otsu",
        help="What is above this fraction of the heatmap's maximum (0.2: the CAM paper's, 0.15: Grad-CAM's), or above "
        "Otsu's level.",
    )
    boxes: str = option(
        "largest",
        "--boxes",
        panel=BOXES,
        metavar="largest|all|N",
        help="Of the connected parts above it: the largest, all, or the N of the highest score.",
    )
    min_area: str = option(
        "0", "--min-area", panel=BOXES, metavar="N|P%", help="Drop parts of fewer pixels, or of less of the picture."
    )
    crop: bool = option(False, "--crop", panel=BOXES, help="Write what lies in each box as a picture.")
    margin: str = option(
        "0",
        "--margin",
        panel=BOXES,
        metavar="N|P%",
        help="Around what --crop writes: pixels, or a share of the box's width and height.",
    )

    def __post_init__(self) -> None:
        """Raises UsageError for a value that none of these understands."""
        _ = self.fraction, self.most, self.least(0), self.around(0)

    @property
    def fraction(self) -> float | None:
        """Of the maximum, 0 to below 1; None for Otsu's level."""
        if self.threshold == "otsu":
            return None
        try:
            found = float(self.threshold)
        except ValueError:
            found = -1.0
        if not 0 <= found < 1:
            raise UsageError(f"--threshold takes a fraction from 0 to below 1, or otsu, not {self.threshold!r}")
        return found

    @property
    def most(self) -> int | None:
        """How many boxes of one map; None for all."""
        if self.boxes == "all":
            return None
        if self.boxes != "largest" and not (self.boxes.isdecimal() and int(self.boxes) > 0):
            raise UsageError(f"--boxes takes largest, all or a positive number, not {self.boxes!r}")
        return 1 if self.boxes == "largest" else int(self.boxes)

    def least(self, pixels: int) -> float:
        """The fewest pixels that make a box in a picture of so many."""
        return amount("--min-area", self.min_area, pixels)

    def around(self, side: float) -> float:
        """The margin of a crop beside a box's side of so many pixels."""
        return amount("--margin", self.margin, side)
