"""What wsolevaluation does with a map, written out step by step from its description: slow, one threshold at a time."""

from __future__ import annotations

import cv2
import numpy as np

THRESHOLDS = list(np.arange(0, 1, 0.001))


def score_map(raw: np.ndarray, side: int = 224) -> np.ndarray:
    """Bicubic, then from 0 to 1; a flat one and one with NaN are zeros."""
    grown = cv2.resize(raw.astype(np.float64), (side, side), interpolation=cv2.INTER_CUBIC)
    if np.isnan(grown).any() or grown.min() == grown.max():
        return np.zeros_like(grown)
    grown = grown - grown.min()
    return grown / grown.max()


def boxes_at(scores: np.ndarray, threshold: float, several: bool) -> list[tuple[int, int, int, int]]:
    """Of the contours above a threshold: of all, or of the one with the most area."""
    height, width = scores.shape
    grey = (scores * 255).astype(np.uint8)
    _, mask = cv2.threshold(grey, int(threshold * grey.max()), 255, cv2.THRESH_BINARY)
    found = cv2.findContours(mask, cv2.RETR_TREE, cv2.CHAIN_APPROX_SIMPLE)[0]
    if len(found) == 0:
        return [(0, 0, 0, 0)]
    if not several:
        areas = [cv2.contourArea(contour) for contour in found]
        found = [found[areas.index(max(areas))]]
    frames = [cv2.boundingRect(contour) for contour in found]
    return [(x, y, min(x + w, width - 1), min(y + h, height - 1)) for x, y, w, h in frames]


def iou(box, other) -> float:
    """Of whole pixels, both ends included."""
    across = max(0, min(box[2], other[2]) - max(box[0], other[0]) + 1)
    down = max(0, min(box[3], other[3]) - max(box[1], other[1]) + 1)
    sizes = [(one[2] - one[0] + 1) * (one[3] - one[1] + 1) for one in (box, other)]
    union = sum(sizes) - across * down
    return across * down / union if union > 0 else 0.0


def in_frame(box, size, frame) -> tuple[int, ...]:
    """A box of whole pixels, both ends included, in a picture of another size (width, height)."""
    return tuple(int(float(edge) * float(frame[i % 2]) / float(size[i % 2])) for i, edge in enumerate(box))


def right(raw: np.ndarray, boxes, size, deltas, several: bool) -> dict[int, list[bool]]:
    """At each threshold, by delta in percent. boxes: first and last pixels, whole numbers."""
    scores, truth = score_map(raw), [in_frame(box, size, (224, 224)) for box in boxes]
    found = [boxes_at(scores, threshold, several) for threshold in THRESHOLDS]
    fits = [max(iou(one, other) for one in some for other in truth) for some in found]
    return {delta: [fit >= delta / 100 for fit in fits] for delta in deltas}


def pixel_ap(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
    """Of score maps with masks of the same size: 1 inside, 0 outside, 255 ignored."""
    edges = [*THRESHOLDS, 1.0, 2.0, 3.0]
    true, false = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    for scores, mask in pairs:
        true += np.histogram(scores[mask == 1], bins=edges)[0].astype(float)
        false += np.histogram(scores[mask == 0], bins=edges)[0].astype(float)
    above, others = np.cumsum(true[::-1]), np.cumsum(false[::-1])
    every = above + others
    recall = above / true.sum()
    steps = [above[i] / every[i] * (recall[i] - recall[i - 1]) for i in range(1, len(above)) if every[i] != 0]
    return float(np.array(steps).sum())
