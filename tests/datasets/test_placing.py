"""Annotations on the upright picture, checked on painted pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from cam_cli.datasets.corners import CLIPPED, OUTSIDE
from cam_cli.datasets.masks import read_mask
from cam_cli.datasets.placing import SCALED, TURNED, place, turn_box
from cam_cli.images.decode import TURNS, decode
from cam_cli.types import ImageItem, Object, Region, Truth

BOX = 1, 2, 9, 5  # near the top left corner of a stored picture of 40 x 30
STORED = 40, 30


def truth(size, *boxes, regions=(), difficult=False):
    objects = tuple(Object("dog", box, difficult) for box in boxes)
    return Truth(ImageItem("a.jpg", "a.jpg", "a"), ("dog",), objects, size=size, regions=regions)


def placed(size, picture, box=BOX, orientation=1):
    found = place(truth(size, box), *picture, orientation)
    return found.truth.objects[0].xyxy if found.truth.objects else None, found.notes


def painted(orientation: int) -> tuple[float, ...]:
    """Where BOX lies once a stored picture is turned, found in the pixels."""
    stored = np.zeros(STORED[::-1], np.uint8)
    stored[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    upright = TURNS.get(orientation, lambda values: values)(stored)
    ys, xs = np.nonzero(upright)
    return xs.min(), ys.min(), xs.max() + 1, ys.max() + 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_boxes_turn_as_pixels_do(orientation):
    assert turn_box(BOX, STORED, orientation) == painted(orientation)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_an_annotation_of_the_stored_picture_is_turned_with_it(orientation):
    assert placed(STORED, STORED[::-1], orientation=orientation) == (painted(orientation), (TURNED,))


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_the_same_on_a_file_with_exif(orientation):
    stored = np.zeros((30, 40, 3), np.uint8)
    stored[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 255
    exif = Image.Exif()
    exif[274] = orientation
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "PNG", exif=exif)
    found = decode(ImageItem("a", "-", "a", data=buffer.getvalue()), 10**6)
    height, width = found.values.shape[:2]
    (x0, y0, x1, y1), _ = placed(STORED, (width, height), orientation=found.orientation)
    inside = np.zeros((height, width), bool)
    inside[int(y0) : int(y1), int(x0) : int(x1)] = True
    np.testing.assert_array_equal(found.values[..., 0] > 0, inside)


@pytest.mark.parametrize("orientation", [1, 2, 3, 4])
def test_of_the_same_size_it_stays_whatever_the_orientation(orientation):
    """Whether one of 2 to 4 was drawn on the stored picture cannot be told."""
    assert placed(STORED, STORED, orientation=orientation) == (BOX, ())


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_drawn_on_the_upright_picture_it_stays(orientation):
    assert placed((30, 40), (30, 40), orientation=orientation) == (BOX, ())
    assert placed((30, 30), (30, 30), orientation=orientation) == (BOX, ())  # cannot be told


def test_another_size_is_scaled_by_axis():
    assert placed((20, 10), (40, 30)) == ((2, 6, 18, 15), (SCALED,))
    assert placed((80, 60), (40, 30)) == ((0.5, 1, 4.5, 2.5), (SCALED,))


def test_sides_swapped_without_a_turning_orientation_are_another_size():
    assert placed((30, 40), (40, 30), (0, 0, 15, 20)) == ((0, 0, 20, 15), (SCALED,))


def test_turned_and_of_another_size():
    """A smaller copy of the stored picture was annotated."""
    found, notes = placed((20, 15), (30, 40), (0.5, 1, 4.5, 2.5), orientation=6)
    assert (found, notes) == (painted(6), (TURNED, SCALED))


def test_without_a_size_it_is_the_pictures_own():
    found = place(truth(None, BOX, (0, 0, 99, 9), (50, 0, 60, 9)), *STORED, 6)
    assert [one.xyxy for one in found.truth.objects] == [BOX, (0, 0, 40, 9)]
    assert found.truth.size == STORED
    assert found.notes == (CLIPPED, OUTSIDE)


def test_the_rest_of_the_truth_stays():
    before = truth(STORED, BOX, difficult=True)
    after = place(before, 80, 60).truth
    assert (after.labels, after.item, after.size) == (("dog",), before.item, (80, 60))
    assert after.objects == (Object("dog", (2, 4, 18, 10), True),)
    none = Truth(before.item, ("dog",))
    assert place(none, 4, 3).truth == Truth(before.item, ("dog",), size=(4, 3))
    assert place(truth(STORED), 4, 3).truth.objects == ()


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_masks_turn_with_the_boxes(orientation):
    """A segmentation of the stored picture, drawn on the upright one."""
    x0, y0, x1, y1 = BOX
    region = Region("dog", [[x0, y0, x1, y0, x1, y1, x0, y1]], STORED)
    found = place(truth(STORED, BOX, regions=(region,)), 30, 40, orientation).truth
    mask = read_mask(found, "dog")
    assert mask.shape == (40, 30)
    inside = np.zeros((40, 30), np.uint8)
    x0, y0, x1, y1 = map(int, found.objects[0].xyxy)
    inside[y0:y1, x0:x1] = 1
    np.testing.assert_array_equal(mask, inside)
