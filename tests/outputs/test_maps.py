"""`--save-maps`: which files, and what is in them."""

import numpy as np
import pytest

from cam_cli.images.mapfile import read_map
from cam_cli.outputs.folder import Folder
from cam_cli.outputs.maps import MapKeeper, predictions, safe
from tests.metrics.made import cropped, found, squash

MAP = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)


@pytest.fixture
def put(tmp_path):
    def put(id, answer, labels, run="lite.cam", several=False):
        folder = Folder(tmp_path / "out", since=0)
        folder.open()
        names = MapKeeper(folder, several).put(id, run, answer, labels)
        saved = {str(path.relative_to(tmp_path / "out")): path for path in (tmp_path / "out").rglob("*.np*")}
        assert set(names) == set(saved)
        return saved

    return put


def test_one_class_is_saved_twice(put):
    saved = put("b/a.jpg", found({"cat": MAP, "dog": -MAP}, squash(40, 30)), ("cat",))
    assert set(saved) == {"maps/b/a.jpg.npz", "maps/b/a.jpg.npy"}
    file = read_map(saved["maps/b/a.jpg.npz"])
    assert (list(file.raw), file.seen) == (["cat"], None)
    np.testing.assert_array_equal(file.raw["cat"], MAP)
    assert np.load(saved["maps/b/a.jpg.npy"]).shape == (224, 224)


def test_several_classes_have_no_one_map_for_other_code(put):
    saved = put("a.jpg", found({"cat": MAP, "dog": -MAP, "elk": MAP}, squash(40, 30)), ("dog", "fox", "cat"))
    assert set(saved) == {"maps/a.jpg.npz"}
    assert list(read_map(saved["maps/a.jpg.npz"]).raw) == ["dog", "cat"]


def test_an_image_without_a_class_has_no_file(put):
    assert put("a.jpg", found({"cat": MAP}, squash(40, 30)), ()) == {}
    assert put("a.jpg", found({"cat": MAP}, squash(40, 30)), ("dog",)) == {}


def test_several_runs_have_a_folder_each(put):
    answer = found({"cat": MAP}, squash(40, 30))
    assert set(put("a.jpg", answer, ("cat",), "a/b.rise:masks=5,p=0.5", several=True)) == {
        "maps/a_b.rise_masks=5_p=0.5/a.jpg.npy", "maps/a_b.rise_masks=5_p=0.5/a.jpg.npz",
    }  # fmt: skip
    assert safe("../é 1+2") == ".._é_1+2"


def test_a_part_of_the_picture_is_saved_with_where_it_is(put):
    geometry = cropped(40, 20)
    (path,) = (
        path for name, path in put("a.jpg", found({"cat": MAP}, geometry), ("cat",)).items() if name.endswith("z")
    )
    file = read_map(path)
    assert file.seen == pytest.approx((12, 2, 28, 18))
    again = file.geometry(40, 20)
    for corner in ((0, 0), (1, 1)):
        mine = geometry.to_original(corner[0] * geometry.input_width, corner[1] * geometry.input_height)
        assert again.to_original(corner[0] * 5, corner[1] * 4) == pytest.approx(mine)


def row(id, best=("cat", "a,b"), chances=None, error=None):
    return {"id": id, "predictions": best and list(best), "probabilities": chances, "error": error}


def test_a_table_of_predictions():
    rows = [
        row("f.jpg", None, None, {"kind": "ImageUnreadable"}),
        row("a.jpg", chances={"cat": 0.1, "dog": 1 / 3}),
        row("s.jpg", (), {"cat": None, "dog": None}),
        row("b,c.jpg", ("cat",), {"dog": 1e-7, "cat": 1.0}),
    ]
    assert b"".join(predictions(rows)).decode() == (
        "path,predictions,cat,dog\n"
        'a.jpg,"cat;a,b",0.1,0.3333333333333333\n'
        "s.jpg,,,\n"
        '"b,c.jpg",cat,1.0,1e-07\n'
    )  # fmt: skip
    assert b"".join(predictions([row("a.jpg"), row("b.jpg", ())])).decode() == (
        'path,predictions\na.jpg,"cat;a,b"\nb.jpg,\n'
    )
    assert list(predictions([])) == []
    assert list(predictions([row("a.jpg", None)])) == []  # nobody said
