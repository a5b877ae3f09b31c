"""A folder of photographs to time: parts of the sample pictures, as JPEG of 500×375."""

from pathlib import Path

import cv2
import numpy as np

SAMPLES = Path(__file__).resolve().parents[2] / "sample_images"
WIDTH, HEIGHT = 500, 375


def make_photographs(folder: Path, count: int) -> list[Path]:
    """No two the same; seeded."""
    rng = np.random.default_rng(0)
    sources = [cv2.imread(str(path)) for path in sorted(SAMPLES.iterdir()) if path.suffix in (".png", ".jpg")]
    folder.mkdir(parents=True, exist_ok=True)
    return [write(folder / f"{number:05d}.jpg", sources[number % len(sources)], rng) for number in range(count)]


def write(path: Path, source: np.ndarray, rng: np.random.Generator) -> Path:
    height, width = (int(side * share) for side, share in zip(source.shape, rng.uniform(0.6, 1, 2), strict=False))
    y, x = rng.integers(0, source.shape[0] - height + 1), rng.integers(0, source.shape[1] - width + 1)
    part = cv2.resize(source[y : y + height, x : x + width], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), part, [cv2.IMWRITE_JPEG_QUALITY, 92])
    return path
