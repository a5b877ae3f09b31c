"""Maps that know nothing of the picture: what every score has to beat. Put them in `Found.maps`, and score those."""

from __future__ import annotations

import numpy as np

from cam_cli.types import Geometry

Array = np.ndarray
FINE, COARSE = 32, 7  # cells a side
SIGMA = 0.5


def centre(geometry: Geometry) -> Array:
    """M(x, y) = exp(−(x² + y²) / 2σ²),   σ = 0.5

    x, y: from the centre of the part of the picture that the model saw, in halves of its sides; on 32×32 cells of the
    model's input. float32 (32, 32). Its box is centred, whatever the threshold, and its point is the centre: the
    Gaussian of Choe et al., CVPR 2020 (arXiv:2001.07437), whose σ only a fixed threshold can tell.
    """
    x0, y0, x1, y1 = geometry.seen
    low, high = np.array(geometry.to_input(x0, y0)), np.array(geometry.to_input(x1, y1))
    sides = np.array([geometry.input_width, geometry.input_height])
    cells = (np.arange(FINE)[:, None] + 0.5) * sides / FINE
    across, down = ((cells - (low + high) / 2) / ((high - low) / 2)).T
    return np.asarray(np.exp(-(down[:, None] ** 2 + across**2) / (2 * SIGMA**2)), np.float32)


def random(seed: int) -> Array:
    """Uniform noise in [0, 1) on a grid as coarse as most networks': float32 (7, 7). seed: of the image."""
    return np.random.default_rng(seed).random((COARSE, COARSE), np.float32)
