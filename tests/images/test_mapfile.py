"""Maps in files: what is read, what is refused, and that nothing but a refusal comes of damage."""

import gc
import io
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from cam_cli.errors import MapMissing, MapUnreadable
from cam_cli.images.mapfile import NO_MAPS, SEEN, MapFile, find_map, packed, read_map
from cam_cli.maps import heatmap

MAP = np.arange(12, dtype=np.float32).reshape(3, 4) - 3


def encoded(suffix: str, values: np.ndarray) -> bytes:
    return cv2.imencode(suffix, values)[1].tobytes()


def npy(values, **more) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **more)
    return buffer.getvalue()


def npz(**entries) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **entries)
    return buffer.getvalue()


@pytest.fixture
def read(tmp_path):
    def read(name: str, data: bytes) -> MapFile:
        (tmp_path / name).write_bytes(data)
        return read_map(tmp_path / name)

    return read


def test_what_is_packed_comes_back_without_loss(read):
    odd = np.array([[np.nan, np.inf, -np.inf, 1e-45, -0.0]], np.float32)
    maps = {"tabby, cat": MAP, "a/b": odd, "é \U0001f600": -MAP, "x.npy": MAP[:1]}
    data = packed(maps, (-3.25, 1 / 3, 40.5, 60))
    found = read("m.npz", data)
    assert set(found.raw) == set(maps)
    for name, values in maps.items():
        assert found.raw[name].tobytes() == values.tobytes()
        assert found.raw[name].dtype == np.float32
    assert found.seen == (-3.25, 1 / 3, 40.5, 60)
    assert read("m.npz", packed(maps, None)).seen is None
    assert data == packed(maps, (-3.25, 1 / 3, 40.5, 60))  # no clock in it
    with np.load(io.BytesIO(data)) as loaded:
        assert set(loaded.files) == {*maps, SEEN}


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("m.npy", npy(MAP), MAP),
        ("m.NPY", npy(MAP.astype(np.float64)), MAP),
        ("m.npy", npy(MAP[..., None]), MAP),
        ("m.npy", npy(np.asfortranarray(MAP)), MAP),
        ("m.npy", npy(MAP.astype(">i4")), MAP),
        ("m.npy", npy(MAP > 0), MAP > 0),
        ("m.npy", npy(np.array([[2.5]], np.float16)), [[2.5]]),
        ("m.npz", npz(arr_0=MAP), MAP),
        ("m.png", encoded(".png", np.array([[0, 7, 255]], np.uint8)), [[0, 7, 255]]),
        ("m.png", encoded(".png", np.array([[0, 7, 65535]], np.uint16)), [[0, 7, 65535]]),
        ("m.tif", encoded(".tif", MAP), MAP),
        ("m.tiff", encoded(".tiff", np.array([[0, 7, 65535]], np.uint16)), [[0, 7, 65535]]),
    ],
)
def test_one_map_without_a_name(read, name, data, expected):
    found = read(name, data)
    assert list(found.raw) == [None]
    assert found.raw[None].dtype == np.float32
    np.testing.assert_array_equal(found.raw[None], np.array(expected, np.float32))
    assert found.seen is None


def test_what_float32_cannot_hold_is_infinite_and_so_flagged(read):
    found = read("m.npy", npy(np.array([[1e300, 0, -1e300]])))
    assert found.raw[None].tolist() == [[np.inf, 0, -np.inf]]
    assert heatmap(found.raw[None], found.geometry(3, 1)).flags == ("not_finite",)


def test_a_map_that_numpy_named_among_others_keeps_its_name(read):
    assert set(read("m.npz", npz(arr_0=MAP, arr_1=MAP)).raw) == {"arr_0", "arr_1"}
    assert list(read("m.npz", npz(arr_0=MAP, **{SEEN: np.array([0, 0, 1, 1])})).raw) == [None]


HUGE = (
    b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (10000000, 10000000)}".ljust(127) + b"\n"
)


