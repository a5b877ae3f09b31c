"""Features with no common part and of unit size, for a head to learn from.

LeCun, Bottou, Orr and Müller 1998 ("Efficient BackProp", section 4.3): inputs that are all of one sign, as after a
ReLU, move all weights of a unit together, so they are best shifted to a mean of zero and scaled. All channels are
scaled alike, unlike there: one that seldom speaks would be made loud by its own spread.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from cam_cli.models.weak import Centred

NOTHING = 1e-9  # of the mean square: a variance that rounding leaves


def centred(grids: Iterable[Tensor], channels: int) -> Centred:
    """From grids (b, c, u, v). Its mean: of each channel, 0 without grids; its spread: the root of the mean of the
    channels' variances, 1 where nothing varies. On the CPU."""
    cells, total, squares = 0, *torch.zeros(2, channels, dtype=torch.double)
    for grid in grids:
        values = grid.float().cpu().double()
        cells += len(values) * values[0, 0].numel()
        total += values.sum((0, 2, 3))
        squares += values.square().sum((0, 2, 3))
    mean, power = total / max(cells, 1), squares.mean() / max(cells, 1)
    variance = power - mean.square().mean()
    spread = torch.where(variance > NOTHING * power, variance, 1.0).sqrt()
    return Centred(mean.float()[:, None, None], spread.float())
