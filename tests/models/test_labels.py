"""How a person may call a class."""

import csv
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cam_cli.errors import ClassUnknown
from cam_cli.models.labels import Labels, assumed, imagenet1k

DATA = Path(__file__).resolve().parents[2] / "../shared/data/ilsvrc"
FARM = Labels(("cow", "Farm House", "farm_dog", "house-cat", "cat", "7"))


def test_the_table_has_1000_classes_in_the_order_of_their_ids():
    labels = imagenet1k()
    assert len(labels) == len(labels.names) == len(set(labels.wnids)) == 1000
    assert list(labels.wnids) == sorted(labels.wnids)
    assert (labels.names[0], labels.wnids[0]) == ("tench", "n01440764")
    assert (labels.names[281], labels.wnids[281]) == ("tabby", "n02123045")


def test_the_table_agrees_with_the_reference_data():
    if not DATA.is_dir():
        pytest.skip("no reference data beside the project")
    with (DATA / "manifest.csv").open(newline="") as one, (DATA / "original_sizes.csv").open(newline="") as two:
        indices = {row["path"]: int(row["class"]) for row in csv.DictReader(one)}
        rows = list(csv.DictReader(two))
    assert len(rows) > 600
    for row in rows:
        index = indices[row["path"]]
        assert (imagenet1k().wnids[index], imagenet1k().names[index]) == (row["wnid"], row["name"])


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("281", 281),
        ("index:281", 281),
        ("n02123045", 281),
        ("wnid:n02123045", 281),
        ("tabby", 281),
        ("name:tabby", 281),
        (" Tabby ", 281),
        ("golden retriever", 207),
        ("Golden_Retriever", 207),
        ("golden-retriever", 207),
        ("golden_Retr", 207),
        ("tiger", 292),  # exact, though it is part of others
    ],
)
def test_imagenet_classes_are_found(text, index):
    assert imagenet1k().find(text) == index


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("farmhouse", 1),
        ("FARM-DOG", 2),
        ("cat", 4),
        ("housecat", 3),
        ("cow", 0),
        ("0", 0),
        ("name:7", 5),
        ("index:5", 5),
    ],
)
def test_small_label_sets_are_found(text, index):
    assert FARM.find(text) == index


@pytest.mark.parametrize(("text", "indices"), [("crane", ("134", "517")), ("maillot", ("638", "639"))])
@pytest.mark.parametrize("prefix", ["", "name:"])
def test_two_classes_of_one_name_are_an_error_with_their_indices(text, indices, prefix):
    with pytest.raises(ClassUnknown) as caught:
        imagenet1k().find(prefix + text)
    assert all(index in caught.value.message for index in indices)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1000", "0 to 999"),
        ("index:tabby", "0 to 999"),
        ("index:-1", "0 to 999"),
        ("-1", "no class is called '-1'"),
        ("n99999999", "WordNet id"),
        ("wnid:tabby", "WordNet id"),
        ("tabbi", "did you mean tabby"),
        ("terrier", "could be"),
        ("", "no class is called ''"),
        ("name:", "no class is called ''"),
        ("²", "no class is called '²'"),
    ],
)
def test_what_is_not_a_class_says_what_could_be_meant(text, said):
    with pytest.raises(ClassUnknown, match=said):
        imagenet1k().find(text)


def test_a_wnid_needs_labels_that_have_them():
    with pytest.raises(ClassUnknown, match="no WordNet ids"):
        FARM.find("n02123045")


def test_search_lists_in_order():
    labels = imagenet1k()
    assert labels.search("crane") == [134, 517]
    assert labels.search("n02123045") == [281]
    assert labels.search("GOLDEN retr") == [207]
    assert 281 in labels.search("281")
    with pytest.raises(ClassUnknown, match="did you mean tabby"):
        labels.search("tabbi")


def test_labels_of_a_checkpoint_are_assumed_aloud_only_for_imagenet():
    labels, notes = assumed(1000)
    assert labels is imagenet1k()
    assert notes == ("class names assumed: ImageNet-1k",)
    labels, notes = assumed(3)
    assert labels.names == ("class_0", "class_1", "class_2")
    assert (labels.find("2"), labels.find("class_1"), notes) == (2, 1, ())
    assert assumed(1)[0].names == ("negative", "positive")


@given(st.text(max_size=12))
def test_any_text_ends_in_a_class_or_a_class_error(text):
    for labels in (FARM, imagenet1k()):
        with suppress(ClassUnknown):
            assert 0 <= labels.find(text) < len(labels)


@given(st.integers(0, 999))
def test_every_class_is_found_by_index_and_wnid(index):
    labels = imagenet1k()
    assert labels.find(str(index)) == labels.find(f"index:{index}") == labels.find(labels.wnids[index]) == index