def archive(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("m.npy", b"", "is no .npy of numbers"),
        ("m.npy", b"<html>", "is no .npy of numbers"),
        ("m.npy", npy(MAP)[:-1], "is no .npy of numbers"),
        ("m.npy", npy(np.array([[{}]]), allow_pickle=True), "is no .npy of numbers (Object arrays cannot be loaded"),
        ("m.npy", HUGE, "is no .npy of numbers"),
        ("m.npy", npz(cat=MAP), "holds something that is no array"),
        ("m.npy", npy(np.zeros((0, 4))), "holds 0×4 of float64, not rows and columns of numbers"),
        ("m.npy", npy(np.zeros(4)), "holds 4 of float64"),
        ("m.npy", npy(np.zeros((1, 4, 4))), "holds 1×4×4 of float64"),
        ("m.npy", npy(np.zeros((4, 4, 3), np.uint8)), "holds 4×4×3 of uint8"),
        ("m.npy", npy(np.zeros((4, 4), complex)), "holds 4×4 of complex128"),
        ("m.npy", npy(np.array([["a"]])), "holds 1×1 of <U1"),
        ("m.npy", npy(np.zeros((2, 2), "M8[s]")), "holds 2×2 of datetime64[s]"),
        ("m.npz", npz(), "holds no map"),
        ("m.npz", npz(**{SEEN: np.arange(4)}), "holds no map"),
        ("m.npz", npy(MAP), "is no .npz of numbers"),
        ("m.npz", npz(cat=MAP)[:-30], "is no .npz of numbers"),
        ("m.npz", archive(**{"cat.npy": npy(MAP), "readme.txt": b"hello"}), "holds something that is no array"),
        ("m.npz", npz(cat=MAP, dog=np.zeros(3)), "holds 3 of float64"),
        *(("m.npz", npz(cat=MAP, **{SEEN: np.array(ends)}), "(seen) is not x0 y0 x1 y1") for ends in (
            [0, 0, 1], [[0, 0, 1, 1]], [0, 0, 0, 1], [0, 2, 1, 1], [0, 0, np.inf, 1], [np.nan, 0, 1, 1],
            ["0", "0", "1", "1"], [0, 0, 1j, 1],
        )),
        ("m.png", b"", "is no picture that can be read (the file is empty"),
        ("m.png", encoded(".png", np.zeros((4, 4, 3), np.uint8)), "holds 4×4×3 of uint8"),
        ("m.tif", b"II*\0", "is no picture that can be read"),
    ],
    ids=lambda value: "file" if isinstance(value, bytes) else None,  # an archive holds the time
)  # fmt: skip
def test_what_is_no_map(read, capfd, name, data, told):
    with pytest.raises(MapUnreadable) as caught:
        read(name, data)
    assert told in caught.value.message
    assert f"/{name}" in caught.value.message
    assert capfd.readouterr() == ("", "")


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "m.npy").mkdir()
    with pytest.raises(MapUnreadable, match="Is a directory"):
        read_map(tmp_path / "m.npy")


NOISE = np.random.default_rng(0).integers(0, 256, (24, 24))
WHOLE = {
    "m.npy": npy(NOISE.astype(np.float32)),
    "m.npz": npz(cat=NOISE.astype(np.float32), **{SEEN: np.array([0.0, 0, 9, 9])}),
    "p.npz": packed({"cat": NOISE.astype(np.float32)}, (0, 0, 9, 9)),
    "m.png": encoded(".png", NOISE.astype(np.uint8)),
    "d.png": encoded(".png", NOISE.astype(np.uint16) * 257),
    "m.tif": encoded(".tif", NOISE.astype(np.float32)),
}


@pytest.mark.parametrize("name", WHOLE)
def test_damage_is_a_refusal_or_a_map_and_never_another_error(read, name):
    """Cut short anywhere; bytes changed anywhere, headers above all."""
    data, rng, refused = WHOLE[name], np.random.default_rng(1), 0
    cuts = [data[:end] for end in rng.integers(0, len(data), 40)]
    changed = []
    for place in [*range(min(len(data), 160)), *rng.integers(0, len(data), 60)]:
        other = bytearray(data)
        other[place] ^= 1 << int(rng.integers(8))
        changed.append(bytes(other))
    for broken in (*cuts, *changed):
        try:
            found = read(name, broken)
        except MapUnreadable:
            refused += 1
        else:
            assert all(values.ndim == 2 and values.dtype == np.float32 for values in found.raw.values())
    assert refused >= 30
    for broken in cuts if name.endswith((".png", ".npz", ".npy")) else ():
        with pytest.raises(MapUnreadable):
            read(name, broken)
    if name.endswith(".png"):  # whose checksums show every change
        assert refused >= len(cuts) + len(changed) - 8


