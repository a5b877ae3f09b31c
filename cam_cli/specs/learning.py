"""How a head, and with it a trunk, learns."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from cam_cli.errors import UsageError

from .option import LEARNING, option


@dataclass(frozen=True)
class LearningSpec:
    freeze: bool = option(
        True,
        "--freeze/--finetune",
        panel=LEARNING,
        help="The trunk stays as it is and its features are kept on disk; or it learns too, slower than the head.",
    )
    epochs: int = option(30, "--epochs", panel=LEARNING, minimum=1, metavar="N", help="At most.")
    patience: int = option(
        10,
        "--patience",
        panel=LEARNING,
        minimum=0,
        metavar="N",
        help="Stop after N epochs without a better one or a lower loss; 0: never.",
    )
    batch: int | None = option(
        None,
        "--batch-size",
        panel=LEARNING,
        minimum=1,
        metavar="N",
        help="Images a step. [default: 32, 16 with --finetune]",
    )
    rate: float = option(3e-3, "--lr", panel=LEARNING, metavar="X", help="Learning rate of the head, at its highest.")
    trunk_rate: float = option(
        0.1,
        "--trunk-lr",
        panel=LEARNING,
        minimum=0.0,
        metavar="X",
        help="With --finetune: of the trunk's last stage, as a part of --lr; each stage before it half as much.",
    )
    decay: float = option(
        1e-4, "--weight-decay", panel=LEARNING, minimum=0.0, metavar="X", help="Of weights, not biases."
    )
    views: int = option(
        6,
        "--views",
        panel=LEARNING,
        minimum=1,
        maximum=100,
        metavar="N",
        help="With --freeze: changed copies of each image, the first unchanged; 1 for none.",
    )
    scales: str = option(
        "0.7:1.4", "--scales", panel=LEARNING, metavar="LO:HI", help="Copies are resized by a random factor in here."
    )
    flip: bool = option(True, "--flip/--no-flip", panel=LEARNING, help="Half of the copies are mirrored.")
    crop: float = option(
        0.85,
        "--crop",
        panel=LEARNING,
        minimum=0.1,
        maximum=1.0,
        metavar="P",
        help="Copies show a random window of at least this part of each side; 1 for all of it.",
    )

    def __post_init__(self) -> None:
        if not (self.rate > 0 and isfinite(self.rate)):
            raise UsageError(f"--lr takes a number above 0, not {self.rate:g}")
        _ = self.factors

    @property
    def batch_size(self) -> int:
        return self.batch or (32 if self.freeze else 16)

    @property
    def factors(self) -> tuple[float, float]:
        """The values of --scales. Raises UsageError."""
        low, colon, high = self.scales.partition(":")
        try:
            found = float(low), float(high if colon else low)
        except ValueError:
            found = 0.0, 0.0
        if not 0.1 <= found[0] <= found[1] <= 10:
            raise UsageError(f"--scales takes LO:HI with 0.1 ≤ LO ≤ HI ≤ 10, not {self.scales!r}")
        return found
