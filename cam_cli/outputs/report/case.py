"""One image of one run, for the page's gallery."""

from dataclasses import dataclass

Xyxy = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Case:
    """What the page shows of it; texts as the dataset and the model have them.

    score: intersection over union of the found box with the best true one, in [0, 1]; None where there is none.
    right: by the run's own rule; None where nobody can say. flags: of `IMAGE_FLAGS` and `MAP_FLAGS`.
    width, height: the upright original, pixels; truth, found: boxes in it, half-open x0, y0, x1, y1.
    photograph, overlay: the thumbnails of `thumbnail.thumbnails`, or other JPEG, PNG or WebP of its proportions; an
    empty overlay where there is no map.
    """

    run: str
    id: str
    label: str
    predicted: tuple[str, ...]
    score: float | None
    right: bool | None
    flags: tuple[str, ...]
    width: int
    height: int
    truth: tuple[Xyxy, ...]
    found: tuple[Xyxy, ...]
    photograph: bytes
    overlay: bytes
