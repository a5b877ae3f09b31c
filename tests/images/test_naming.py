"""Ids can lead nowhere and never meet, whatever the paths are."""

import io
import os

from hypothesis import given, settings
from hypothesis import strategies as st

from cam_cli.images.naming import Ids, distinct_names, fold, listed_id, safe_id, short_stem, whole_stems
from cam_cli.images.sources import list_images

PARTS = st.one_of(
    st.sampled_from(
        ["..", ".", "", "a", "A", "a.jpg", "a.png", "a.jpg.bmp", "_up", "a~2.jpg", ".jpg", "...", "é", "é"]
    ),
    st.text(st.characters(exclude_characters="\n\r/\0"), max_size=6),
)
PATHS = st.lists(PARTS, min_size=1, max_size=5).map("/".join)


def assert_harmless(id: str) -> None:
    assert id
    assert not os.path.isabs(id)
    assert not {"", ".", ".."} & set(id.split("/"))
    assert "\0" not in id
    os.fsencode(id)
    assert os.path.normpath(os.path.join("/out", id)).startswith("/out/")


@given(PATHS)
def test_an_id_stays_below_the_output_folder(path):
    assert_harmless(listed_id(path, "/"))
    assert_harmless(listed_id(path, "."))
    assert_harmless(safe_id(path.split("/")))
    assert_harmless(short_stem(listed_id(path, "/")))


@settings(max_examples=200)
@given(st.lists(PATHS, min_size=1, max_size=12))
def test_listed_ids_and_stems_are_unique(paths):
    lines = "\n".join(f"x{path}" if not path.strip() else path for path in paths)
    listing = list_images(["-"], stdin=io.BytesIO(lines.encode("utf-8", "surrogatepass")))
    ids = [*listing.ids]
    assert len(set(ids)) == len(ids) == len(listing)
    items = [getattr(entry, "item", entry) for entry in listing]
    stems = [item.stem for item in items]
    assert len(set(stems)) == len(stems)
    for name in (*ids, *stems):
        assert_harmless(name)


@given(st.lists(PATHS.map(lambda path: safe_id(path.split("/"))), unique_by=fold, max_size=12))
def test_stems_differ_even_where_case_does_not_count(ids):
    whole = whole_stems(ids)
    stems = [fold(id if id in whole else short_stem(id)) for id in ids]
    assert len(set(stems)) == len(stems)


@given(st.lists(PATHS.map(lambda path: "/" + path), unique_by=os.path.abspath, max_size=6))
def test_names_of_folders_are_harmless(folders):
    for name in distinct_names(folders).values():
        assert_harmless(name)


def test_names_of_folders_take_no_more_of_the_path_than_they_need():
    assert distinct_names(["/d/x/train", "/d/y/train", "/d/val"]) == {
        "/d/x/train": "x/train",
        "/d/y/train": "y/train",
        "/d/val": "val",
    }


def test_a_taken_id_gets_a_number():
    ids = Ids()
    assert [ids.claim("a.jpg"), ids.claim("a.jpg", "p/a.jpg"), ids.claim("a.jpg"), ids.claim("a.jpg")] == [
        "a.jpg", "p/a.jpg", "a~2.jpg", "a~3.jpg",
    ]  # fmt: skip