def test_many_threads_read_sound_maps(tmp_path):
    """In Python 3.11 numpy alone fails at some of these: its header goes through `ast`, whose depth is shared."""
    (tmp_path / "m.npy").write_bytes(npy(MAP))
    (tmp_path / "m.npz").write_bytes(npz(cat=MAP))

    class Garbage:
        def __del__(self):
            sum(range(50))  # long enough for another thread to have its turn

    def reading(number: int) -> None:
        one = Garbage()
        one.itself = one
        assert (
            next(iter(read_map(tmp_path / ("m.npz" if number % 9 == 0 else "m.npy")).raw.values())).shape == MAP.shape
        )

    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    try:
        sys.setswitchinterval(1e-6)
        gc.set_threshold(20)
        with ThreadPoolExecutor(8) as pool:
            assert len(list(pool.map(reading, range(2000)))) == 2000
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)


def test_of_the_labels_what_is_there():
    file = MapFile({"cat": MAP, "dog": -MAP})
    assert list(file.of(("dog", "elk", "cat"), "m")) == ["dog", "cat"]
    assert file.of(("dog",), "m")["dog"] is file.raw["dog"]
    assert file.of((), "m") == {}
    with pytest.raises(MapMissing, match="m has maps of cat, dog, none of elk, fox"):
        file.of(("elk", "fox"), "m")
    with pytest.raises(MapMissing, match=r"has maps of 0, 1, 2, 3, 4, …, none of elk"):
        MapFile({str(number): MAP for number in range(9)}).of(("elk",), "m")
    single = MapFile({None: MAP})
    assert single.of(("cat",), "m") == {"cat": single.raw[None]}
    assert single.of((), "m") == {}
    with pytest.raises(MapUnreadable, match=r"m holds one map, its image has 2 classes \(cat, dog\)"):
        single.of(("cat", "dog"), "m")


def test_where_a_map_lies():
    """Over all of the picture, or over what it says it covers: the corners of its grid are those of that part."""
    whole = MapFile({None: MAP}).geometry(40, 30, 6)
    assert (whole.input_width, whole.input_height, whole.orientation, whole.fit) == (4, 3, 6, "squash")
    assert (whole.to_original(0, 0), whole.to_original(4, 3)) == ((0, 0), (40, 30))
    part = MapFile({None: MAP}, (-10, 5, 30, 25)).geometry(40, 30)
    assert part.to_original(0, 0) == pytest.approx((-10, 5))
    assert part.to_original(4, 3) == pytest.approx((30, 25))
    assert part.seen == pytest.approx((0, 5, 30, 25))
    none = NO_MAPS.geometry(40, 30)
    assert none.seen == (0, 0, 40, 30)


def test_a_map_of_a_part_is_laid_there():
    """Of a picture 8 pixels wide the model saw the right half, in 2 cells: the left is not seen."""
    file = MapFile({None: np.array([[1.0, 3.0]], np.float32)}, (4, 0, 8, 2))
    heat = heatmap(file.raw[None], file.geometry(8, 2)).heat
    np.testing.assert_allclose(heat, [[0, 0, 0, 0, 0, 0.25, 0.75, 1]] * 2, atol=1e-6)


@pytest.mark.parametrize(
    ("files", "id", "found"),
    [
        (("a.jpg.npy",), "a.jpg", "a.jpg.npy"),
        (("a.npy",), "a.jpg", "a.npy"),
        (("a.npy", "a.jpg.npy"), "a.jpg", "a.jpg.npy"),  # the whole id first
        (("a.npy", "a.jpg.tif"), "a.jpg", "a.jpg.tif"),
        (("a.jpg.npy", "a.jpg.npz"), "a.jpg", "a.jpg.npz"),  # which has no loss
        (("a.jpg.png", "a.jpg.npy"), "a.jpg", "a.jpg.npy"),
        (("b/a.tiff",), "b/a.jpg", "b/a.tiff"),
        (("a.npy",), "b/a.jpg", None),
        (("a.jpg",), "a.jpg", None),
        (("a.b.png",), "a.b.jpg", "a.b.png"),
        (("a.png",), "a.b.jpg", None),
    ],
)
def test_which_file_is_an_images(tmp_path, files, id, found):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert find_map(str(tmp_path), id) == (None if found is None else tmp_path / found)


def test_a_folder_called_as_a_map_is_none(tmp_path):
    (tmp_path / "a.jpg.npz").mkdir()
    (tmp_path / "a.npy").write_bytes(b"")
    assert find_map(str(tmp_path), "a.jpg") == tmp_path / "a.npy"
