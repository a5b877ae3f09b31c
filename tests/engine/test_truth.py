"""True classes as indices: whole names only, and everything unknown before the first image."""

import pytest

from cam_cli.engine.truth import TrueClasses
from cam_cli.errors import ClassUnknown
from cam_cli.images.listing import Listing
from cam_cli.images.truth import read_truth
from cam_cli.models.labels import Labels, imagenet1k
from cam_cli.types import ImageItem


def indices(text: str, *ids: str, labels: Labels | None = None) -> list[int]:
    listing = Listing(ids, [f"in/{id}" for id in ids])
    truths = TrueClasses.resolve(text, read_truth(text, listing), labels or imagenet1k(), listing)
    return [index for id in ids for index in truths[ImageItem(id, f"in/{id}", id)]]


def test_folders_are_names_or_wnids_and_never_indices():
    ids = ("espresso/a.jpg", "Golden_Retriever/a.jpg", "n02123045/a.jpg", "n02123045-tabby/a.jpg")
    assert indices("folder", *ids) == [967, 207, 281, 281]
    with pytest.raises(ClassUnknown, match="no class is called '281'"):
        indices("folder", "281/a.jpg")


def test_the_nearest_folder_that_is_a_class_and_no_part_of_a_name():
    assert indices("folder", "espresso/val/a.jpg", "espresso/cup/a.jpg") == [967, 968]
    assert imagenet1k().find("val") == imagenet1k().find("valley")
    with pytest.raises(ClassUnknown, match=r"of in/val/a.jpg.*'val'; did you mean .*valley"):
        indices("folder", "espresso/b.jpg", "val/a.jpg")


def test_names_that_are_wnids_themselves():
    labels = Labels(("n02123045", "n02123045-tabby"))
    assert indices("folder", "n02123045/a.jpg", "n02123045-tabby/a.jpg", labels=labels) == [0, 1]


def test_one_class_and_an_ambiguous_one():
    assert indices("n02123045", "a.jpg") == indices("281", "a.jpg") == indices("tabby", "a.jpg") == [281]
    for text, id in (("crane", "a.jpg"), ("folder", "crane/a.jpg")):
        with pytest.raises(ClassUnknown, match=r"134 .*517"):
            indices(text, id)


def test_images_without_a_truth_are_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("path,class\na.jpg,espresso\nb.jpg,968\n")
    listing = Listing(["a.jpg", "b.jpg", "c.jpg"], ["a.jpg", "b.jpg", "c.jpg"])
    truths = TrueClasses.resolve("t.csv", read_truth("t.csv", listing), imagenet1k(), listing)
    assert [truths[ImageItem(id, id, id)] for id in listing.ids] == [(967,), (968,), ()]
    assert (truths.missing, truths.classes) == (1, 2)
