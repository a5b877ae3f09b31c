"""The pixels of a class in an image: from mask pictures, or from segmentations."""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np

from cam_cli.errors import DatasetUnreadable, ImageUnreadable
from cam_cli.images.decode import TURNS
from cam_cli.images.header import read_header
from cam_cli.images.intact import intact
from cam_cli.types import Region, Truth

from .segmentation import MOST, draw

Array = np.ndarray
INSIDE, OUTSIDE, IGNORED = 1, 0, 255


def read_mask(truth: Truth, label: str, width: int | None = None, height: int | None = None) -> Array:
    """uint8 (H, W): 1 where the image shows `label`, 255 where nobody says (`ignored` regions), 0 elsewhere.

    As wsolevaluation's `get_mask`: what any region of the label covers is inside, whatever else covers it; what an
    ignored region covers and none of the label's is ignored. Regions of other labels say nothing.

    width, height: of the mask wanted; each region is resized to it before they are joined, by OpenCV's INTER_NEAREST
    (so with 224, 224 the result is `get_mask`'s). Without: the size of the label's first region, which the others,
    where they differ, are brought to.
    Raises DatasetUnreadable for what cannot be read or drawn, LookupError where no region is of this label.
    """
    own = [one for one in truth.regions if one.label == label and not one.ignored]
    if not own:
        raise LookupError(f"{truth.item.id} has no region of {label!r}")
    first = pixels(own[0], truth)
    size = (width, height) if width and height else (first.shape[1], first.shape[0])
    inside = union([resized(first, size), *(resized(pixels(one, truth), size) for one in own[1:])])
    mask = inside.astype(np.uint8)
    ignored = [resized(pixels(one, truth), size) for one in truth.regions if one.ignored]
    if ignored:
        mask[union(ignored) & ~inside] = IGNORED
    return mask


def union(masks: Iterable[Array]) -> Array:
    return np.asarray(np.logical_or.reduce(list(masks)))


def pixels(region: Region, truth: Truth) -> Array:
    """bool (H, W) of one region, at its own size, as the upright original lies. Raises DatasetUnreadable."""
    if isinstance(region.source, str):
        inside = picture(region.source)
    else:
        size = region.size or truth.size
        if size is None:
            raise DatasetUnreadable(f"{truth.item.id}: a segmentation of {region.label!r} without the size it is in")
        try:
            inside = draw(region.source, size)
        except DatasetUnreadable as error:
            raise DatasetUnreadable(f"{truth.item.id}, segmentation of {region.label!r}: {error.message}") from error
    turn = TURNS.get(region.orientation)
    return inside if turn is None else turn(inside.astype(np.uint8)) > 0


def resized(inside: Array, size: tuple[int, int]) -> Array:
    """bool (H, W) at another size (width, height)."""
    if inside.shape == size[::-1]:
        return inside
    return np.asarray(cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)


def picture(file: str) -> Array:
    """bool (H, W): where a mask picture is not black, as stored: EXIF is not applied, transparency not looked at.

    Every depth, and palettes by their colours. Raises DatasetUnreadable.
    """
    try:
        with open(file, "rb") as stream:
            data = stream.read()
        header = read_header(data)
        if header.width * header.height > MOST:
            raise DatasetUnreadable(f"{file}: a mask of {header.width} x {header.height} pixels; the most is {MOST:,}")
        stored = cv2.imdecode(np.frombuffer(intact(data, header.format), np.uint8), cv2.IMREAD_UNCHANGED)
    except (OSError, ValueError) as error:
        raise DatasetUnreadable(f"{file}: no mask picture ({getattr(error, 'strerror', None) or error})") from error
    except (ImageUnreadable, cv2.error) as error:
        raise DatasetUnreadable(f"{file}: no mask picture ({error}); fetch or export it again") from error
    if stored is None:
        raise DatasetUnreadable(f"{file}: a mask picture that OpenCV cannot decode; fetch or export it again")
    channels = stored.reshape(*stored.shape[:2], -1)
    coloured = channels[..., : {2: 1, 4: 3}.get(channels.shape[2], channels.shape[2])]
    return np.asarray((coloured != 0).any(axis=2))
