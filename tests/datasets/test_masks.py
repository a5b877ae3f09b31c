"""Masks of a class, against wsolevaluation's rule written again."""

import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from cam_cli.datasets.masks import picture, read_mask
from cam_cli.errors import DatasetUnreadable
from cam_cli.types import ImageItem, Region, Truth

from .samples import picture as written

ITEM = ImageItem("a.jpg", "a.jpg", "a")


def truth(*regions: Region, size=None) -> Truth:
    return Truth(ITEM, ("dog",), regions=regions, size=size)


def blobs(seed: int, width: int, height: int) -> np.ndarray:
    """uint8 (height, width): 0 and 255 in patches."""
    noise = np.random.default_rng(seed).random((5, 6)).astype(np.float32)
    return (cv2.resize(noise, (width, height)) > 0.6).astype(np.uint8) * 255


def of_wsolevaluation(masks: list[str], ignore: str) -> np.ndarray:
    """`get_mask` of evaluation.py by its rule: grey, nearest to 224 x 224, above 0.5; any; ignored where none is."""

    def load(file: str) -> np.ndarray:
        grey = cv2.imread(file, cv2.IMREAD_GRAYSCALE).astype(np.float32)
        return cv2.resize(grey, (224, 224), interpolation=cv2.INTER_NEAREST) > 0.5

    foreground = np.any([load(file) for file in masks], axis=0)
    ignored = load(ignore) & ~foreground if ignore else np.zeros_like(foreground)
    return foreground.astype(np.uint8) + 255 * ignored.astype(np.uint8)


@pytest.mark.parametrize("ignore", [True, False])
@pytest.mark.parametrize("sizes", [[(300, 200)] * 3, [(300, 200), (301, 199), (64, 64)], [(224, 224)] * 3])
def test_as_wsolevaluation_reads_them(tmp_path, sizes, ignore):
    files = [str(written(tmp_path / f"{n}.png", blobs(n, *size))) for n, size in enumerate(sizes)]
    regions = [Region("dog", files[0]), Region("dog", files[1]), Region("dog", files[2], ignored=True)][: 2 + ignore]
    wanted = of_wsolevaluation(files[:2], files[2] if ignore else "")
    assert set(np.unique(wanted)) == ({0, 1, 255} if ignore else {0, 1})
    np.testing.assert_array_equal(read_mask(truth(*regions), "dog", 224, 224), wanted)


def test_without_a_size_it_is_as_stored(tmp_path):
    first, second = blobs(1, 60, 40), blobs(2, 60, 40)
    regions = [Region("dog", str(written(tmp_path / f"{n}.png", one))) for n, one in enumerate((first, second))]
    mask = read_mask(truth(*regions), "dog")
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, (first > 0) | (second > 0))
    smaller = Region("dog", str(written(tmp_path / "s.png", blobs(3, 30, 20))))
    assert read_mask(truth(regions[0], smaller), "dog").shape == (40, 60)
    assert read_mask(truth(smaller, regions[0]), "dog").shape == (20, 30)


def test_other_classes_say_nothing(tmp_path):
    files = [str(written(tmp_path / f"{n}.png", blobs(n, 60, 40))) for n in range(2)]
    both = truth(Region("dog", files[0]), Region("cat", files[1]))
    np.testing.assert_array_equal(read_mask(both, "dog"), blobs(0, 60, 40) > 0)
    with pytest.raises(LookupError, match=r"a\.jpg has no region of 'owl'"):
        read_mask(both, "owl")
    with pytest.raises(LookupError):
        read_mask(truth(Region("dog", files[0], ignored=True)), "dog")


def test_segmentations_join_with_pictures(tmp_path):
    stored = np.zeros((3, 4), np.uint8)
    stored[0, 0] = 1
    drawn = Region("dog", [[2, 0, 4, 0, 4, 3, 2, 3]], (4, 3))
    runs = Region("dog", {"size": [3, 4], "counts": [2, 1, 9]})
    found = read_mask(truth(Region("dog", str(written(tmp_path / "m.png", stored))), drawn, runs, size=(4, 3)), "dog")
    np.testing.assert_array_equal(found, [[1, 0, 1, 1], [0, 0, 1, 1], [1, 0, 1, 1]])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_their_image_is(tmp_path, orientation):
    stored = blobs(4, 60, 40)
    region = Region("dog", str(written(tmp_path / "m.png", stored)), orientation=orientation)
    exif = Image.Exif()
    exif[274] = orientation
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "PNG", exif=exif)
    upright = cv2.imdecode(np.frombuffer(buffer.getvalue(), np.uint8), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(read_mask(truth(region), "dog"), upright > 0)


PICTURES = {
    "grey": np.array([[0, 1, 255]], np.uint8),
    "16 bits": np.array([[0, 1, 65535]], np.uint16),  # 1 of 65535 is lost where it is read as 8 bits
    "colour": np.array([[[0, 0, 0], [0, 0, 1], [9, 0, 0]]], np.uint8),
    "transparent": np.array([[[0, 0, 0, 255], [0, 1, 0, 0], [1, 0, 0, 255]]], np.uint8),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_not_black_is_inside_at_every_depth(tmp_path, kind):
    np.testing.assert_array_equal(picture(str(written(tmp_path / "m.png", PICTURES[kind]))), [[False, True, True]])


@pytest.mark.parametrize("mode", ["1", "P", "LA"])
def test_modes_that_pillow_writes(tmp_path, mode):
    Image.fromarray(np.array([[0, 255, 255]], np.uint8)).convert(mode).save(tmp_path / "m.png")
    np.testing.assert_array_equal(picture(str(tmp_path / "m.png")), [[False, True, True]])


def test_palettes_count_by_their_colours(tmp_path):
    """VOC's own: index 1 is dark red, 255 the void, which is nearly white."""
    indices = Image.frombytes("P", (3, 1), bytes([0, 1, 255]))
    indices.putpalette([0, 0, 0, 128, 0, 0] + [0] * 759 + [224, 224, 192])
    indices.save(tmp_path / "m.png")
    np.testing.assert_array_equal(picture(str(tmp_path / "m.png")), [[False, True, True]])


def test_what_is_no_mask_picture(tmp_path):
    with pytest.raises(DatasetUnreadable, match=r"gone\.png: no mask picture \(No such file"):
        picture(str(tmp_path / "gone.png"))
    (tmp_path / "a.png").write_text("path,class")
    with pytest.raises(DatasetUnreadable, match=r"a\.png: no mask picture \(not an image"):
        picture(str(tmp_path / "a.png"))
    whole = written(tmp_path / "m.png", blobs(1, 60, 40)).read_bytes()
    (tmp_path / "m.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetUnreadable, match=r"m\.png: "):
        picture(str(tmp_path / "m.png"))
    head = whole[12:16] + (1 << 20).to_bytes(4, "big") * 2 + whole[24:29]
    (tmp_path / "m.png").write_bytes(whole[:12] + head + zlib.crc32(head).to_bytes(4, "big") + whole[33:])
    with pytest.raises(DatasetUnreadable, match=r"m\.png: .*1048576 x 1048576"):
        picture(str(tmp_path / "m.png"))


@pytest.mark.parametrize(
    ("region", "says"),
    [
        (Region("dog", [[0, 0, 1, 0, 1, 1]]), "a segmentation of 'dog' without the size it is in"),
        (Region("dog", {"counts": [5]}, (4, 3)), "a.jpg, segmentation of 'dog': run lengths of 5 pixels"),
    ],
)
def test_broken_segmentations_say_of_which_image(region, says):
    with pytest.raises(DatasetUnreadable, match=says):
        read_mask(truth(region), "dog")
