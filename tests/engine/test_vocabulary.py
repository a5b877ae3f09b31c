"""A dataset's words and a model's classes."""

import pytest

from cam_cli.datasets.dataset import among
from cam_cli.engine.vocabulary import Vocabulary
from cam_cli.errors import ClassUnknown
from cam_cli.models.labels import Labels
from cam_cli.types import ImageItem, Object, Region, Truth

LABELS = Labels(("tabby", "crane", "Siamese cat", "crane"), ("n02123045", "n03126707", "n02123597", "n02012849"))


def truth(id: str, *labels: str, **more) -> Truth:
    return Truth(ImageItem(id, id, id), labels, **more)


def matched(*truths: Truth, spellings=None) -> Vocabulary:
    labels = dict.fromkeys(label for one in truths for label in (*one.labels, *one.uncertain))
    spellings = {label: (label,) for label in labels} if spellings is None else spellings
    return Vocabulary.match(LABELS, spellings, {one.item.id: one for one in truths}, "data")


def test_by_index_wnid_and_whole_name():
    found = matched(truth("a", "0"), truth("b", "n03126707"), truth("c", "siamese_CAT"))
    assert found.indices == {"0": 0, "n03126707": 1, "siamese_CAT": 2}
    assert found.unknown == ()
    assert found.labels is LABELS
    assert found.grouping is None


def test_the_first_spelling_that_the_model_knows():
    found = matched(truth("a", "folder"), spellings={"folder": ("nothing", "n02123597", "tabby")})
    assert found.indices == {"folder": 2}


def test_a_part_of_a_name_or_two_of_one_name_is_no_class():
    found = matched(truth("a", "cat", "crane", "tabby"))
    assert found.indices == {"tabby": 0}
    assert found.unknown == ("cat", "crane")


def test_of_classes_the_model_lacks_nothing_is_said():
    boxes = Object("tabby", (0, 0, 1, 1)), Object("ox", (1, 1, 2, 2))
    regions = Region("tabby", "t.png"), Region("ox", "o.png"), Region("ox", "i.png", ignored=True)
    both = truth("a", "tabby", "ox", objects=boxes, uncertain=("gnu",), regions=regions)
    none = truth("b", "ox")
    found = matched(both, none)
    assert found.unknown == ("ox", "gnu")
    less = found.truths["a"]
    assert (less.labels, less.uncertain, less.objects) == (("tabby",), (), boxes[:1])
    assert less.regions == (regions[0], regions[2])
    assert found.truths["b"] == truth("b", objects=())  # that none of those it knows is there, it still says
    assert [found[one.item] for one in (both, none)] == [(0,), ()]


def test_what_is_among_some_labels():
    one = truth("a", "tabby", objects=None)
    assert among(one, {"tabby"}) is one
    assert among(one, {"ox"}).told
    silent = truth("a")
    assert among(silent, {"ox"}) is silent
    assert not silent.told
    assert among(truth("a", uncertain=("ox",)), {"tabby"}).objects == ()
    masked = truth("a", "ox", regions=(Region("", "i.png", ignored=True),))
    assert among(masked, {"tabby"}) == truth("a", regions=masked.regions)


def test_the_model_must_know_one_class_of_the_images_measured():
    with pytest.raises(
        ClassUnknown, match=r"knows none of the 2 classes of data \(ox, gnu\); say which .* with --class-map"
    ):
        matched(truth("a", "ox"), truth("b", "gnu"))
    many = [truth(str(number), f"ox{number}") for number in range(7)]
    with pytest.raises(ClassUnknown, match=r"none of the 7 classes of data \(ox0, ox1, ox2, ox3, ox4, …\)"):
        matched(*many)
    spellings = {"tabby": ("tabby",), "ox": ("ox",)}  # of the whole dataset, of which a part is measured
    with pytest.raises(ClassUnknown, match=r"none of the 1 classes of data \(ox\)"):
        matched(truth("a", "ox"), spellings=spellings)
    found = matched(truth("a", "tabby"), spellings=spellings)
    assert (found.indices, found.unknown) == ({"tabby": 0}, ())
    assert matched(truth("a"), spellings={}).indices == {}


def test_two_words_for_one_class_are_refused():
    with pytest.raises(
        ClassUnknown, match="'tabby' and 'Tabby' of data are one class of the model, 'tabby'; join them"
    ):
        matched(truth("a", "tabby"), truth("b", "Tabby"))
    with pytest.raises(ClassUnknown, match="'n02123045' and '0' of data are one class of the model, 'tabby'"):
        matched(truth("a", "n02123045", "0"))


def test_what_a_report_calls_each_class():
    """The data's word; else the model's, with its index where two share it, or where a word of the data is the same."""
    assert matched(truth("a", "2")).names == ("tabby", "crane (1)", "2", "crane (3)")
    spelled = {"crane": ("index:3",), "tabby": ("wnid:n02123597",)}
    found = matched(truth("a", "crane", "tabby"), spellings=spelled)
    assert found.names == ("tabby (0)", "crane (1)", "tabby", "crane")
    assert len(set(found.names)) == 4
    assert [found.name(index) for index in (0, 3)] == ["tabby (0)", "crane"]


def test_groups():
    truths = {one.item.id: one for one in (truth("a", "pet", "ox"), truth("b", "bird"))}
    groups = {"pet": ("tabby", "n02123597"), "bird": ("index:3",), "more": ("0", "1")}
    found = Vocabulary.grouped(LABELS, groups, {"pet": (), "ox": (), "bird": (), "gnu": ()}, truths)
    assert found.indices == {"pet": 0, "bird": 1, "more": 2}
    assert found.grouping.members == ((0, 2), (3,), (0, 1))
    assert found.unknown == ("ox",)  # gnu is in no image
    assert found.truths["a"].labels == ("pet",)
    assert found.names == ("pet", "bird", "more")
    with pytest.raises(ClassUnknown, match="'nothing'"):
        Vocabulary.grouped(LABELS, {"pet": ("nothing",)}, {}, {})
    with pytest.raises(ClassUnknown, match="could be 2 classes"):
        Vocabulary.grouped(LABELS, {"bird": ("crane",)}, {}, {})
